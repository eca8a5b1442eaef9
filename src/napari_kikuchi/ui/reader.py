"""napari's way in: pattern files and map stores become layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_kikuchi.maps import contrast_limits
from napari_kikuchi.ui.layers import LayerData, grid, layers_of
from napari_kikuchi.ui.link import LayerLink, ScanLink
from napari_kikuchi.ui.navigator import Navigator

if TYPE_CHECKING:
    from napari_kikuchi.io import PatternFileError
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.session import Session

Paths = str | Sequence[str]
Reader = Callable[[Paths], list[Any]]

# How a reader tells napari that there is nothing to add.
_NOTHING: list[Any] = [(None,)]


def get_scan_reader(path: Paths) -> Reader | None:
    """napari's reader of pattern files; None for other files of the same extensions."""
    from napari_kikuchi.io import is_pattern_file

    return read_scan if isinstance(path, str) and is_pattern_file(path) else None


def get_map_reader(path: Paths) -> Reader | None:
    """napari's reader of map stores; None for any other zarr."""
    from napari_kikuchi.io.map_store import is_map_store

    return read_map_layers if isinstance(path, str) and is_map_store(path) else None


def read_scan(path: Paths, **options: Any) -> list[Any]:
    """Read a pattern file as a navigator layer.

    Parameters
    ----------
    path
        The file.
    **options
        Of :func:`napari_kikuchi.open_scan`.

    Returns
    -------
    list of tuple
        One layer. In a window, where the file cannot be read: no layer, and the user is told why
        and, where there is a way to open it yet, offered that.

    Raises
    ------
    PatternFileError
        Without a window, if the file cannot be read.
    """
    from napari_kikuchi.io import PatternFileError, open_scan

    session = _session()
    try:
        scan = open_scan(Path(str(path)), **options)
        if session is not None:
            scan = session.known(scan)
        return [navigator_layer(scan)]
    except PatternFileError as error:
        if session is None:
            raise
        _tell(session, Path(str(path)), options, error)
        return _NOTHING


def navigator_layer(scan: Scan) -> LayerData:
    """The navigator of a scan: a coarse map at once, refined when its layer is in a viewer."""
    navigator = Navigator.coarse(scan)
    attributes = {
        "name": f"{scan.name}: {navigator.title}",
        "contrast_limits": contrast_limits(navigator.values),
        "metadata": LayerLink(ScanLink(scan), navigator=navigator).metadata(),
        **grid(scan.step),
    }
    return navigator.values, attributes, "image"


def read_map_layers(path: Paths) -> list[Any]:
    """Read a map store as layers: one for each map, the best ones if there are many.

    Without a window, raises what :func:`napari_kikuchi.io.map_store.read_maps` raises.
    """
    from napari_kikuchi.io.map_store import MapStoreError, read_maps
    from napari_kikuchi.ui.messages import explain

    session = _session()
    store = Path(str(path))
    try:
        stack = read_maps(store)
        source = ScanLink(record=stack.provenance.get("scan"), folder=store.parent)
        others = session.viewer.layers if session is not None else ()
        return list(layers_of(stack, source, others=others))
    except (MapStoreError, OSError) as error:
        if session is None:
            raise
        explain(session.window, "These maps cannot be opened", error)
        return _NOTHING


def _session() -> Session | None:
    """The session of the viewer in which the user is, begun before anything is added to it."""
    from napari import current_viewer

    viewer = current_viewer()
    if viewer is None:
        return None
    from napari_kikuchi.ui.session import session_of

    return session_of(viewer)


def _tell(session: Session, path: Path, options: dict[str, Any], error: PatternFileError) -> None:
    from napari_kikuchi.io import PatternFileError, UnknownGridError, open_scan
    from napari_kikuchi.ui.messages import choose, explain, offer

    def reopen(**more: Any) -> None:
        found = read_scan(str(path), **options, **more)
        # Where it fails again, that has been told.
        for data, attributes, _ in found if found is not _NOTHING else ():
            session.viewer.add_image(data, **attributes)

    if isinstance(error, UnknownGridError) and error.shapes:
        # More often wide than high, but not always.
        either = dict.fromkeys(
            shape for wide in error.shapes for shape in (wide, (wide[1], wide[0]))
        )
        shapes = {f"{rows} rows × {cols} columns": (rows, cols) for rows, cols in either}
        choose(
            session.window,
            "What are the rows and columns?",
            f"{path.name} holds {error.count} patterns but not the grid of their scan.",
            list(shapes),
            lambda chosen: reopen(shape=shapes[chosen]),
        )
        return
    try:
        open_scan(path, **{**options, "allow_partial": True})
    except PatternFileError:
        explain(session.window, "This file cannot be opened", error)
    else:
        offer(
            session.window,
            "This scan is not whole",
            str(error),
            "Open what is there",
            lambda: reopen(allow_partial=True),
        )
