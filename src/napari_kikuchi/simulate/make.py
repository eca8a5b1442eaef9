"""Structures by name."""

from __future__ import annotations

from typing import Any, Literal

from napari_kikuchi.simulate.additive import Additive, make_additive
from napari_kikuchi.simulate.structure import Structure
from napari_kikuchi.simulate.wrought import Wrought, make_wrought


def make_structure(
    kind: Literal["wrought", "additive"],
    rows: int,
    cols: int,
    *,
    step: float | tuple[float, float] = 0.5,
    seed: int = 0,
    **config: Any,
) -> Structure:
    """Make a microstructure.

    Parameters
    ----------
    kind
        ``"wrought"`` or ``"additive"``.
    rows, cols
        Size of the map.
    step
        Distance between positions in µm; one number, or one for rows and one for columns.
    seed
        The same seed makes the same structure.
    **config
        What differs from the defaults of :class:`Wrought` or :class:`Additive`.

    Raises
    ------
    ValueError
        If the kind is unknown, or a size or the step is not positive.
    TypeError
        If the structure has no such setting.
    """
    down, right = step if isinstance(step, tuple) else (step, step)
    if min(rows, cols) < 1 or not min(down, right) > 0:
        raise ValueError(
            f"a scan needs at least one row and one column and a step above 0 µm, not "
            f"{rows} x {cols} with steps of {down:g} and {right:g} µm"
        )
    match kind:
        case "wrought":
            return make_wrought(rows, cols, (down, right), seed, Wrought(**config))
        case "additive":
            return make_additive(rows, cols, (down, right), seed, Additive(**config))
    raise ValueError(f"unknown structure {kind!r}; expected 'wrought' or 'additive'")
