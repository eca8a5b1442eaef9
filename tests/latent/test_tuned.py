"""Networks rewritten for a processor compute what they did."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_kikuchi.latent.networks import build_networks
from napari_kikuchi.latent.presets import preset
from napari_kikuchi.latent.tuned import Fourier, Packed, Phases, tuned
from napari_kikuchi.latent.vae import Vae, VaeEncoder
from napari_kikuchi.recipe import Recipe


@pytest.fixture(autouse=True)
def _inference():
    torch.manual_seed(0)
    with torch.inference_mode():
        yield


def difference(found, expected):
    """The largest, over the range of what is expected."""
    assert found.shape == expected.shape
    return float((found - expected).abs().max() / (expected.max() - expected.min()))


@pytest.mark.parametrize("latent", [16, 32, 64, 128])
def test_published_networks_give_the_same_to_rounding(latent):
    encoder, decoder = build_networks(preset(f"published-{latent}"))
    for network, example in (
        (encoder, torch.rand(2, 1, 120, 120) * 2 - 1),
        (decoder, torch.randn(2, latent)),
    ):
        assert difference(tuned(network, example)(example), network(example)) < 2e-5


@pytest.mark.parametrize("channels", [1, 2, 4, 8, 3])
@pytest.mark.parametrize("size", [16, 27])
@pytest.mark.parametrize("options", [{"padding": "same"}, {"padding": 4}, {"stride": 2}])
def test_packed_convolutions_are_the_convolutions(channels, size, options):
    layer = nn.Conv2d(3, channels, 9, **options)
    x = torch.rand(2, 3, size, size)
    assert difference(Packed(layer)(x), layer(x)) < 1e-6


@pytest.mark.parametrize("size", [8, 11, 24])
@pytest.mark.parametrize("padding", [0, 2, 4])
def test_fourier_convolutions_are_the_convolutions(size, padding):
    layer = nn.Conv2d(5, 7, 9 if padding else 5, padding=padding)
    x = torch.rand(2, 5, size, size)
    assert difference(Fourier(layer.weight, layer.bias, padding, size)(x), layer(x)) < 1e-5


@pytest.mark.parametrize("kernel", [4, 8, 9])
@pytest.mark.parametrize(("crop", "extra"), [(0, 0), (2, 0), (1, 1)])
def test_transposed_convolutions_are_convolutions_of_four_phases(kernel, crop, extra):
    layer = nn.ConvTranspose2d(6, 4, kernel, 2, padding=crop, output_padding=extra)
    x = torch.rand(2, 6, 11, 11)
    assert difference(Phases(layer)(x), layer(x)) < 1e-6


def test_each_convolution_takes_the_way_that_is_shorter_for_it():
    def kinds(latent):
        encoder, decoder = build_networks(preset(f"published-{latent}"))
        networks = (
            tuned(encoder, torch.rand(1, 1, 120, 120)),
            tuned(decoder, torch.randn(1, latent)),
        )
        return [
            [sum(isinstance(m, kind) for m in network.modules()) for kind in (Packed, Fourier)]
            for network in networks
        ]

    # Packed: those of fewer than 16 channels. Fourier: of many, on images that are not tiny.
    assert kinds(32) == [[2, 0], [2, 0]]
    assert kinds(128) == [[0, 3], [0, 3]]


def test_an_encoder_on_a_processor_gives_what_its_plain_network_does():
    mask = np.hypot(*(np.mgrid[:120, :120] - 59.5)) < 58
    vae = Vae(preset("published-16"), mask)
    encoder = VaeEncoder(vae, Recipe(size=(120, 120), mask=mask))
    patterns = (torch.rand(70, 120, 120) * 2 - 1) * vae.mask  # more than a batch
    features = torch.from_numpy(encoder.encode(patterns.numpy()))
    assert difference(features, vae.encode(patterns)[0]) < 1e-5
    decoded = torch.from_numpy(encoder.decode(features.numpy()))
    assert difference(decoded, vae.decode(features)) < 1e-5


def test_an_encoder_on_a_processor_leaves_its_network_as_it_is():
    mask = np.ones((120, 120), bool)
    vae = Vae(preset("published-16"), mask)
    before = {name: value.clone() for name, value in vae.state_dict().items()}
    VaeEncoder(vae, Recipe(size=(120, 120), mask=mask)).encode(np.zeros((1, 120, 120), np.float32))
    after = vae.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
