"""What the user has starred and hidden among the maps of a stack."""

from __future__ import annotations

import weakref
from dataclasses import replace
from threading import Lock

from napari_kikuchi.io.map_marks import update_mark
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import MapStack, Mark

_marks: weakref.WeakKeyDictionary[MapStack, Marks] = weakref.WeakKeyDictionary()


class Marks:
    """Marks of the maps of a stack, as they are now; get them with :func:`marks_of`.

    Attributes
    ----------
    channels
        Those of the stack, with their marks.
    """

    def __init__(self, stack: MapStack) -> None:
        self.channels = list(stack.channels)
        self._path = stack.path
        self._writing = Lock()

    def of(self, index: int) -> Mark:
        """The mark of a map."""
        return self.channels[index].mark

    def count(self, mark: Mark) -> int:
        """How many maps have a mark."""
        return sum(channel.mark is mark for channel in self.channels)

    def toggle(self, index: int, mark: Mark) -> None:
        """Give a map a mark instead of its own, or take the mark away if it has it already."""
        now = Mark.NONE if self.of(index) is mark else mark
        self.channels[index] = replace(self.channels[index], mark=now)

    def keep(self, index: int) -> Job[None]:
        """Write the mark of a map to the store that the stack was read from, if there is one.

        Raises
        ------
        OSError, ValueError
            As :func:`~napari_kikuchi.io.map_marks.update_mark`; the mark stays for as long as the
            stack is in memory.
        """
        if self._path is not None:
            # One after the other: each writes what holds by then.
            with self._writing:
                update_mark(self._path, index, self.channels[index])
        yield Progress(1, 1, "Keeping the mark")


def marks_of(stack: MapStack) -> Marks:
    """The marks of a stack, which outlive the widgets that show and change them."""
    if stack not in _marks:
        _marks[stack] = Marks(stack)
    return _marks[stack]
