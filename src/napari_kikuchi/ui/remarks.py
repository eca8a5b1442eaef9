"""What of the shapes that are inspected is not measured, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from napari_kikuchi.explore.paths import Path
from napari_kikuchi.figures.content import letters

if TYPE_CHECKING:
    from napari_kikuchi.ui.inspected import Inspected


def remarks(inspected: Inspected) -> str:
    """Tells what lies outside the map, and what is selected but not measured; empty if nothing."""
    return " ".join(filter(None, (_outside(inspected), _omission(inspected))))


def _outside(inspected: Inspected) -> str:
    parts = _parts_outside(inspected)
    kind, unit = ("region", "µm²") if inspected.enclosed else ("line", "µm")
    several = len(inspected.shapes) > 1
    told = [
        f"{outside:.3g} of {whole:.3g} {unit} of {f'{kind} {letter}' if several else f'the {kind}'}"
        for letter, (outside, whole) in zip(letters(len(inspected.shapes)), parts, strict=True)
        if outside > 0
    ]
    if not told:
        return ""
    where = f"outside the map of {inspected.source.name}"
    left_out = "left out" if inspected.enclosed else "left out of the profile"
    return f"{' and '.join(told)} lie {where} and are {left_out}."


def _parts_outside(inspected: Inspected) -> Iterator[tuple[float, float]]:
    """How much of each shape lies outside the map, and how much there is of it."""
    ground = inspected.ground
    for outline, place in zip(ground.outlines, ground.places(), strict=True):
        if inspected.enclosed:
            whole, position = outline.count_everywhere(), math.prod(ground.step)
            yield (whole - len(place)) * position, whole * position
        else:
            path = Path.through(outline.vertices, ground.step)
            yield path.length_beyond(ground.values.shape), path.length


def _omission(inspected: Inspected) -> str:
    if not inspected.left_out:
        return ""
    measured, other = ("regions", "line") if inspected.enclosed else ("lines", "region")
    are = f"{other} is" if inspected.left_out == 1 else f"{other}s are"
    return f"{inspected.left_out} selected {are} not measured together with {measured}."
