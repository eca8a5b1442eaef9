"""A dock that holds a form for one of the open scans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.forms import scrolling
from napari_kikuchi.ui.scan_dock import ScanDock

if TYPE_CHECKING:
    import napari

    from napari_kikuchi.ui.job_panel import JobPanel
    from napari_kikuchi.ui.session import Session


class ScanForm(Protocol):
    """A widget that makes something of a scan."""

    @property
    def panel(self) -> JobPanel:
        """Where it is made."""
        ...

    def set_scan(self, scan: Scan | None) -> None:
        """Make it of this scan."""
        ...


AnyForm = TypeVar("AnyForm", bound=ScanForm)


class FormDock(ScanDock, Generic[AnyForm]):
    """Dock widget with a form.

    Parameters
    ----------
    napari_viewer
        Whose scans are worked on.
    title
        Of the dock, as the manifest names it.
    make_form
        Makes the form of the viewer's session and the program that does the work.
    command
        That program, and its first arguments.
    """

    def __init__(
        self,
        napari_viewer: napari.viewer.Viewer,
        title: str,
        make_form: Callable[[Session, Sequence[str]], AnyForm],
        command: Sequence[str],
    ) -> None:
        super().__init__(napari_viewer, title)
        self.form = make_form(self.session, command)
        self.content.addWidget(scrolling(self.form), 1)
        self.follow_scans()

    @property
    def panels(self) -> Sequence[JobPanel]:
        """What may be at work."""
        return (self.form.panel,)

    def set_scan(self, scan: Scan | None) -> None:
        """Work on this scan: another has been chosen, or the open scans are others."""
        self.form.set_scan(scan)
