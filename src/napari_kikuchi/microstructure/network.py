"""The network that turns noise into microstructures, around whatever is known of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from napari_kikuchi.microstructure.grain_attention import GrainAttention
from napari_kikuchi.microstructure.latents import shuffled_in, shuffled_out
from napari_kikuchi.microstructure.noising import PROCESSES, first_guess
from napari_kikuchi.microstructure.pictures import CHANNELS
from napari_kikuchi.untrusted import integer, mapping, sequence

_MOST_LEVELS, _MOST_WIDTH, _MOST_LAYERS, _MOST_BLOCK, _MOST_ROUNDS = 8, 2048, 8, 16, 16
_NORMALISED = 8
# Of each pixel, by which those are found that belong together.
_FEATURES = 8
#: Times run from 0 to 1; their sines in the network want to run further.
TIMES = 1000


@dataclass(frozen=True)
class GeneratorArchitecture:
    """Of a network.

    Attributes
    ----------
    widths
        Features at each level; each has half the pixels of the one before along either side.
        Multiples of 8.
    layers
        Blocks of convolutions on each level.
    block
        Pixels along the sides of a block of a picture that is one place of its latents.
    rounds
        How often pixels become means of those that belong with them, at the end.
    process
        One of :data:`~napari_kikuchi.microstructure.noising.PROCESSES`.
    """

    widths: tuple[int, ...] = (32, 64, 96)
    layers: int = 1
    block: int = 2
    rounds: int = 3
    process: str = "flow"

    @property
    def multiple(self) -> int:
        """Of which the sides of pictures must be multiples, in pixels."""
        return self.block * 2 ** (len(self.widths) - 1)

    def settings(self) -> dict[str, Any]:
        """All of it, fit for JSON."""
        return {**asdict(self), "widths": list(self.widths)}

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> GeneratorArchitecture:
        """Read what :meth:`settings` gave, whoever has changed it since.

        Raises
        ------
        ValueError
            If a setting is missing or is none.
        """
        settings = mapping(settings, "the architecture")
        listed = sequence(settings.get("widths"), "the widths of the architecture")
        widths = tuple(
            integer(one, "a width of the architecture", _NORMALISED, _MOST_WIDTH) for one in listed
        )
        if not 1 <= len(widths) <= _MOST_LEVELS or any(one % _NORMALISED for one in widths):
            raise ValueError(
                f"expected 1 to {_MOST_LEVELS} widths, multiples of {_NORMALISED}, found {widths}"
            )
        process = settings.get("process")
        if process not in PROCESSES:
            raise ValueError(f"the process: expected one of {', '.join(PROCESSES)}")
        layers = integer(settings.get("layers"), "the layers of a level", 1, _MOST_LAYERS)
        block = integer(settings.get("block"), "the block of the architecture", 1, _MOST_BLOCK)
        rounds = integer(settings.get("rounds"), "the rounds of the architecture", 0, _MOST_ROUNDS)
        return cls(widths, layers, block, rounds, process)


class GeneratorNetwork(nn.Module):
    """From noised latents to those of a microstructure.

    Parameters
    ----------
    architecture
        Of the network.
    """

    def __init__(self, architecture: GeneratorArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.process = PROCESSES[architecture.process]()
        levels, pixels = len(architecture.widths), architecture.block**2
        unet: Any = UNet2DConditionModel(
            in_channels=pixels * (CHANNELS + 1),
            out_channels=pixels * (CHANNELS + _FEATURES),
            down_block_types=("DownBlock2D",) * levels,
            up_block_types=("UpBlock2D",) * levels,
            # No attention: what is learned of small pictures holds for larger ones.
            mid_block_type="UNetMidBlock2D",
            block_out_channels=architecture.widths,
            layers_per_block=architecture.layers,
            norm_num_groups=_NORMALISED,
        )
        # Processors take a sixth less time for it.
        self.unet = unet.to(memory_format=torch.channels_last)
        self.rounds = nn.ModuleList(GrainAttention() for _ in range(architecture.rounds))

    def forward(
        self,
        noised: Tensor,
        unknown: Tensor,
        times: Tensor,
        residuals: tuple[Sequence[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """The latents that were noised.

        Parameters
        ----------
        noised
            Latents, noised where they are unknown and as they are elsewhere, of shape (n, channels,
            rows, columns); 4 channels for each pixel of a block.
        unknown
            1 where pixels are unknown, 0 elsewhere; one channel for each pixel of a block.
        times
            How much noise there is, 0 to 1, of shape (n,).
        residuals
            Added to what goes over from each level's way down to its way up, and in the middle;
            see :class:`~napari_kikuchi.microstructure.control_network.ControlNetwork`.

        Returns
        -------
        torch.Tensor
            Of the shape of ``noised``.
        """
        read = torch.cat([noised, unknown], dim=1).to(memory_format=torch.channels_last)
        over, middle = residuals or (None, None)
        told = self.unet(
            read,
            TIMES * times,
            encoder_hidden_states=None,
            down_block_additional_residuals=over,
            mid_block_additional_residual=middle,
        ).sample
        block = self.architecture.block
        told = shuffled_in(told, block)
        change, features = told[:, :CHANNELS], told[:, CHANNELS:]
        pixels, holes = shuffled_in(noised, block), shuffled_in(unknown, block)
        # What is known is right, and the grains around are its own.
        found = torch.where(holes > 0, first_guess(self.process, pixels, change, times), pixels)
        for means in self.rounds:
            found = means(found, features)
        return shuffled_out(found, block)
