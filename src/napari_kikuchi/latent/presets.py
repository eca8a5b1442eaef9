"""Named architectures: the published network, and light ones for a laptop's processor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from napari_kikuchi.untrusted import integer, shown, text

# With fewer features a design has layers without channels.
_LEAST_LATENT = {"published": 8, "quick": 1, "principal": 2}
# Ten times as many as any map is divided into.
_MOST_LATENT = 4096


@dataclass(frozen=True)
class Architecture:
    """All that is needed to build a network.

    Attributes
    ----------
    design
        ``"published"``: the network of Calvat et al. 2025, for patterns of 120 x 120 pixels.
        ``"quick"``: a small convolutional one for patterns of 60 x 60 pixels.
        ``"principal"``: connected layers behind principal components of patterns of 60 x 60
        pixels, which train in minutes on a processor.
    latent
        Number of latent features.
    """

    design: Literal["published", "quick", "principal"]
    latent: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the patterns it reads, in pixels."""
        return (120, 120) if self.design == "published" else (60, 60)

    @property
    def name(self) -> str:
        """What presets call it."""
        return f"{self.design}-{self.latent}"

    def settings(self) -> dict[str, Any]:
        """The architecture, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Architecture:
        """Build an architecture from what :meth:`settings` gave, whoever has changed it since.

        Raises
        ------
        ValueError
            If the design is none, or no network of it has so many features.
        """
        design = text(settings.get("design"), "the design in the architecture")
        if design not in _LEAST_LATENT:
            raise ValueError(
                f"unknown design {shown(design)}; this napari-kikuchi knows "
                f"{', '.join(_LEAST_LATENT)}. Update napari-kikuchi"
            )
        latent = settings.get("latent")
        least = _LEAST_LATENT[design]
        return cls(
            cast("Any", design),
            integer(latent, "latent in the architecture", least, _MOST_LATENT),
        )


_ARCHITECTURES = (
    *(Architecture("principal", latent) for latent in (16, 32, 64, 128)),
    *(Architecture("quick", latent) for latent in (16, 32, 64, 128)),
    *(Architecture("published", latent) for latent in (16, 32, 64, 128, 256)),
)
# Learns most in the minutes that people wait, see benchmarks/README.md.
DEFAULT_PRESET = "principal-32"
PRESETS = {architecture.name: architecture for architecture in _ARCHITECTURES}


def preset(name: str) -> Architecture:
    """Architecture of a preset.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise ValueError(
            f"there is no preset {name!r}; choose one of {', '.join(PRESETS)}"
        ) from None
