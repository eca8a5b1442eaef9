"""What a map of symmetry says, in words."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from napari_kikuchi.symmetry.adapting_method import AdaptingMethod
from napari_kikuchi.symmetry.classes import CLASSES
from napari_kikuchi.symmetry.map_readings import (
    CONFIDENCE,
    SYMMETRY,
    group_numbers,
    group_shares,
)
from napari_kikuchi.untrusted import integer, mapping, number

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.symmetry.map_readings import SymmetryReading
    from napari_kikuchi.symmetry.references import Match

#: Symbols of the cubic groups by number, after Hermann and Mauguin.
SYMBOLS = {
    195: "P23", 196: "F23", 197: "I23", 198: "P2_13", 199: "I2_13", 200: "Pm-3",
    201: "Pn-3", 202: "Fm-3", 203: "Fd-3", 204: "Im-3", 205: "Pa-3", 206: "Ia-3",
    207: "P432", 208: "P4_232", 209: "F432", 210: "F4_132", 211: "I432", 212: "P4_332",
    213: "P4_132", 214: "I4_132", 215: "P-43m", 216: "F-43m", 217: "I-43m", 218: "P-43n",
    219: "F-43c", 220: "I-43d", 221: "Pm-3m", 222: "Pn-3n", 223: "Pm-3n", 224: "Pn-3m",
    225: "Fm-3m", 226: "Fm-3c", 227: "Fd-3m", 228: "Fd-3c", 229: "Im-3m", 230: "Ia-3d",
}  # fmt: skip
UNLIKE = "unlike cubic crystals"
_MANY = 1 << 40


def group_name(group: int) -> str:
    """A group's number with its symbol; what 0 stands for."""
    if group == 0:
        return UNLIKE
    return f"{group} ({SYMBOLS[group]})" if group in SYMBOLS else str(group)


def class_told(group: int) -> str:
    """A group and the others of its class, in words; the group alone where it has none."""
    others = [str(one) for one in CLASSES.get(group, ()) if one != group]
    told = group_name(group)
    if not others:
        return told
    return f"{told}, or {', '.join(others)}, which patterns do not tell from it"


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
    for group, share in group_shares(numbers):
        line = f"{share:.1%} {group_name(group)}"
        if group:
            mean = confidence[numbers == group].mean()
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


def adaptation_told(provenance: Mapping[str, Any]) -> str:
    """What was done to adapt a classifier to the scan, in a sentence; empty if nothing was asked.

    Parameters
    ----------
    provenance
        Of a map of symmetry, whoever has changed it since.
    """
    found: Any = provenance
    for name in ("symmetry", "classifier", "adapted"):
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping):
        return ""
    try:
        patterns = integer(found.get("patterns"), "how many patterns", 0, _MANY)
        if not patterns:
            return "Nothing was adapted: of no pattern is it clear how a cubic crystal stands."
        strangeness, strange, variety = (
            number(found.get(name), f"the {name}", 0, _MANY)
            for name in ("strangeness", "strange", "variety")
        )
    except ValueError:
        return ""
    phases = "about one phase" if variety < 1.5 else f"about {variety:.0f} phases"
    if found.get("method") in tuple(AdaptingMethod):
        way = AdaptingMethod(found["method"]).told
        return f"Adapted to the scan by {way}, on {patterns} patterns of {phases}."
    if strangeness < strange:
        return "Nothing had to be adapted: the patterns are like those that were learned from."
    if found.get("edges") is True:
        return f"The patterns are of {phases}, too few to adapt to: read by where bands end."
    return f"Nothing was adapted: the patterns are of {phases}, too few to adapt to."


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
