"""What the feature browser says of the map that is shown."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.ui.feature_table import Scores
    from napari_kikuchi.ui.stack_layer import StackLayer

UNCHOSEN = "Choose a map first"


def rank_told(stack: MapStack, channel: int, scores: Scores) -> str:
    """Where a map ranks, and with what score if it has one."""
    rank = scores.ranking().index(channel) + 1
    told = f"{stack.channels[channel].name}: rank {rank} of {len(stack)}"
    score = scores.values[channel]
    return told if isnan(score) else f"{told}, {scores.title} {score:.3g}"


def can_add(shown: StackLayer | None) -> tuple[bool, str]:
    """Whether the map that is shown can become a layer of its own, or why not."""
    if shown is None or shown.shown is None:
        return False, UNCHOSEN
    return (True, "") if shown.can_promote else (False, "This map is a layer already")
