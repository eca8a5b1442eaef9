"""What the colours of crystal directions mean: below a map, a part of a sphere for each phase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from napari_kikuchi.figures.content import CompositePanel, DirectionKey
from napari_kikuchi.figures.page import HAIRLINE, Box, Page
from napari_kikuchi.figures.text import SIZE, height_of, width_of

# The largest picture of a key, and what lies between two keys, in mm.
_WIDEST, _HIGHEST = 13.0, 9.0
_BETWEEN = 4.0
# Between a picture and its letters.
_NEAR = 0.4
# Corners so near to half the height of the picture, and to its left or right edge, have their
# letters beside them: shares of its sides.
_MIDDLE, _AT_EDGE = 0.2, 0.05
# From the heading to the first keys.
_BELOW_HEADING = 0.6
# Of the bar over an index below zero: thickness, and how far it lies below the top of a line.
_BAR, _BAR_DOWN = 0.14, 0.1
_OUTLINE = "#222222"


class _Placed(NamedTuple):
    key: DirectionKey
    picture: Box


def keys_height(panel: CompositePanel, width: float) -> float:
    """Room that the keys of a picture need in some width, in mm."""
    return height_of(1) + _BELOW_HEADING + len(_rows(panel.keys, width)) * _row_height()


def keys_width(panel: CompositePanel, width: float) -> float:
    """Room that they take of some width, or more where one alone is wider, in mm."""
    rows = _rows(panel.keys, width)
    return max(width_of(panel.heading), *(_row_width(row) for row in rows))


def draw_direction_keys(
    page: Page, panel: CompositePanel, left: float, top: float, width: float
) -> None:
    """Draw the keys of a picture.

    Parameters
    ----------
    page
        Of the figure.
    panel
        The picture.
    left, top, width
        Where they begin, and the room that there is, in mm.
    """
    page.text(left, top, panel.heading)
    for placed in _placed(_rows(panel.keys, width), left, top + height_of(1) + _BELOW_HEADING):
        _draw_key(page, *placed)


def _placed(rows: Sequence[Sequence[DirectionKey]], left: float, top: float) -> Iterator[_Placed]:
    for number, row in enumerate(rows):
        at = left
        for key in row:
            before, width, height, after = _extents(key)
            bottom = top + number * _row_height() + height_of(1) + _NEAR + _HIGHEST
            yield _Placed(key, Box(at + before, bottom - height, width, height))
            at += before + width + after + _BETWEEN


def _draw_key(page: Page, key: DirectionKey, picture: Box) -> None:
    axes = page.axes(picture, "key")
    axes.axis("off")
    left, right, bottom, top = key.extent
    axes.imshow(
        key.colours, extent=key.extent, origin="lower", interpolation="nearest", aspect="auto"
    )
    # What the pixels at the edge leave uneven.
    axes.fill(
        *zip(*key.outline, strict=True),
        facecolor="none",
        edgecolor=_OUTLINE,
        lw=HAIRLINE,
        clip_on=False,
    )
    axes.set(xlim=(left, right), ylim=(bottom, top))
    for place, indices in key.corners:
        _draw_indices(page, *_letters(key, picture, place, indices), indices)
    page.text(
        picture.left + picture.width / 2,
        picture.bottom + _NEAR + height_of(1),
        key.name,
        ha="center",
    )


def _draw_indices(page: Page, middle: float, top: float, indices: Sequence[int]) -> None:
    """Indices in brackets, with a bar over those below zero."""
    told = _written(indices)
    left = middle - width_of(told) / 2
    page.text(middle, top, told, ha="center")
    at = left + width_of("[")
    for index in indices:
        width = width_of(str(abs(index)))
        if index < 0:
            page.bar(Box(at, top + _BAR_DOWN, width, _BAR), "black", "bar")
        at += width


def _written(indices: Sequence[int]) -> str:
    return f"[{''.join(str(abs(index)) for index in indices)}]"


def _letters(
    key: DirectionKey, picture: Box, place: tuple[float, float], indices: Sequence[int]
) -> tuple[float, float]:
    """Where the letters of a corner have their middle, and their upper edge."""
    left, right, bottom, top = key.extent
    across, up = (place[0] - left) / (right - left), (place[1] - bottom) / (top - bottom)
    middle = picture.left + across * picture.width
    if abs(up - 0.5) < _MIDDLE and abs(across - 0.5) > 0.5 - _AT_EDGE:
        away = _NEAR + width_of(_written(indices)) / 2
        level = picture.bottom - up * picture.height - height_of(1) / 2
        return (middle + away if across > 0.5 else middle - away), level
    above, below = picture.top - _NEAR - height_of(1), picture.bottom + _NEAR
    return middle, above if up > 0.5 else below


def _extents(key: DirectionKey) -> tuple[float, float, float, float]:
    """Room for letters at the left, width and height of the picture, room at the right, in mm."""
    left, right, bottom, top = key.extent
    scale = min(_WIDEST / (right - left), _HIGHEST / (top - bottom))
    width, height = scale * (right - left), scale * (top - bottom)
    picture = Box(0, 0, width, height)
    letters = [(width / 2, width_of(key.name))]
    for place, indices in key.corners:
        middle, _ = _letters(key, picture, place, indices)
        letters.append((middle, width_of(_written(indices))))
    before = max(0.0, *(room / 2 - middle for middle, room in letters))
    after = max(0.0, *(middle + room / 2 - width for middle, room in letters))
    return before, width, height, after


def _width(key: DirectionKey) -> float:
    before, width, _, after = _extents(key)
    return before + width + after


def _row_width(row: Sequence[DirectionKey]) -> float:
    return sum(map(_width, row)) + (len(row) - 1) * _BETWEEN


def _row_height() -> float:
    """Letters above, the picture, letters below, and the name of the phase."""
    return _HIGHEST + 2 * _NEAR + height_of(3, SIZE)


def _rows(keys: Sequence[DirectionKey], width: float) -> list[list[DirectionKey]]:
    """As many beside each other as there is room for, and one at least."""
    rows: list[list[DirectionKey]] = []
    for key in keys:
        if rows and _row_width([*rows[-1], key]) <= width:
            rows[-1].append(key)
        else:
            rows.append([key])
    return rows
