"""Where everything stands on a figure, in mm from its left and upper edge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from napari_kikuchi.figures.content import CompositePanel, FigureContent, MapPanel, ProfileCurve
from napari_kikuchi.figures.map_key import key_height, key_right
from napari_kikuchi.figures.page import Box
from napari_kikuchi.figures.text import TITLE_SIZE, count_lines, height_of, quantity, wrapped

# Widths of one and two columns of a journal, which a figure has at most.
WIDTHS = {1: 85.0, 2: 170.0}
# So that no line at the edge is cut.
_EDGE = 0.5
# Between a map and what stands beside or below it; between patterns; from a title to its picture.
_GAP = 5.0
_BETWEEN = 2.5
BELOW_TITLE = 0.8
# A page is not higher.
_HIGHEST_MAP = 140.0
_PROFILE_HEIGHT = 26.0
# For the numbers at the left of a profile, and for numbers and name below it.
PROFILE_NUMBERS = 9.5
_PROFILE_BELOW = 8.0
# Patterns beside a map are neither smaller nor larger.
_SMALLEST_PATTERN = 22.0
_LARGEST_PATTERN = 54.0
# Below maps they are not larger than this.
_LARGEST_BELOW = 41.0
# Patterns, maps and profiles in a row, for one and two columns.
_PATTERNS_PER_ROW = {1: 3, 2: 5}
_MAPS_PER_ROW = {1: 2, 2: 3}
_PROFILES_PER_ROW = {1: 1, 2: 2}
# Share of the figure's width that a map beside its patterns has, about.
_MAP_SHARE = 0.6


@dataclass(frozen=True)
class Layout:
    """Where the pictures and axes of a figure stand, without their texts.

    Attributes
    ----------
    width, height
        Of the figure, in mm.
    maps, patterns
        One box for each.
    profiles
        One box for each name and unit, see :func:`profile_groups`.
    """

    width: float
    height: float
    maps: list[Box]
    patterns: list[Box]
    profiles: list[Box]


def lay_out(content: FigureContent) -> Layout:
    """Find a place for everything.

    In two columns a single map has its patterns at its right, flush with it above and below;
    otherwise maps, patterns and profiles stand below each other. The figure ends where the last of
    them does: a map as high as a page does not fill the width of two columns.
    """
    width = WIDTHS[content.columns]
    beside = None
    if content.columns == 2 and len(content.maps) == 1 and content.patterns:
        beside = _beside(content, width)
    if beside is not None:
        maps, patterns = beside
        key = key_height(content.maps[0], maps[0].width)
        bottom = max(maps[0].bottom + key, *(box.bottom for box in patterns))
    else:
        maps, bottom = _map_rows(content, width)
        patterns, bottom = _pattern_rows(content, width, bottom)
    groups = profile_groups(content.profiles)
    profiles, bottom = _profile_rows(groups, content.columns, width, bottom)
    ends = [key_right(panel, box) for panel, box in zip(content.maps, maps, strict=True)]
    ends += [box.right for box in (*patterns, *profiles)]
    return Layout(max(ends) + _EDGE, bottom + _EDGE, maps, patterns, profiles)


def profile_groups(profiles: Sequence[ProfileCurve]) -> list[list[ProfileCurve]]:
    """Profiles that share their axes: those of one name and unit, in the order given."""
    groups: dict[tuple[str, str], list[ProfileCurve]] = {}
    for profile in profiles:
        groups.setdefault((profile.name, profile.unit), []).append(profile)
    return list(groups.values())


def profile_name(group: Sequence[ProfileCurve]) -> str:
    """What stands at the left of profiles, in as many lines as it needs."""
    return wrapped(quantity(group[0].name, group[0].unit), _PROFILE_HEIGHT)


def _profile_left(group: Sequence[ProfileCurve]) -> float:
    """Room for numbers and name at the left of profiles, in mm."""
    return PROFILE_NUMBERS + height_of(profile_name(group).count("\n") + 1)


def aspect(panel: MapPanel | CompositePanel) -> float:
    """Height of a map by its width, both in µm."""
    (rows, cols), (height, width) = panel.map_shape, panel.step
    return (rows * height) / (cols * width)


def _beside(content: FigureContent, width: float) -> tuple[list[Box], list[Box]] | None:
    """A map and its patterns at its right; None where one of them would be too small."""
    titles = [pattern.caption() for pattern in content.patterns]
    tall = max(one.values.shape[0] / one.values.shape[1] for one in content.patterns)
    slope = aspect(content.maps[0])
    room = width - 2 * _EDGE - _GAP
    best: tuple[float, float, float, int] | None = None
    for cols in range(1, len(titles) + 1):
        rows = math.ceil(len(titles) / cols)
        # Titles need one line or more, which moves the patterns, which may need another line.
        title = 0.0
        for _ in range(3):
            gaps = (rows - 1) * (title + _BETWEEN)
            share = room - (cols - 1) * _BETWEEN
            # With w and p the widths of the map and of a pattern:
            # share = w + cols * p, and slope * w = rows * tall * p + gaps.
            w = (rows * tall * share / cols + gaps) / (slope + rows * tall / cols)
            w = min(w, _HIGHEST_MAP / slope)
            p = min((slope * w - gaps) / (rows * tall), _LARGEST_PATTERN)
            title = _title_height(count_lines(titles, max(p, 1.0)))
        w = min(share - cols * p, _HIGHEST_MAP / slope)
        blanks = rows * cols - len(titles)
        badness = abs(w - _MAP_SHARE * width) + 10 * blanks
        if p >= _SMALLEST_PATTERN and (best is None or badness < best[0]):
            best = badness, w, p, cols
    if best is None:
        return None
    _, w, p, cols = best
    pattern_title = _title_height(count_lines(titles, p))
    top = _EDGE + max(pattern_title, _map_title_height(content, w))
    where = Box(_EDGE, top, w, w * slope)
    patterns = _grid(where.left + w + _GAP, top, p, tall * p, cols, len(titles), pattern_title)
    return [where], patterns


def _map_rows(content: FigureContent, width: float) -> tuple[list[Box], float]:
    """Maps in rows, and where they end."""
    per_row = _balanced(len(content.maps), _MAPS_PER_ROW[content.columns])
    room = width - 2 * _EDGE - (per_row - 1) * _GAP
    slope = max(map(aspect, content.maps))
    each = min(room / per_row, _HIGHEST_MAP / slope)
    title = _map_title_height(content, each)
    key = max(key_height(panel, each) for panel in content.maps)
    below = _GAP - _BETWEEN + key
    boxes = _grid(
        _EDGE, _EDGE + title, each, slope * each, per_row, len(content.maps), title + below, _GAP
    )
    boxes = [
        box._replace(height=aspect(panel) * each)
        for box, panel in zip(boxes, content.maps, strict=True)
    ]
    return boxes, max(box.bottom for box in boxes) + key


def _pattern_rows(content: FigureContent, width: float, bottom: float) -> tuple[list[Box], float]:
    if not content.patterns:
        return [], bottom
    titles = [pattern.caption() for pattern in content.patterns]
    tall = max(one.values.shape[0] / one.values.shape[1] for one in content.patterns)
    per_row = _balanced(len(titles), _PATTERNS_PER_ROW[content.columns])
    room = width - 2 * _EDGE - (per_row - 1) * _BETWEEN
    each = min(room / per_row, _LARGEST_BELOW)
    title = _title_height(count_lines(titles, each))
    top = bottom + _BETWEEN + title
    boxes = _grid(_EDGE, top, each, tall * each, per_row, len(titles), title)
    return boxes, boxes[-1].bottom


def _profile_rows(
    groups: Sequence[Sequence[ProfileCurve]], columns: int, width: float, bottom: float
) -> tuple[list[Box], float]:
    if not groups:
        return [], bottom
    per_row = min(len(groups), _PROFILES_PER_ROW[columns])
    each = (width - 2 * _EDGE - (per_row - 1) * _GAP) / per_row
    boxes = _grid(
        _EDGE, bottom + _GAP, each, _PROFILE_HEIGHT, per_row, len(groups), _PROFILE_BELOW, _GAP
    )
    left = max(map(_profile_left, groups))
    inner = [box._replace(left=box.left + left, width=box.width - left) for box in boxes]
    return inner, boxes[-1].bottom + _PROFILE_BELOW


def _grid(
    left: float,
    top: float,
    width: float,
    height: float,
    per_row: int,
    count: int,
    between_rows: float,
    between_cols: float = _BETWEEN,
) -> list[Box]:
    """Boxes of one size in rows; what is between two rows is over and above the usual gap."""
    return [
        Box(
            left + (i % per_row) * (width + between_cols),
            top + (i // per_row) * (height + between_rows + _BETWEEN),
            width,
            height,
        )
        for i in range(count)
    ]


def _balanced(count: int, most: int) -> int:
    """How many stand in a row, so that the rows are about equally long."""
    return math.ceil(count / math.ceil(count / most))


def _title_height(lines: int) -> float:
    return height_of(lines) + BELOW_TITLE if lines else 0.0


def _map_title_height(content: FigureContent, width: float) -> float:
    lines = count_lines([panel.title for panel in content.maps], width, TITLE_SIZE)
    return height_of(lines, TITLE_SIZE) + BELOW_TITLE if lines else 0.0
