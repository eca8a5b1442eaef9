"""napari, opened from the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from napari_kikuchi.ui import PATTERN_VIEWER, PLUGIN

if TYPE_CHECKING:
    from napari import Viewer

    from napari_kikuchi.ui.pattern_viewer import PatternViewer


_PICTURE_SIZE = 1400, 900
# A pattern is prepared and drawn, and torch imported for it, long before.
_PATIENCE_S = 60.0
_SETTLED_MS = 500


def view_files(paths: Sequence[Path]) -> None:
    """Open scans and map stores in a window, and stay until it is closed.

    Raises
    ------
    FileNotFoundError
        If one of them is not there.
    OSError
        If there is no Qt binding to draw a window with.
    """
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path}: there is no such file or folder")
    viewer = new_viewer()
    for path in paths:
        viewer.open(str(path), plugin=PLUGIN)
    import napari

    napari.run()


def photograph(maps: Sequence[Path], folder: Path) -> list[Path]:
    """Open map stores one after the other, and take a picture of the window with each.

    Parameters
    ----------
    maps
        Stores of latent maps whose scans and models are in place.
    folder
        For the pictures.

    Returns
    -------
    list of pathlib.Path
        PNG files, named after the stores.
    """
    from napari_kikuchi.ui.pattern_views import View
    from napari_kikuchi.ui.session import session_of

    viewer = new_viewer()
    viewer.window.resize(*_PICTURE_SIZE)
    session = session_of(viewer)
    pictures = []
    for path in maps:
        viewer.layers.clear()
        viewer.open(str(path), plugin=PLUGIN)
        _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, PATTERN_VIEWER)
        panel.controls.choose(View.RAW, View.PREPROCESSED, View.RECONSTRUCTED)
        viewer.reset_view()
        wait_until(partial(_shows, panel, 3), "its patterns")
        let_work(_SETTLED_MS)
        picture = folder / f"{path.stem}.png"
        viewer.screenshot(str(picture), canvas_only=False, flash=False)
        pictures.append(picture)
    session.release()
    viewer.close()
    return pictures


def _shows(panel: PatternViewer, count: int) -> bool:
    return len(panel.panes.shown) == count


def new_viewer() -> Viewer:
    """A viewer with a window.

    Raises
    ------
    OSError
        If there is no Qt binding to draw it with.
    """
    try:
        import napari
        import qtpy  # noqa: F401  (raises where there is no binding)
    except ImportError as error:
        raise OSError(
            f"napari cannot open a window: {error}. Install it with a Qt binding: "
            'python -m pip install "napari[pyqt6]"'
        ) from error
    return napari.Viewer(title="napari-kikuchi")


def wait_until(ready: Callable[[], object], wanted: str, patience_s: float = _PATIENCE_S) -> None:
    """Let the window work until it shows what is wanted.

    Parameters
    ----------
    ready
        Whether it does.
    wanted
        What it is to show, for the error.
    patience_s
        Seconds to wait for it.

    Raises
    ------
    TimeoutError
        If it does not show it in time.
    """
    deadline = monotonic() + patience_s
    while not ready():
        if monotonic() > deadline:
            raise TimeoutError(f"the window did not show {wanted} within {patience_s:g} s")
        let_work(20)


def let_work(milliseconds: int) -> None:
    """Let the window work for a moment."""
    from qtpy.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()
