"""Generators whose pictures can be tiled."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TypeVar

from torch import nn

from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.grain_attention import GrainAttention

Network = TypeVar("Network", bound=nn.Module)


def tiling(generator: MicrostructureGenerator) -> MicrostructureGenerator:
    """A generator that sees the opposite edge beyond each edge."""
    control = generator.control
    return replace(
        generator,
        network=_circular(generator.network),
        control=control and replace(control, network=_circular(control.network)),
    )


def _circular(network: Network) -> Network:
    """A copy that sees the opposite edge beyond each edge."""
    copied = copy.deepcopy(network)
    for one in copied.modules():
        if isinstance(one, nn.Conv2d | GrainAttention):
            one.padding_mode = "circular"
    return copied
