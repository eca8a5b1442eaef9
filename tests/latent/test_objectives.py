"""Each loss against torch's own distributions or a computation by hand."""

import math

import numpy as np
import pytest
import torch
from pytorch_metric_learning.losses import NTXentLoss
from torch.distributions import Normal, kl_divergence

from napari_kikuchi.latent.augment import augment
from napari_kikuchi.latent.objectives import (
    ContrastiveObjective,
    VaeObjective,
    contrastive_loss,
    make_objective,
)


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


def test_an_unknown_likelihood_is_refused(vae):
    with pytest.raises(ValueError, match="'laplace': choose calibrated or unit"):
        VaeObjective(vae, "laplace")


def cosine(a, b):
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def contrast_by_hand(one, other, temperature):
    """Equation 1 of Chen et al. 2020, term by term."""
    vectors, n = [*one, *other], len(one)
    losses = []
    for i, vector in enumerate(vectors):
        weights = [
            math.exp(cosine(vector, another) / temperature) if j != i else 0
            for j, another in enumerate(vectors)
        ]
        losses.append(-math.log(weights[(i + n) % (2 * n)] / sum(weights)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_the_contrastive_loss_is_that_of_simclr(temperature):
    one, other = np.random.default_rng(0).normal(size=(2, 7, 5))
    found = contrastive_loss(torch.from_numpy(one), torch.from_numpy(other), temperature)
    assert float(found) == pytest.approx(contrast_by_hand(one, other, temperature), rel=1e-6)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_the_contrastive_loss_and_its_gradient_are_those_of_another_library(temperature):
    vectors = np.random.default_rng(1).normal(size=(2, 32, 16))
    ours, theirs = (torch.tensor(vectors, requires_grad=True) for _ in range(2))
    found = contrastive_loss(*ours, temperature)
    partners = torch.arange(32).repeat(2)
    expected = NTXentLoss(temperature)(theirs.flatten(0, 1), partners)
    torch.testing.assert_close(found, expected)
    found.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_partners_alike_and_others_apart_cost_nothing():
    one = torch.eye(4)
    assert contrastive_loss(one, one, 0.01) < 1e-6
    assert contrastive_loss(one, one.roll(1, 0), 0.01) > 10


def test_two_views_share_the_bound_and_are_compared(vae, patterns, mask):
    torch.manual_seed(1)
    objective = ContrastiveObjective(vae, "unit", beta=2.0, weight=3.0, temperature=0.3)
    generator = torch.Generator().manual_seed(3)
    x = torch.from_numpy(patterns)
    views = [augment(x, vae.mask, generator) for _ in range(2)]
    squares, divergences, projected = [], [], []
    noise = torch.randn((2 * len(x), 16), generator=generator).chunk(2)
    for view, own_noise in zip(views, noise, strict=True):
        mean, log_variance = vae.encode(view)
        posterior = Normal(mean, torch.exp(0.5 * log_variance))
        decoded = vae.decode(mean + own_noise * posterior.stddev)
        squares.append(((decoded - x)[:, vae.mask] ** 2).sum(dim=1))
        divergences.append(kl_divergence(posterior, Normal(0.0, 1.0)).sum(dim=1))
        projected.append(objective.projection(mean).detach().numpy())
    expected = (
        0.5 * torch.cat(squares).mean()
        + 2 * torch.cat(divergences).mean()
        + 3 * contrast_by_hand(*projected, 0.3)
    ) / mask.sum()
    assert loss_of(objective, patterns) == pytest.approx(float(expected.detach()), rel=1e-4)


def test_the_projection_is_trained_and_not_part_of_the_encoder(vae, patterns):
    objective = ContrastiveObjective(vae)
    objective(torch.from_numpy(patterns), torch.Generator().manual_seed(0), 0).backward()
    assert all(parameter.grad.any() for parameter in objective.projection.parameters())
    assert not any("projection" in name for name in vae.state_dict())


def test_objectives_have_names(vae):
    assert type(make_objective("vae", vae, "unit", 4.0, 7)) is VaeObjective
    made = make_objective("contrastive", vae, "unit", 4.0, 7)
    assert isinstance(made, ContrastiveObjective)
    assert (made.likelihood, made.beta, made.kl_warm_up) == ("unit", 4.0, 7)
    with pytest.raises(ValueError, match="'gan': choose vae or contrastive"):
        make_objective("gan", vae, "unit", 1.0, 0)
