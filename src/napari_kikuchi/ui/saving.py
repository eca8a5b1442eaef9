"""Buttons that save what is inspected: a figure for a publication, a table of the values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_info
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QWidget

from napari_kikuchi.io.places import beside
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.ui import messages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.figures.content import FigureContent
    from napari_kikuchi.ui.link import ScanLink
    from napari_kikuchi.ui.session import Session

Table = Mapping[str, "Sequence[Any] | NDArray"]

# The kind of file, as Qt names it, and its ending.
CSV = ("Tables (*.csv)", ".csv")
_FIGURE = "Save figure…"
_VALUES = "Save values…"
_FIGURE_TIP = "The map, what is drawn on it, and what was found there, as PNG and SVG"
_VALUES_TIP = "The values that are shown, as a table (CSV)"


class SaveButtons(QWidget):
    """Asks where to save, and saves in a thread.

    Parameters
    ----------
    session
        Of the viewer.
    figure, table
        Give what is to be saved when a button is pressed; of a figure with its provenance.
    name
        Gives the path that is suggested, without an ending.
    """

    def __init__(
        self,
        session: Session,
        figure: Callable[[], tuple[FigureContent, Mapping[str, Any]]],
        table: Callable[[], Table],
        name: Callable[[], Path],
    ) -> None:
        super().__init__()
        self._session = session
        self._figure, self._table, self._name = figure, table, name
        self.figure_button = QPushButton(_FIGURE)
        self.figure_button.clicked.connect(
            lambda: ask_where(
                self, _FIGURE, self._name(), "Figures (*.png *.svg)", ".png", self.save_figure
            )
        )
        self.table_button = QPushButton(_VALUES)
        self.table_button.clicked.connect(
            lambda: ask_where(self, _VALUES, self._name(), *CSV, self.save_table)
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (self.figure_button, self.table_button):
            row.addWidget(button)
        self.offer("", "")

    def offer(self, no_figure: str, no_values: str) -> None:
        """Offer what can be saved now.

        Parameters
        ----------
        no_figure, no_values
            Why not; empty where it can be.
        """
        for button, reason, tip in (
            (self.figure_button, no_figure, _FIGURE_TIP),
            (self.table_button, no_values, _VALUES_TIP),
        ):
            button.setEnabled(not reason)
            button.setToolTip(reason or tip)

    def save_figure(self, path: Path) -> None:
        """Save the figure as PNG and as SVG of this name.

        The file of that very name may be replaced; before another is, the user is asked.
        """
        from napari_kikuchi.figures.save import figure_files

        others = [file.name for file in figure_files(path) if file != path and file.exists()]
        if others:
            message = f"{' and '.join(others)} in {path.parent} will be replaced, too."
            messages.offer(self, _FIGURE, message, "Replace", lambda: self._save_figure(path))
        else:
            self._save_figure(path)

    def _save_figure(self, path: Path) -> None:
        job = _save_figure(*self._figure(), path)
        self._session.start(job, title="Saving the figure", done=_tell)

    def save_table(self, path: Path) -> None:
        """Save the values as a CSV file."""
        save_table(self._session, self._table(), path)


def suggested_path(source: ScanLink, what: str) -> Path:
    """Where something made of a scan may go: beside it, under its name; without an ending."""
    name = f"{source.name} {what}"
    return Path(name) if source.path is None else beside(source.path, name)


def ask_where(
    parent: QWidget,
    title: str,
    suggested: Path,
    kinds: str,
    suffix: str,
    save: Callable[[Path], None],
) -> None:
    """Ask for the file into which something is saved; returns at once.

    Parameters
    ----------
    parent
        The window it belongs to.
    title
        Of the dialog.
    suggested
        The path that is offered, without an ending.
    kinds, suffix
        The kind of file, as Qt names it, and its ending.
    save
        Called with the path.
    """
    dialog = QFileDialog(parent, title, str(suggested.parent), kinds)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(suffix)
    dialog.selectFile(f"{suggested.name}{suffix}")
    dialog.fileSelected.connect(lambda path: save(Path(path)))
    dialog.open()


def save_table(session: Session, table: Table, path: Path) -> None:
    """Save a table as a CSV file in a thread, and tell where it is."""
    session.start(_save_table(table, path), title="Saving the values", done=_tell)


def _save_figure(
    content: FigureContent, provenance: Mapping[str, Any], path: Path
) -> Job[Sequence[Path]]:
    from napari_kikuchi.figures.figure import map_figure
    from napari_kikuchi.figures.save import save_figure

    yield Progress(0, 0, "Drawing")
    figure = map_figure(content)
    yield Progress(0, 0, "Saving")
    return save_figure(figure, path, provenance)


def _save_table(table: Table, path: Path) -> Job[Sequence[Path]]:
    from napari_kikuchi.io.tables import write_table

    yield Progress(0, 0, "Saving")
    write_table(path, table)
    return [path]


def _tell(paths: Sequence[Path]) -> None:
    names = " and ".join(path.name for path in paths)
    # napari shows no more than the first words of a long path.
    show_info(f"Saved {names} in {paths[0].resolve().parent.name}")
