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
_PATIENCE_S = 60


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
    viewer = _new_viewer()
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

    viewer = _new_viewer()
    viewer.window.resize(*_PICTURE_SIZE)
    session = session_of(viewer)
    pictures = []
    for path in maps:
        viewer.layers.clear()
        viewer.open(str(path), plugin=PLUGIN)
        _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, PATTERN_VIEWER)
        panel.controls.choose(View.RAW, View.PREPROCESSED, View.RECONSTRUCTED)
        viewer.reset_view()
        _wait(partial(_shows, panel, 3))
        picture = folder / f"{path.stem}.png"
        viewer.screenshot(str(picture), canvas_only=False, flash=False)
        pictures.append(picture)
    session.release()
    viewer.close()
    return pictures


def _shows(panel: PatternViewer, count: int) -> bool:
    return len(panel.panes.shown) == count


def _new_viewer() -> Viewer:
    try:
        import napari
        import qtpy  # noqa: F401  (raises where there is no binding)
    except ImportError as error:
        raise OSError(
            f"napari cannot open a window: {error}. Install it with a Qt binding: "
            'python -m pip install "napari[pyqt6]"'
        ) from error
    return napari.Viewer(title="napari-kikuchi")


def _wait(ready: Callable[[], bool]) -> None:
    """Let the window work until it shows what is wanted, and a moment more to lay it out."""
    deadline = monotonic() + _PATIENCE_S
    while not ready():
        if monotonic() > deadline:
            raise OSError(f"the window did not draw its patterns within {_PATIENCE_S} s")
        _let_work(50)
    _let_work(500)


def _let_work(milliseconds: int) -> None:
    from qtpy.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()
