"""The objective against torch's own distributions, and the encoder that training leaves."""

import pickle

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from napari_kikuchi.io.weights import ModelFileError, StoredModel, read_model, write_model
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.presets import preset
from napari_kikuchi.latent.vae import Vae, VaeEncoder, VaeObjective
from napari_kikuchi.preprocess import Recipe

ARCHITECTURE = preset("quick-16")


@pytest.fixture(scope="module")
def mask():
    y, x = np.mgrid[:60, :60]
    return np.hypot(y - 29.5, x - 29.5) < 28


@pytest.fixture
def vae(mask):
    torch.manual_seed(0)
    return Vae(ARCHITECTURE, mask)


@pytest.fixture
def patterns(mask):
    random = np.random.default_rng(0).uniform(-1, 1, (12, 60, 60))
    return (random * mask).astype(np.float32)


def expected_parts(vae, patterns, mask, seed):
    """Squared errors inside the mask, and divergences, one for each pattern."""
    mean, log_variance = vae.encode(torch.from_numpy(patterns))
    posterior = Normal(mean, torch.exp(0.5 * log_variance))
    noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(seed))
    decoded = vae.decoder(mean + noise * posterior.stddev)[:, 0].detach().numpy()
    divergence = kl_divergence(posterior, Normal(0.0, 1.0)).sum(dim=1).detach().numpy()
    return ((decoded - patterns)[:, mask] ** 2).sum(axis=1), divergence


def loss_of(objective, patterns, step=0, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return float(objective(torch.from_numpy(patterns), generator, step).detach())


def test_unit_likelihood_is_half_the_sum_of_squares_plus_the_divergence(vae, patterns, mask):
    squares, divergence = expected_parts(vae, patterns, mask, 3)
    expected = (0.5 * squares + divergence).mean() / mask.sum()
    assert loss_of(VaeObjective(vae, "unit"), patterns) == pytest.approx(expected, rel=1e-4)


def test_calibrated_likelihood_is_the_gaussian_of_the_best_variance(vae, patterns, mask):
    squares, divergence = expected_parts(vae, patterns, mask, 3)

    def negative_log_likelihood(sigma):
        # Of a pattern of these residuals; only their sum of squares matters.
        residual = torch.tensor((squares.mean() / mask.sum()) ** 0.5)
        return -float(Normal(0.0, sigma).log_prob(residual))

    sigma = (squares.mean() / mask.sum()) ** 0.5
    best = negative_log_likelihood(sigma)
    assert best < min(negative_log_likelihood(0.99 * sigma), negative_log_likelihood(1.01 * sigma))
    loss = loss_of(VaeObjective(vae, "calibrated"), patterns)
    assert loss == pytest.approx(best + divergence.mean() / mask.sum(), rel=1e-4)


def test_calibration_makes_residuals_count_by_the_inverse_of_their_variance(vae):
    pull = {}
    for likelihood in ("unit", "calibrated"):
        squared_error = torch.tensor(0.02, requires_grad=True)
        VaeObjective(vae, likelihood).loss(squared_error, torch.tensor(0.0)).backward()
        pull[likelihood] = float(squared_error.grad)
    assert pull["calibrated"] / pull["unit"] == pytest.approx(1 / 0.02, rel=1e-3)


def test_beta_and_warm_up_weigh_the_divergence(vae, patterns, mask):
    _, divergence = expected_parts(vae, patterns, mask, 3)
    plain = loss_of(VaeObjective(vae), patterns)
    cost = divergence.mean() / mask.sum()
    beta = loss_of(VaeObjective(vae, beta=5), patterns)
    assert beta - plain == pytest.approx(4 * cost, rel=1e-2)
    warming = VaeObjective(vae, kl_warm_up=4)
    for step, share in ((0, 0.25), (1, 0.5), (3, 1), (50, 1)):
        missing = plain - loss_of(warming, patterns, step)
        assert missing == pytest.approx((1 - share) * cost, rel=1e-2, abs=1e-6)


def test_noise_is_that_of_the_generator(vae, patterns):
    objective = VaeObjective(vae)
    assert loss_of(objective, patterns, seed=1) == loss_of(objective, patterns, seed=1)
    assert loss_of(objective, patterns, seed=1) != loss_of(objective, patterns, seed=2)


def test_what_lies_outside_the_mask_does_not_count(vae, patterns, mask):
    # Nothing is decoded there: a decoder that is wrong outside the mask costs nothing.
    decoded = vae.decode(torch.randn(4, 16)).detach().numpy()
    assert (decoded[:, ~mask] == 0).all()
    assert (decoded[:, mask] != 0).any()


def test_an_unknown_likelihood_is_refused(vae):
    with pytest.raises(ValueError, match="'laplace': choose calibrated or unit"):
        VaeObjective(vae, "laplace")


def encoder_of(vae, mask):
    return VaeEncoder(vae, Recipe(size=(60, 60), mask=mask), {"scans": [{"name": "nickel"}]})


def test_features_are_posterior_means_in_batches_of_any_size(vae, patterns, mask):
    encoder = encoder_of(vae, mask)
    many = np.tile(patterns, (25, 1, 1))  # more than a batch
    features = encoder.encode(many)
    assert features.shape == (300, 16)
    assert features.dtype == np.float32
    mean = vae.encode(torch.from_numpy(patterns))[0].detach().numpy()
    np.testing.assert_allclose(features, np.tile(mean, (25, 1)), atol=1e-5)
    decoded = encoder.decode(features[:2])
    assert decoded.shape == (2, 60, 60)
    assert (decoded[:, ~mask] == 0).all()
    assert encoder.encode(patterns[:0]).shape == (0, 16)
    assert encoder.decode(features[:0]).shape == (0, 60, 60)


def test_half_precision_and_read_only_patterns_are_encoded(vae, patterns, mask):
    half = patterns.astype(np.float16)
    half.setflags(write=False)
    encoder = encoder_of(vae, mask)
    np.testing.assert_allclose(encoder.encode(half), encoder.encode(patterns), atol=2e-2)


def test_a_saved_encoder_loads_with_the_same_features(vae, patterns, mask, tmp_path):
    path = tmp_path / "model.safetensors"
    encoder = encoder_of(vae, mask)
    encoder.save(path)
    loaded = load_encoder(path, device="cpu")
    assert (loaded.kind, loaded.latent, loaded.architecture) == ("vae", 16, ARCHITECTURE)
    assert loaded.provenance == {"scans": [{"name": "nickel"}]}
    np.testing.assert_array_equal(loaded.recipe.mask, mask)
    features = encoder.encode(patterns)
    np.testing.assert_array_equal(loaded.encode(patterns), features)
    np.testing.assert_array_equal(loaded.decode(features), encoder.decode(features))


def test_an_encoder_travels_to_another_process(vae, patterns, mask):
    encoder = encoder_of(vae, mask)
    copy = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(copy.encode(patterns), encoder.encode(patterns))


def test_a_model_file_that_lacks_weights_is_refused(vae, mask, tmp_path):
    path = tmp_path / "model.safetensors"
    encoder_of(vae, mask).save(path)
    model = read_model(path)
    tensors = dict(model.tensors)
    lost = sorted(tensors)[0]
    del tensors[lost]
    write_model(path, StoredModel("vae", model.architecture, model.recipe, tensors))
    with pytest.raises(ModelFileError, match=f"1 are missing.*{lost}"):
        load_encoder(path)


def test_an_absent_device_is_named(vae, mask, tmp_path):
    encoder_of(vae, mask).save(tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"device 'abacus' is not available.*cpu or auto"):
        load_encoder(tmp_path / "model.safetensors", device="abacus")


@pytest.mark.parametrize(
    ("architecture", "told"),
    [
        ({"design": "quick"}, "lacks 'latent'"),
        ({"design": "of tomorrow", "latent": 16}, "'of tomorrow'.*Update napari-kikuchi"),
    ],
)
def test_an_architecture_that_cannot_be_built_names_the_file(mask, tmp_path, architecture, told):
    recipe = Recipe(size=(60, 60), mask=mask)
    write_model(tmp_path / "m.safetensors", StoredModel("vae", architecture, recipe, {}))
    with pytest.raises(ModelFileError, match=rf"m\.safetensors: .*{told}"):
        load_encoder(tmp_path / "m.safetensors")
