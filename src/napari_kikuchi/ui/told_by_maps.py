"""What maps among the layers tell of the open scans, read once in the background."""

from __future__ import annotations

import weakref
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from psygnal import Signal

from napari_kikuchi.jobs import Job
from napari_kikuchi.ui.link import link_of

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.link import LayerLink, ScanLink
    from napari_kikuchi.ui.session import Session

Told = TypeVar("Told")


class ToldByMaps(Generic[Told]):
    """What is told of each scan: by the maps that came last.

    Parameters
    ----------
    session
        Of the viewer whose layers are watched.
    """

    changed = Signal(object)
    """The scan of which something else is told now, or is being read."""

    def __init__(self, session: Session) -> None:
        self._session = weakref.proxy(session)
        self._known: weakref.WeakKeyDictionary[Scan, Told] = weakref.WeakKeyDictionary()
        # Of which maps each is, or will be once they are read.
        self._stacks: weakref.WeakKeyDictionary[Scan, MapStack] = weakref.WeakKeyDictionary()
        self._awaited: weakref.WeakSet[Scan] = weakref.WeakSet()
        session.link_changed.connect(self._on_link)
        session.viewer.layers.events.inserted.connect(self._on_inserted)
        session.viewer.layers.events.removed.connect(self._on_removed)
        for layer in session.viewer.layers:
            self._welcome(link_of(layer))

    @abstractmethod
    def tells(self, stack: MapStack) -> bool:
        """Whether maps tell something of their scan."""

    @abstractmethod
    def read(self, stack: MapStack, source: ScanLink) -> Job[Told]:
        """Read what they tell, in a thread; an error is told nobody, who asked for nothing."""

    def adopted(self, scan: Scan, told: Told) -> None:
        """Something was read; nobody has been told of it yet."""

    def forgotten(self, scan: Scan) -> None:
        """Nothing is told of a scan any more; nobody has been told so yet."""

    def of(self, scan: Scan) -> Told | None:
        """What is told of a scan; None if nothing is, or not yet."""
        return self._known.get(scan)

    def is_awaited(self, scan: Scan) -> bool:
        """Whether it is being read; ``changed`` tells when it is there."""
        return scan in self._awaited

    def _on_inserted(self, event: Any) -> None:
        self._welcome(link_of(event.value))

    def _on_link(self, source: ScanLink) -> None:
        for _, link in self._session.links():
            if link.source is source:
                self._welcome(link)

    def _welcome(self, link: LayerLink | None) -> None:
        if link is None or link.stack is None or link.source.scan is None:
            return
        scan, stack, source = link.source.scan, link.stack, link.source
        if stack is self._stacks.get(scan) or not self.tells(stack):
            return
        self._stacks[scan] = stack
        self._awaited.add(scan)
        self.changed.emit(scan)

        def adopt(told: Told) -> None:
            if stack is self._stacks.get(scan):
                self._awaited.discard(scan)
                self._known[scan] = told
                self.adopted(scan, told)
                self.changed.emit(scan)

        def give_up(_: Exception) -> None:
            # Maps that tell nothing are shown all the same.
            if stack is self._stacks.get(scan):
                self._forget(scan)

        self._session.start(self.read(stack, source), done=adopt, failed=give_up)

    def _on_removed(self, _: Any) -> None:
        """Nothing is told of maps of which no layer is left."""
        left = {link.stack for _, link in self._session.links()}
        for scan, stack in list(self._stacks.items()):
            if stack not in left:
                del self._stacks[scan]
                self._forget(scan)

    def _forget(self, scan: Scan) -> None:
        self._awaited.discard(scan)
        self._known.pop(scan, None)
        self.forgotten(scan)
        self.changed.emit(scan)
