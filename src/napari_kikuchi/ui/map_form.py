"""What forms have in common that map a scan in a child process and show the maps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

from qtpy.QtWidgets import QWidget

from napari_kikuchi.io.origin import unreadable_told
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.forms import Notice, maps_field, path_in
from napari_kikuchi.ui.resumable_panel import ResumablePanel
from napari_kikuchi.ui.show_maps import show_store

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.session import Session


class Request(Protocol):
    """What a form asks of the command line."""

    @property
    def scan(self) -> Scan:
        """What to map."""
        ...

    def arguments(self) -> list[str]:
        """The command line, without the program."""
        ...


class MapWords(NamedTuple):
    """What a form says, see :class:`ResumablePanel`."""

    title: str
    anew_where: str
    tooltip: str
    hint: str


AnyRequest = TypeVar("AnyRequest", bound=Request)


class MapForm(QWidget, Generic[AnyRequest]):
    """A form whose maps are shown when they are made.

    Parameters
    ----------
    session
        Of the viewer that shows the maps.
    words
        On its panel.
    command
        Program that makes the maps, and its first arguments.

    Attributes
    ----------
    panel
        Makes the maps.
    out
        Where they go.
    """

    def __init__(self, session: Session, words: MapWords, command: Sequence[str] = COMMAND) -> None:
        super().__init__()
        self._session = session
        self._scan: Scan | None = None
        # What runs or ran last: the form may be changed meanwhile.
        self._mapping: AnyRequest | None = None
        self.out = maps_field()
        title, anew_where, tooltip, hint = words
        self.panel = ResumablePanel(
            title, self._arguments, self._outputs, anew_where, tooltip, hint, command
        )
        self.out.changed.connect(self.panel.offer_restart)
        self.panel.done.connect(self._show)

    def set_scan(self, scan: Scan | None) -> None:
        """Map this scan."""
        if scan is not self._scan:
            self._scan = scan
            # What was said was of another scan, or of none.
            self.panel.say_hint()
            self._on_scan(scan)

    @abstractmethod
    def request(self) -> AnyRequest:
        """What is asked for.

        Raises
        ------
        ValueError
            If something is missing.
        """

    @abstractmethod
    def _on_scan(self, scan: Scan | None) -> None:
        """Another scan is to be mapped."""

    def _prepare(self, request: AnyRequest) -> None:
        """Write what the command reads besides its arguments."""

    def _tell(self, stack: MapStack, request: AnyRequest) -> None:
        """Say what there is to be said of maps that are shown now."""
        self.panel.add(unreadable_told(stack))

    def _outputs(self) -> list[Path]:
        out = path_in(self.out)
        return [] if out is None else [out]

    def _arguments(self) -> list[str]:
        request = self.request()
        arguments = request.arguments()
        self._prepare(request)
        self._mapping = request
        return arguments

    def _show(self, path: str) -> None:
        request = self._mapping
        assert request is not None
        self._tell(show_store(self._session, Path(path), request.scan), request)


class TechniqueForm(MapForm[AnyRequest]):
    """A form for scans of one technique, which says so where it is offered another.

    Attributes
    ----------
    notice
        Says why nothing can be done with a scan.
    options
        Holds what can be chosen.
    """

    def __init__(self, session: Session, words: MapWords, command: Sequence[str] = COMMAND) -> None:
        super().__init__(session, words, command)
        self._start = words.tooltip
        self.notice = Notice()
        self.options = QWidget()
        self.panel.ended.connect(self._suit)

    @abstractmethod
    def _why_not(self, scan: Scan | None) -> str:
        """Why a scan cannot be mapped; empty if it can."""

    def _suit(self) -> None:
        """Offer what can be done with the scan, and say why nothing can."""
        why_not = self._why_not(self._scan)
        self.notice.tell(why_not)
        self.options.setEnabled(not why_not)
        # What runs can always be cancelled.
        self.panel.button.setEnabled(not why_not or self.panel.job.active)
        self.panel.button.setToolTip(why_not or self._start)
