"""The networks inside a variational autoencoder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from napari_kikuchi.latent.layers import Shortcut, residual_block
from napari_kikuchi.latent.presets import Architecture
from napari_kikuchi.latent.principal import PrincipalDecoder, PrincipalEncoder

# Of the published network's LeakyReLU.
_SLOPE = 0.2
# Of the quick one: channels after the first convolution, width of the connected layers.
_QUICK_CHANNELS = 24
_QUICK_WIDTH = 256


def build_networks(architecture: Architecture) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder of an architecture, with fresh weights.

    Returns
    -------
    encoder
        From patterns (n, 1, height, width) to the means and log-variances of their features,
        (n, 2 x latent).
    decoder
        From features (n, latent) to patterns (n, 1, height, width).

    Raises
    ------
    ValueError
        If the design is unknown.
    """
    designs: dict[str, tuple[Callable[[int], nn.Module], Callable[[int], nn.Module]]] = {
        "published": (published_encoder, published_decoder),
        "quick": (quick_encoder, quick_decoder),
        "principal": (
            partial(PrincipalEncoder, size=architecture.size),
            partial(PrincipalDecoder, size=architecture.size),
        ),
    }
    if architecture.design not in designs:
        raise ValueError(
            f"unknown design {architecture.design!r}; this napari-kikuchi knows "
            f"{', '.join(designs)}"
        )
    encoder, decoder = designs[architecture.design]
    return encoder(architecture.latent), decoder(architecture.latent)


def published_encoder(latent: int) -> nn.Sequential:
    """Encoder of Calvat et al. 2025, Table 2.

    9 x 9 convolutions of stride 2, each followed by one with a shortcut, lead from 120 x 120
    over 56 x 56, 24 x 24 and 8 x 8 to 1 x 1.
    """
    k = latent // 4
    layers: list[nn.Module] = []
    for channels_in, channels in ((1, k), (k, 2 * k), (2 * k, 4 * k)):
        layers += [nn.Conv2d(channels_in, channels, 9, stride=2), nn.LeakyReLU(_SLOPE)]
        layers += [_same(channels)]
    layers += [nn.Conv2d(4 * k, 8 * k, 8), nn.LeakyReLU(_SLOPE), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(8 * k, 2 * latent))


def published_decoder(latent: int) -> nn.Sequential:
    """Decoder of Calvat et al. 2025, Table 2.

    From 4 x 4, transposed 9 x 9 convolutions of stride 2, each followed by a convolution with a
    shortcut, lead over 11 x 11, 27 x 27 and 61 x 61 to 120 x 120.
    """
    layers: list[nn.Module] = [nn.Linear(latent, 16 * latent), nn.Unflatten(1, (latent, 4, 4))]
    # Crops and output padding that give the published sizes.
    crops = ((2, 0), (1, 0), (0, 0), (5, 1))
    widths = (latent, latent, latent // 2, latent // 4, latent // 8)
    for channels_in, channels, (crop, extra) in zip(widths, widths[1:], crops, strict=False):
        layers += [
            nn.ConvTranspose2d(channels_in, channels, 9, 2, padding=crop, output_padding=extra),
            nn.LeakyReLU(_SLOPE),
            _same(channels),
        ]
    return nn.Sequential(*layers, nn.Conv2d(latent // 8, 1, 1), nn.Tanh())


def _same(channels: int) -> Shortcut:
    return Shortcut(nn.Conv2d(channels, channels, 9, padding="same"), nn.LeakyReLU(_SLOPE))


def quick_encoder(latent: int) -> nn.Sequential:
    """Encoder for patterns of 60 x 60 pixels.

    Three strided convolutions see what is local; what a band is, right across the screen, is left
    to fully connected layers behind them, which cost little.
    """
    k = _QUICK_CHANNELS
    return nn.Sequential(
        nn.Conv2d(1, k, 6, 3, padding=2),  # 20 x 20
        nn.GELU(),
        nn.Conv2d(k, 2 * k, 4, 2, padding=1),  # 10 x 10
        nn.GELU(),
        nn.Conv2d(2 * k, 4 * k, 4, 2, padding=1),  # 5 x 5
        nn.GELU(),
        nn.Flatten(),
        nn.Linear(100 * k, _QUICK_WIDTH),
        residual_block(_QUICK_WIDTH),
        nn.LayerNorm(_QUICK_WIDTH),
        nn.Linear(_QUICK_WIDTH, 2 * latent),
    )


def quick_decoder(latent: int) -> nn.Sequential:
    """Decoder for patterns of 60 x 60 pixels, the way back of :func:`quick_encoder`."""
    k = _QUICK_CHANNELS
    return nn.Sequential(
        nn.Linear(latent, _QUICK_WIDTH),
        residual_block(_QUICK_WIDTH),
        residual_block(_QUICK_WIDTH),
        nn.LayerNorm(_QUICK_WIDTH),
        nn.Linear(_QUICK_WIDTH, 100 * k),
        nn.GELU(),
        nn.Unflatten(1, (4 * k, 5, 5)),
        nn.ConvTranspose2d(4 * k, 2 * k, 4, 2, padding=1),  # 10 x 10
        nn.GELU(),
        nn.ConvTranspose2d(2 * k, k, 4, 2, padding=1),  # 20 x 20
        nn.GELU(),
        nn.ConvTranspose2d(k, 1, 6, 3, padding=2, output_padding=1),  # 60 x 60
        nn.Tanh(),
    )
