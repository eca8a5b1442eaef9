"""Networks that begin as principal components, against probabilistic PCA worked out in numpy."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.objectives import make_objective
from napari_kikuchi.latent.presets import preset
from napari_kikuchi.latent.sample import draw_sample
from napari_kikuchi.latent.train import VaeTraining, train_vae
from napari_kikuchi.latent.vae import Vae, VaeEncoder
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan
from napari_kikuchi.training import TrainingSettings


@pytest.fixture(scope="module")
def drawn(make_scan):
    """Patterns of five factors and noise: more of them than components are kept."""
    scan = make_scan(rows=20, cols=20, size=(60, 60), factors=5, noise=8, corner=6)
    return finish(draw_sample([scan], Recipe(), 400))


@pytest.fixture(scope="module")
def begun(drawn):
    torch.manual_seed(0)
    vae = Vae(preset("principal-16"), drawn.recipe.mask)
    vae.take_components(drawn.patterns, trained=False)
    return VaeEncoder(vae.eval(), drawn.recipe)


def probabilistic_components(inside, kept, latent):
    """Posterior means, variances and reconstructions of Tipping & Bishop's model, by an SVD.

    Of patterns of the same gain, the median; and the logarithm of the gain over that.
    """
    mean = inside.mean(axis=0)
    _, singular, axes = np.linalg.svd(inside - mean, full_matrices=False)
    variances = singular**2 / (len(inside) - 1)
    total = (inside - mean).var(axis=0).sum()
    noise = (total - variances[:kept].sum()) / (inside.shape[1] - kept)
    weights = axes[:latent].T * np.sqrt(variances[:latent] - noise)
    posterior = np.linalg.inv(weights.T @ weights + noise * np.eye(latent))
    power = ((inside - mean) ** 2).sum(axis=1) - inside.shape[1] * noise
    norm = np.sqrt(np.maximum(power, 0))
    floor = 1.5 * np.diff(np.quantile(norm, [0.16, 0.84]))
    log_gain = np.log(np.hypot(norm, floor))
    log_gain -= np.median(log_gain)
    factor = np.exp(log_gain)[:, None]
    means = (inside - mean) / factor @ weights @ posterior
    return log_gain, means, noise * np.diag(posterior), factor * (means @ weights.T) + mean


def test_untrained_networks_are_probabilistic_principal_components(begun, drawn):
    mask = drawn.recipe.mask
    inside = drawn.patterns[:, mask].astype(np.float64)
    log_gain, means, variances, reconstructed = probabilistic_components(inside, 256, 15)
    features = begun.encode(drawn.patterns)
    spread = np.diff(np.quantile(log_gain, [0.16, 0.84])) / 2
    np.testing.assert_allclose(features[:, 0], log_gain / spread, atol=5e-3)
    shape = features[:, 1:]
    same_way = np.sign((shape * means).sum(axis=0))
    np.testing.assert_allclose(shape * same_way, means, atol=5e-3)
    with torch.inference_mode():
        _, log_variances = begun.vae.encode(torch.from_numpy(drawn.patterns))
    np.testing.assert_allclose(
        log_variances[:, 1:].exp().numpy(), np.broadcast_to(variances, shape.shape), rtol=1e-2
    )
    decoded = begun.decode(features)
    np.testing.assert_allclose(decoded[:, mask], reconstructed, atol=2e-3)
    assert (decoded[:, ~mask] == 0).all()


def test_a_stronger_pattern_differs_in_the_first_feature_alone(begun, drawn):
    vae = deepcopy(begun.vae)
    vae.encoder.gain.floor.fill_(1e-6)  # which lies far below these patterns
    vae.encoder.noise.fill_(0)  # which would not grow with them
    encoder = VaeEncoder(vae, drawn.recipe)
    mean = drawn.patterns.mean(axis=0)
    stronger = mean + 1.3 * (drawn.patterns - mean)
    one, other = encoder.encode(drawn.patterns), encoder.encode(stronger)
    np.testing.assert_allclose(other[:, 1:], one[:, 1:], atol=1e-4)
    spread = float(vae.encoder.gain.spread)
    np.testing.assert_allclose(spread * (other - one)[:, 0], np.log(1.3), atol=1e-4)
    # And what the decoder makes of that feature is a stronger pattern.
    decoded, again = encoder.decode(one) - mean, encoder.decode(other) - mean
    np.testing.assert_allclose(again, 1.3 * decoded, atol=1e-4)


def test_views_of_a_pattern_are_decoded_with_its_own_contrast(begun, drawn):
    """What augmentation does to the contrast, no network could undo: it is measured."""
    patterns = torch.from_numpy(drawn.patterns[:20])
    objective = make_objective("contrastive", begun.vae, "calibrated", 1.0, 0)
    generator = torch.Generator().manual_seed(0)
    means = begun.vae.encode(patterns)[0].detach()
    mean = torch.from_numpy(drawn.patterns.mean(axis=0))
    evidence = objective.evidence(mean + 2 * (patterns - mean), generator, patterns)
    torch.testing.assert_close(evidence.means[:, 0], means[:, 0])
    assert (evidence.means[:, 1:] - means[:, 1:]).abs().max() > 0.1
    # Two views could be paired by it, so it is not compared.
    assert objective.projection[0].in_features == 15


def test_other_components_change_nothing_of_what_lies_in_them(begun, make_scan, drawn):
    torch.manual_seed(1)
    trained = Vae(preset("principal-16"), drawn.recipe.mask)
    trained.load_state_dict(begun.vae.state_dict())
    for correction in (trained.encoder.correction, trained.decoder.correction):
        torch.nn.init.normal_(correction[-1].weight, std=0.02)
        torch.nn.init.normal_(correction[-1].bias)
    before = VaeEncoder(trained.eval(), drawn.recipe)
    # Another scan, whose patterns fill less of the frame.
    other = make_scan(rows=20, cols=20, size=(60, 60), factors=7, noise=8, corner=8, seed=5)
    sample = finish(draw_sample([other], Recipe(), 400))
    mask, patterns = sample.recipe.mask, sample.patterns
    assert mask.sum() < drawn.recipe.mask.sum()
    vae = Vae(preset("principal-16"), mask)
    vae.load_state_dict(trained.state_dict())
    vae.take_components(patterns, trained=True)
    after = VaeEncoder(vae.eval(), sample.recipe)

    mean = patterns[:, mask].mean(axis=0)
    _, _, axes = np.linalg.svd(patterns[:, mask] - mean, full_matrices=False)

    def within(some):
        """What the new components keep of patterns."""
        kept = np.zeros_like(some)
        kept[:, mask] = mean + (some[:, mask] - mean) @ axes[:256].T @ axes[:256]
        return kept

    def learned(encoder, patterns):
        """What the layers say of patterns as they are, whatever gain is measured."""
        network = encoder.vae.encoder
        with torch.inference_mode():
            strengths, _ = network.project(torch.from_numpy(patterns))
            features = (network.linear(strengths) + network.correction(strengths)).numpy()
        # How sure the gain is changes with what it counts in.
        return np.delete(features, 15, axis=1)

    features = learned(before, within(patterns))
    assert features[:, :15].std(axis=0).max() > 0.1
    np.testing.assert_allclose(learned(after, patterns), features, atol=2e-3)
    at_median_gain = np.concatenate([np.zeros((len(patterns), 1)), features[:, :15]], axis=1)
    np.testing.assert_allclose(
        after.decode(at_median_gain), within(before.decode(at_median_gain)), atol=2e-3
    )


def test_the_start_is_better_than_any_other_scale_of_its_features(begun, drawn):
    objective = make_objective("vae", begun.vae, "calibrated", 1.0, 0)
    patterns = torch.from_numpy(drawn.patterns)

    def loss():
        with torch.inference_mode():
            return float(objective(patterns, torch.Generator().manual_seed(0), 0))

    best = loss()
    weight = begun.vae.encoder.linear.weight
    for factor in (0.8, 1.2):
        kept = weight.detach().clone()
        with torch.no_grad():
            weight[:5] *= factor
        worse = loss()
        with torch.no_grad():
            weight.copy_(kept)
        assert worse > best


@pytest.mark.parametrize("count", [1, 2, 10])
def test_fewer_patterns_than_components_are_enough(drawn, count):
    vae = Vae(preset("principal-32"), drawn.recipe.mask)
    vae.take_components(drawn.patterns[:count], trained=False)
    encoder = VaeEncoder(vae.eval(), drawn.recipe)
    assert np.isfinite(encoder.decode(encoder.encode(drawn.patterns[:20]))).all()


def test_patterns_that_are_all_alike_leave_the_networks_as_they_are(drawn):
    vae = Vae(preset("principal-16"), drawn.recipe.mask)
    before = {name: value.clone() for name, value in vae.state_dict().items()}
    vae.take_components(np.repeat(drawn.patterns[:1], 8, axis=0), trained=False)
    for name, value in vae.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_training_betters_the_start_and_the_file_holds_the_components(make_scan, tmp_path):
    scan = make_scan(rows=16, cols=16, size=(60, 60), noise=4)
    training = TrainingSettings(epochs=20, batch=32, warm_up=5, device="cpu", validate_every=10)
    seen = []
    job = train_vae([scan], None, VaeTraining(preset="principal-16", training=training), tmp_path)
    path = finish(job, seen.append)
    losses = [u.validation_loss for u in seen if getattr(u, "validation_loss", None) is not None]
    assert min(losses[1:]) < losses[0]
    encoder = load_encoder(path, device="cpu")
    patterns = finish(draw_sample([scan], encoder.recipe, 64)).patterns
    mask = encoder.recipe.mask
    left = (encoder.decode(encoder.encode(patterns)) - patterns)[:, mask].var()
    assert left < 0.3 * patterns[:, mask].var()


@pytest.mark.parametrize("shape", [(4, 4), (1, 2)])
def test_patterns_without_any_contrast_are_trained_on_all_the_same(shape, tmp_path):
    scan = Scan(ArraySource(np.full((*shape, 60, 60), 100, np.uint8)))
    training = TrainingSettings(epochs=2, batch=4, device="cpu")
    recipe = Recipe(mask=np.ones((60, 60), bool))
    job = train_vae([scan], recipe, VaeTraining(preset="principal-16", training=training), tmp_path)
    encoder = load_encoder(finish(job), device="cpu")
    assert np.isfinite(encoder.encode(np.zeros((2, 60, 60), np.float32))).all()
