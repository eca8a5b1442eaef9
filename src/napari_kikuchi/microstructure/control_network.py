"""The network that leads a generator towards what is wished for: a ControlNet.

After L. Zhang, A. Rao and M. Agrawala (ICCV 2023), as used for microstructures by equations 12 and
13 of Zhang, Long and Zhang (arXiv 2409.19133): a copy of the way down of the generator's network
reads what is wished for, too, and what it finds is added to what the generator finds there. It is
added through convolutions that start at zero, so that at first nothing changes; the generator
itself never does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import ControlNetModel
from torch import Tensor, nn

from napari_kikuchi.microstructure.network import TIMES, GeneratorArchitecture, GeneratorNetwork
from napari_kikuchi.microstructure.wishes import WISHES, channels
from napari_kikuchi.untrusted import mapping, sequence, shown

# Features of what is wished for, at all of its pixels; twice as many for each halving.
_FEATURES = 16


@dataclass(frozen=True)
class ControlArchitecture:
    """Of a network.

    Attributes
    ----------
    generator
        Of the generator that it leads; its block is a power of 2.
    wishes
        Those of :data:`~napari_kikuchi.microstructure.wishes.WISHES` that it is trained for.
    """

    generator: GeneratorArchitecture
    wishes: tuple[str, ...]

    def __post_init__(self) -> None:
        block = self.generator.block
        if block & (block - 1):
            raise ValueError(
                f"expected a generator whose blocks have 1, 2, 4, 8 or 16 pixels along their "
                f"sides, found {block}: others cannot be controlled"
            )
        if not self.wishes or any(name not in WISHES for name in self.wishes):
            raise ValueError(
                f"expected wishes among {', '.join(WISHES)}, found "
                f"{', '.join(self.wishes) or 'none'}"
            )

    def settings(self) -> dict[str, Any]:
        """All of it, fit for JSON."""
        return {"generator": self.generator.settings(), "wishes": list(self.wishes)}

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> ControlArchitecture:
        """Read what :meth:`settings` gave, whoever has changed it since.

        Raises
        ------
        ValueError
            If a setting is missing or is none.
        """
        settings = mapping(settings, "the architecture")
        generator = mapping(settings.get("generator"), "the architecture of the generator")
        names = sequence(settings.get("wishes"), "the wishes of the architecture")
        wishes = tuple(one if isinstance(one, str) else shown(one) for one in names)
        return cls(GeneratorArchitecture.from_settings(generator), wishes)


class ControlNetwork(nn.Module):
    """Of what a generator's network tells, makes what is wished for.

    Parameters
    ----------
    architecture
        Of the network.
    base
        The generator's network, of whose weights it starts as a copy; None: any weights.
    """

    def __init__(
        self, architecture: ControlArchitecture, base: GeneratorNetwork | None = None
    ) -> None:
        super().__init__()
        self.architecture = architecture
        halvings = architecture.generator.block.bit_length() - 1
        controlnet: Any = ControlNetModel.from_unet(
            (base or GeneratorNetwork(architecture.generator)).unet,
            conditioning_channels=2 * len(WISHES),
            conditioning_embedding_out_channels=tuple(
                _FEATURES * 2**number for number in range(halvings + 1)
            ),
        )
        # As the generator's network.
        self.controlnet = controlnet.to(memory_format=torch.channels_last)

    def forward(
        self,
        base: GeneratorNetwork,
        planes: Tensor,
        noised: Tensor,
        unknown: Tensor,
        times: Tensor,
    ) -> Tensor:
        """The latents that were noised, those of a microstructure that was wished for.

        Parameters
        ----------
        base
            The generator's network.
        planes
            What is wished for, of shape (n, 4, rows, columns) in pixels; see
            :meth:`~napari_kikuchi.microstructure.wishes.Wishes.planes`.
        noised, unknown, times
            As for :class:`~napari_kikuchi.microstructure.network.GeneratorNetwork`.

        Returns
        -------
        torch.Tensor
            Of the shape of ``noised``.
        """
        return base(noised, unknown, times, self._residuals(planes, noised, unknown, times))

    def _residuals(
        self, planes: Tensor, noised: Tensor, unknown: Tensor, times: Tensor
    ) -> tuple[Sequence[Tensor], Tensor]:
        return self.controlnet(
            torch.cat([noised, unknown], dim=1).to(memory_format=torch.channels_last),
            TIMES * times,
            encoder_hidden_states=None,
            controlnet_cond=channels(planes).to(memory_format=torch.channels_last),
            return_dict=False,
        )
