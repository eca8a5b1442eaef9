"""How spots are found in patterns: what a person may choose, without what computes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from napari_kikuchi.untrusted import integer, mapping, number, positive


@dataclass(frozen=True)
class Detection:
    """How spots are found.

    Attributes
    ----------
    radius
        Of a spot, in pixels.
    least
        Spots below this share of the strongest one are none; the direct beam is a spot, too.
    least_noise
        Nor are those below so many standard deviations of what is counted there.
    spacing
        Of two spots the weaker one is none if they are nearer than this, in pixels; None: the
        diameter of a spot.
    most
        Of a pattern; the weakest above that number are left out.

    Raises
    ------
    ValueError
        If the radius or the number of spots is not above 0.
    """

    radius: float
    least: float = 0.005
    least_noise: float = 4.0
    spacing: float | None = None
    most: int = 64

    def __post_init__(self) -> None:
        if not self.radius > 0:
            raise ValueError(f"a spot needs a radius above 0 pixels, not {self.radius}")
        if self.most < 1:
            raise ValueError(f"at least 1 spot must be allowed in a pattern, not {self.most}")

    def settings(self) -> dict[str, Any]:
        """All of it, fit for JSON."""
        return asdict(self)

    @classmethod
    def from_settings(cls, settings: Any) -> Detection:
        """Read what :meth:`settings` gave, which others may have written.

        Raises
        ------
        ValueError
            If something is missing, of another type or out of its limits.
        """
        found = mapping(settings, "how spots were found")
        spacing = found.get("spacing")
        return cls(
            positive(found.get("radius"), "the radius of a spot"),
            number(found.get("least"), "the share of the weakest spot", 0),
            number(found.get("least_noise"), "the noise that a spot exceeds", 0),
            None if spacing is None else number(spacing, "the spacing of spots", 0),
            integer(found.get("most"), "the most spots of a pattern", 1),
        )
