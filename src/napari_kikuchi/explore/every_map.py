"""One answer of each map of a stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack

Answer = TypeVar("Answer")


def ask_every_map(
    stack: MapStack, question: Callable[[int], Answer], message: str
) -> Job[list[Answer]]:
    """Ask each map the same, one after another.

    Parameters
    ----------
    stack
        Of the maps.
    question
        Answers for the map of an index.
    message
        What is being done, for a person to read.

    Yields
    ------
    Progress
        Maps looked at.

    Returns
    -------
    list
        An answer of each map.
    """
    answers = []
    for channel in range(len(stack)):
        answers.append(question(channel))
        yield Progress(channel + 1, len(stack), message)
    return answers
