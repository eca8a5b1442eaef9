"""The networks: those of the publication to the parameter, and what presets promise."""

import re

import pytest
import torch

from napari_kikuchi.latent.networks import build_networks
from napari_kikuchi.latent.presets import PRESETS, Architecture, preset

# Trainable parameters of encoder and decoder, computed from Table 2 of Calvat et al. 2025.
PUBLISHED = {
    16: (74_412, 66_299),
    32: (296_760, 264_557),
    64: (1_185_264, 1_056_953),
    128: (4_737_504, 4_225_265),
    256: (18_942_912, 16_895_969),
}


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def sizes(network, x):
    """Heights of the images that pass between layers, each once."""
    seen = []
    for layer in network:
        x = layer(x)
        if x.ndim == 4 and seen[-1:] != [x.shape[-1]]:
            assert x.shape[-1] == x.shape[-2]
            seen.append(x.shape[-1])
    return seen


@pytest.mark.parametrize("latent", PUBLISHED)
def test_published_networks_have_the_published_parameters(latent):
    with torch.device("meta"):
        networks = build_networks(preset(f"published-{latent}"))
    assert tuple(map(parameters, networks)) == PUBLISHED[latent]


def test_published_layers_have_the_published_sizes():
    encoder, decoder = build_networks(preset("published-16"))
    assert sizes(encoder, torch.zeros(1, 1, 120, 120)) == [56, 24, 8, 1]
    assert sizes(decoder, torch.zeros(1, 16)) == [4, 11, 27, 61, 120]


def test_published_shortcuts_add_their_input():
    # With the convolution of a shortcut at zero the layer hands its input on.
    encoder, _ = build_networks(preset("published-16"))
    shortcuts = [layer for layer in encoder if hasattr(layer, "layers")]
    assert len(shortcuts) == 3
    x = torch.rand(1, 4, 56, 56)
    for parameter in shortcuts[0].parameters():
        torch.nn.init.zeros_(parameter)
    assert torch.equal(shortcuts[0](x), x)


@pytest.mark.parametrize("name", ["quick-16", "quick-64", "published-16"])
def test_networks_lead_from_patterns_to_features_and_back(name):
    architecture = preset(name)
    encoder, decoder = build_networks(architecture)
    with torch.inference_mode():
        moments = encoder(torch.rand(3, 1, *architecture.size) * 2 - 1)
        patterns = decoder(torch.randn(3, architecture.latent) * 5)
    assert moments.shape == (3, 2 * architecture.latent)
    assert patterns.shape == (3, 1, *architecture.size)
    assert patterns.abs().max() <= 1


def test_every_feature_and_every_pixel_is_in_use():
    for name in ("quick-16", "published-16"):
        architecture = preset(name)
        encoder, decoder = build_networks(architecture)
        pattern = torch.rand(1, 1, *architecture.size, requires_grad=True)
        encoder(pattern).square().sum().backward()
        # The last row and column of 120 do not fit the published strides.
        assert (pattern.grad[..., :-2, :-2] != 0).float().mean() > 0.99
        features = torch.randn(1, architecture.latent, requires_grad=True)
        decoder(features).square().sum().backward()
        assert (features.grad != 0).all()


def test_presets_are_named_after_design_and_latent_size():
    assert list(PRESETS) == [
        *("principal-16", "principal-32", "principal-64", "principal-128"),
        *("quick-16", "quick-32", "quick-64", "quick-128"),
        *(f"published-{latent}" for latent in PUBLISHED),
    ]
    for name, architecture in PRESETS.items():
        assert architecture.name == name
        assert architecture.size == ((120, 120) if name.startswith("published") else (60, 60))
        assert Architecture.from_settings(architecture.settings()) == architecture


def test_an_unknown_preset_lists_those_there_are():
    with pytest.raises(
        ValueError, match=re.escape("no preset 'quick-7'; choose one of principal-16")
    ):
        preset("quick-7")


def test_an_unknown_design_is_named():
    with pytest.raises(ValueError, match="unknown design 'later'"):
        build_networks(Architecture("later", 16))
