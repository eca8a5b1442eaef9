import numpy as np
import pytest
import torch

from napari_kikuchi.microstructure.grain_attention import GrainAttention

HALVES = torch.where(torch.arange(24) < 11, -0.6, 0.7).expand(2, 4, 20, 24)


def by_hand(attention, values, features, row, col):
    """The mean of one pixel, in float64, from the definition."""
    steepness = float(attention.steepness.detach().exp())
    nearness = attention.nearness.detach().double().numpy().reshape(11, 11)
    centre = nearness.shape[0] // 2
    top, left = row // 4 * 4 - 2, col // 4 * 4 - 2
    weights, held = [], []
    for y in range(top, top + 8):
        for x in range(left, left + 8):
            inside = (min(max(y, 0), values.shape[1] - 1), min(max(x, 0), values.shape[2] - 1))
            value, feature = values[:, *inside], features[:, *inside]
            distance = ((value - values[:, row, col]) ** 2).sum()
            alike = float(attention.features.detach()) * feature @ features[:, row, col]
            near = nearness[y - row + centre, x - col + centre]
            weights.append(np.exp(near - steepness * distance + alike))
            held.append(value)
    return np.average(held, axis=0, weights=weights)


@pytest.mark.parametrize("size", [(8, 12), (10, 7)])
def test_means_are_those_of_their_definition(size):
    torch.manual_seed(0)
    attention = GrainAttention()
    with torch.no_grad():
        attention.nearness += torch.randn_like(attention.nearness)
        attention.features *= 2
    values, features = torch.rand(2, 3, *size), torch.randn(2, 5, *size)
    found = attention(values, features).detach().numpy()
    for number, row, col in [(0, 0, 0), (0, 5, 3), (1, size[0] - 1, size[1] - 1), (1, 3, 6)]:
        expected = by_hand(
            attention, values[number].double().numpy(), features[number].double().numpy(), row, col
        )
        np.testing.assert_allclose(found[number, :, row, col], expected, atol=1e-5)


def test_large_pictures_are_looked_at_in_bands(monkeypatch):
    torch.manual_seed(0)
    attention = GrainAttention()
    values, features = torch.rand(2, 3, 22, 9), torch.randn(2, 5, 22, 9)
    whole = attention(values, features)
    monkeypatch.setattr("napari_kikuchi.microstructure.grain_attention._BAND", 8)
    torch.testing.assert_close(attention(values, features), whole)


def test_noise_goes_and_borders_stay():
    torch.manual_seed(0)
    noisy = HALVES + 0.15 * torch.randn(HALVES.shape)
    found = GrainAttention()(noisy, torch.zeros(2, 1, 20, 24)).detach()
    assert (found - HALVES).std() < 0.4 * (noisy - HALVES).std()
    assert (found[..., 10] - HALVES[..., 10]).abs().mean() < 0.1
    assert (found[..., 11] - HALVES[..., 11]).abs().mean() < 0.1


def test_features_tell_apart_what_looks_the_same():
    """Noise hides a border from the values, but not from the features."""
    torch.manual_seed(0)
    noisy = HALVES + torch.randn(HALVES.shape)
    blind, seeing = torch.zeros(2, 1, 20, 24), 4 * HALVES[:, :1].sign()
    attention = GrainAttention()
    with torch.no_grad():
        attention.steepness -= 4
    errors = [
        float((attention(noisy, one) - HALVES).detach()[..., 9:13].square().mean())
        for one in (blind, seeing)
    ]
    assert errors[1] < 0.8 * errors[0]


def test_no_value_leaves_the_range_of_those_around():
    torch.manual_seed(0)
    values = torch.rand(1, 2, 9, 9)
    found = GrainAttention()(values, torch.randn(1, 3, 9, 9))
    assert values.min() <= found.min() <= found.max() <= values.max()
