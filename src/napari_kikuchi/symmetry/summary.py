"""What a map of symmetry says, in words."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from napari_kikuchi.symmetry.map_readings import (
    CONFIDENCE,
    SYMMETRY,
    group_numbers,
    group_shares,
)
from napari_kikuchi.untrusted import mapping

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.symmetry.map_readings import SymmetryReading
    from napari_kikuchi.symmetry.references import Match

#: Symbols of the groups by number.
SYMBOLS = {
    221: "Pm-3m", 223: "Pm-3n", 225: "Fm-3m", 227: "Fd-3m", 229: "Im-3m", 230: "Ia-3d"
}  # fmt: skip
UNLIKE = "unlike cubic crystals"


def group_name(group: int) -> str:
    """A group's number with its symbol; what 0 stands for."""
    if group == 0:
        return UNLIKE
    return f"{group} ({SYMBOLS[group]})" if group in SYMBOLS else str(group)


def symmetry_told(stack: MapStack) -> list[str]:
    """Share of each group in a map of symmetry, and how sure it is; the most frequent first.

    Parameters
    ----------
    stack
        As :func:`~napari_kikuchi.symmetry.maps.symmetry_maps` makes it.
    """
    groups, confidence = (stack.map(stack.names.index(name)) for name in (SYMMETRY, CONFIDENCE))
    numbers = group_numbers(groups)
    lines = []
    for number, share in group_shares(numbers):
        line = f"{share:.1%} {group_name(number)}"
        if number:
            mean = confidence[numbers == number].mean()
            line += f", confidence {mean:.2f}"
        lines.append(line)
    return lines


def partners_told(provenance: Mapping[str, Any], group: int) -> str:
    """Which other groups look like a group, in words; empty if none does.

    Parameters
    ----------
    provenance
        Of a map of symmetry, whoever has changed it since.
    group
        Number of the group that was found.
    """
    settings = provenance.get("symmetry")
    if not isinstance(settings, Mapping):
        return ""
    partners = settings.get("partners")
    listed = partners.get(str(group)) if isinstance(partners, Mapping) else None
    if not isinstance(listed, Mapping) or not listed:
        return ""
    return (
        "Patterns of some phases of "
        + ", ".join(f"{group_name(int(other))}" for other in mapping(listed, "the partners"))
        + " look the same"
    )


def reading_told(reading: SymmetryReading) -> str:
    """What is known of a position, in words: its group, how sure that is, what else it may be."""
    told = group_name(reading.group)
    if not reading.group:
        return told
    if isfinite(reading.confidence):
        told += f"  ·  confidence {reading.confidence:.2f}"
    others = [str(one) for one in reading.compatible if one != reading.group]
    return told + (f"  ·  or {', '.join(others)}" if others else "")


def match_told(match: Match) -> str:
    """Which known phase is most like a pattern, in words."""
    symbol = SYMBOLS.get(match.group, str(match.group))
    return f"best match: {match.name}, {symbol}, correlation {match.correlation:.2f}"
