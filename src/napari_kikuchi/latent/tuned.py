"""Convolutions rewritten so that a processor computes the same in less time.

A processor multiplies sixteen numbers at once and does well at convolutions of sixteen channels or
more. Those of fewer leave most of its lanes empty: :class:`Packed` gives it neighbouring pixels as
channels. Those of many large channels cost so many multiplications that a detour through Fourier
space, :class:`Fourier`, takes half the time. Transposed convolutions, which have no fast code at
all, become plain ones: :class:`Phases`. On graphics cards none of this pays.

Values agree with those of the plain network to rounding. The networks made here are for inference:
their weights are copies, worked out once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from scipy.fft import next_fast_len
from torch import nn
from torch.nn import functional

from napari_kikuchi.latent.layers import Shortcut

if TYPE_CHECKING:
    from torch import Tensor

# Numbers that a processor multiplies at once.
_LANES = 16
# From so many channels on, and so many rows of them, Fourier space is the shorter way: measured.
_FOURIER_CHANNELS = 32
_FOURIER_ROWS = 512


@torch.no_grad()
def tuned(network: nn.Sequential, example: Tensor) -> nn.Sequential:
    """The same network for inference on a processor.

    Parameters
    ----------
    network
        Its layers that are not convolutions, and the convolutions that are fast already, are
        taken as they are.
    example
        Input of the size that it is for, (n, channels, height, width) or (n, features).
    """
    layers: list[nn.Module] = []
    for layer in network:
        if isinstance(layer, Shortcut):
            layers.append(Shortcut(*tuned(layer.layers, example)))
        elif isinstance(layer, nn.Conv2d):
            layers.append(_convolution(layer, example.shape[-1]))
        elif isinstance(layer, nn.ConvTranspose2d):
            few = layer.stride == (2, 2) and layer.out_channels < _LANES
            layers.append(Phases(layer) if few else layer)
        elif isinstance(layer, nn.LeakyReLU):
            # What a convolution gave is nobody else's.
            layers.append(nn.LeakyReLU(layer.negative_slope, inplace=True))
        else:
            layers.append(layer)
        example = layer(example)
    return nn.Sequential(*layers)


def _convolution(layer: nn.Conv2d, size: int) -> nn.Module:
    if layer.padding == "same" and _is_long(layer.in_channels, size):
        return Fourier(layer.weight, layer.bias, _padding(layer), size)
    if layer.out_channels < _LANES and layer.kernel_size[0] > 1:
        return Packed(layer)
    return layer


def _is_long(channels: int, size: int) -> bool:
    """Whether a convolution is shorter in Fourier space."""
    return channels >= _FOURIER_CHANNELS and channels * size >= _FOURIER_ROWS


def _padding(layer: nn.Conv2d) -> int:
    if layer.padding == "same":
        return layer.kernel_size[0] // 2
    assert isinstance(layer.padding, tuple)
    return layer.padding[0]


class Packed(nn.Module):
    """A convolution of few channels, of which each gives several neighbours of a row at once.

    With the channels last, ``n`` neighbouring pixels of ``c`` channels lie in memory like one
    pixel of ``n * c`` channels: nothing is moved.

    Parameters
    ----------
    layer
        A convolution with a square kernel: valid, or of stride 1 and padded to the same size.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        stride, kernel, padding = layer.stride[0], layer.kernel_size[0], _padding(layer)
        self.outputs = max(1, _LANES // layer.out_channels)
        self.inputs = stride * self.outputs
        reach = (self.inputs - stride - padding + kernel - 1) // self.inputs
        before = -(-padding // self.inputs)
        weight = layer.weight.new_zeros(
            self.outputs,
            layer.out_channels,
            self.inputs,
            layer.in_channels,
            kernel,
            before + reach + 1,
        )
        for output in range(self.outputs):
            for tap in range(kernel):
                group, pixel = divmod(stride * output + tap - padding, self.inputs)
                weight[output, :, pixel, :, :, group + before] = layer.weight[..., tap]
        self.register_buffer("weight", _channels_last(weight.flatten(2, 3).flatten(0, 1)))
        self.register_buffer("bias", _bias(layer).repeat(self.outputs))
        self.stride, self.kernel, self.padding = stride, kernel, padding
        self.groups_before, self.groups_beyond = before, reach - before

    weight: Tensor
    bias: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """What the convolution makes of x, channels last."""
        width = (x.shape[3] + 2 * self.padding - self.kernel) // self.stride + 1
        # Whole groups, as many as are seen: zeros beyond the row, which are cropped afterwards.
        seen = -(-width // self.outputs) + self.groups_beyond
        x = functional.pad(x, (0, seen * self.inputs - x.shape[3]))
        groups = x.permute(0, 2, 3, 1).unflatten(2, (-1, self.inputs)).flatten(3)
        y = functional.conv2d(
            groups.permute(0, 3, 1, 2),
            self.weight,
            self.bias,
            stride=(self.stride, 1),
            padding=(self.padding, self.groups_before),
        )
        pixels = y.permute(0, 2, 3, 1).unflatten(3, (self.outputs, -1)).flatten(2, 3)
        return pixels[:, :, :width].permute(0, 3, 1, 2)


class Fourier(nn.Module):
    """A convolution of stride 1 as a product in Fourier space.

    Parameters
    ----------
    weight, bias
        Of shape (channels out, channels in, kernel, kernel) and (channels out,).
    padding
        Zeros on each side.
    size
        Height and width of what comes in.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, padding: int, size: int) -> None:
        super().__init__()
        kernel = weight.shape[-1]
        # What wraps around the edges falls on what is cropped.
        self.length = 2 * next_fast_len(-(-(size + padding) // 2))
        self.start = kernel - 1 - padding
        self.stop = size + padding
        spectrum = torch.fft.rfft2(weight.flip(2, 3), s=(self.length, self.length))
        # One matrix for each frequency.
        self.register_buffer("spectrum", spectrum.flatten(2).permute(2, 1, 0).contiguous())
        self.register_buffer("bias", weight.new_zeros(len(weight)) if bias is None else bias)

    spectrum: Tensor
    bias: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """What the convolution makes of x."""
        length, count = self.length, len(x)
        spectra = torch.fft.rfft2(x, s=(length, length))
        # Transposed as a matrix of two dimensions: of three torch would do it many times slower.
        by_frequency = spectra.flatten(2).flatten(0, 1).t().contiguous()
        products = torch.bmm(by_frequency.unflatten(1, (count, -1)), self.spectrum)
        spectra = products.flatten(1).t().contiguous().view(count, -1, length, length // 2 + 1)
        inside = slice(self.start, self.stop)
        rows = torch.fft.ifft(spectra, dim=2)[:, :, inside]
        y = torch.fft.irfft(rows, length)[..., inside]
        return y + self.bias[:, None, None]


class Phases(nn.Module):
    """A transposed convolution of stride 2 as a plain one and a shuffle.

    Even and odd rows and columns of what comes out are four images, each a convolution of what
    comes in with every other weight.

    Parameters
    ----------
    layer
        A transposed convolution with a square kernel and stride 2.
    """

    def __init__(self, layer: nn.ConvTranspose2d) -> None:
        super().__init__()
        kernel = layer.kernel_size[0]
        half = (kernel + 1) // 2
        plain = layer.weight.transpose(0, 1).flip(2, 3)
        # A kernel of odd length lacks the last weights of the odd phase.
        plain = functional.pad(plain, (kernel % 2, 0, kernel % 2, 0))
        phases = [plain[:, :, 1 - row :: 2, 1 - col :: 2] for row in range(2) for col in range(2)]
        weight = torch.cat(phases)
        self.register_buffer("weight", _channels_last(weight))
        self.register_buffer("bias", _bias(layer).repeat(4))
        self.padding = half - 1
        self.crop = int(layer.padding[0])
        self.beyond = kernel - 2 - 2 * self.crop + int(layer.output_padding[0])

    weight: Tensor
    bias: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """What the transposed convolution makes of x, channels last."""
        phases = functional.conv2d(x, self.weight, self.bias, padding=self.padding)
        # By hand: with the channels last torch's own shuffle takes longer than the convolution.
        shuffled = phases.permute(0, 2, 3, 1).unflatten(3, (2, 2, -1)).transpose(2, 3)
        y = shuffled.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)
        inside = slice(self.crop, self.crop + 2 * x.shape[-1] + self.beyond)
        return y[:, :, inside, inside]


def _bias(layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    return layer.weight.new_zeros(layer.out_channels) if layer.bias is None else layer.bias


def _channels_last(weight: Tensor) -> Tensor:
    return weight.contiguous(memory_format=torch.channels_last)
