"""napari's way out: layers of maps, and the regions drawn on them, become one file or store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.explore.segmentation import is_numbered, numbered
from napari_kikuchi.io.gathered import GatheredMaps, provenance_of
from napari_kikuchi.jobs import Job
from napari_kikuchi.maps import Channel, MapStack, Region
from napari_kikuchi.ui.layers import LayerData
from napari_kikuchi.ui.link import KEY, LayerLink
from napari_kikuchi.ui.marks import marks_of
from napari_kikuchi.ui.symmetry_layer import shows_symmetry, symmetry_values
from napari_kikuchi.ui.work import run_live

if TYPE_CHECKING:
    from numpy.typing import NDArray


class LayerSaveError(RuntimeError):
    """Layers that do not make one stack of maps. (napari is silent about a ValueError.)"""


def write_map_layers(path: str, layers: Sequence[LayerData]) -> list[str]:
    """Save layers as a map store.

    Parameters
    ----------
    path
        Folder to write; one that holds a map store is replaced. A name that does not end with
        ``.zarr`` gets that ending, by which napari knows maps when they are opened again.
    layers
        Data, attributes and type of each layer, see :func:`stack_of`.

    Returns
    -------
    list of str
        The path written.

    Raises
    ------
    LayerSaveError
        If the layers make no map stack, or if maps would be lost.
    FileExistsError
        If something lies at ``path`` that is no map store, or there where its ending was added:
        nobody was asked whether to replace that.
    """
    return _write(path, layers, ".zarr")


def write_tiff_layers(path: str, layers: Sequence[LayerData]) -> list[str]:
    """Save layers as one TIFF, see :func:`~napari_kikuchi.io.tiff_maps.write_tiff_maps`.

    Parameters, endings and errors are those of :func:`write_map_layers`.
    """
    return _write(path, layers, ".tif")


def write_hdf5_layers(path: str, layers: Sequence[LayerData]) -> list[str]:
    """Save layers as HDF5, see :func:`~napari_kikuchi.io.hdf5_maps.write_hdf5_maps`.

    Parameters, endings and errors are those of :func:`write_map_layers`.
    """
    return _write(path, layers, ".h5")


def _write(path: str, layers: Sequence[LayerData], ending: str) -> list[str]:
    """Save layers as the ending of the path says; one that says nothing is given this ending.

    In napari's dialog the kind that is chosen and the ending that is typed may differ.
    """
    target = Path(path)
    write = _WRITERS.get(target.suffix.lower())
    if write is None:
        target, write = target.with_name(target.name + ending), _WRITERS[ending]
        if target.exists():
            raise FileExistsError(
                f"{target} is there already. Save under its full name to replace."
            )
    return [str(write(target, stack_of(layers)))]


def _write_store(target: Path, stack: MapStack) -> Path:
    from napari_kikuchi.io.map_store import write_maps

    _check_nothing_lost(target, stack)
    write_maps(target, stack)
    return target


def _write_tiff(target: Path, stack: MapStack) -> Path:
    from napari_kikuchi.io.tiff_maps import write_tiff_maps

    return _finished(write_tiff_maps(target, stack))


def _write_hdf5(target: Path, stack: MapStack) -> Path:
    from napari_kikuchi.io.hdf5_maps import write_hdf5_maps

    return _finished(write_hdf5_maps(target, stack))


def _finished(job: Job[Path]) -> Path:
    try:
        return run_live(job, "Saving the maps")
    except ValueError as error:  # of which napari says nothing
        raise LayerSaveError(str(error)) from error


_WRITERS = {
    ".zarr": _write_store,
    ".tif": _write_tiff,
    ".tiff": _write_tiff,
    ".h5": _write_hdf5,
}


def stack_of(layers: Sequence[LayerData]) -> MapStack:
    """The map stack that some layers show.

    Parameters
    ----------
    layers
        Data, attributes and type of each, from the bottom of the layer list to its top. Images
        and labels are the maps, shapes the regions drawn on them. A layer that shows a whole stack
        in turn stands for those of its maps that have no layer of their own. Points, such as the
        mark of a held position, are left out.

    Returns
    -------
    MapStack
        Maps in the order in which their stack holds them, then those of no stack, the topmost
        first.

    Raises
    ------
    LayerSaveError
        If there is no map, or if the maps differ in shape, step or scan.
    """
    of_maps = [one for one in layers if one[2] in ("image", "labels")]
    maps = [_own_map(one) for one in reversed(of_maps) if not _shows_whole_stack(one)]
    for one in of_maps:
        if _shows_whole_stack(one):
            there = {(id(one.stack), one.index) for one in maps}
            whole = _stack_maps(one[1]["metadata"][KEY])
            maps += [one for one in whole if (id(one.stack), one.index) not in there]
    if not maps:
        raise LayerSaveError("These layers hold no map: select at least one image layer.")
    _check_alike(maps, "shape", lambda one: one.shape)
    _check_alike(maps, "step in µm", lambda one: one.step)
    linked = [one for one in maps if one.link is not None]
    if linked:
        _check_alike(linked, "scan", lambda one: one.scan)
    maps.sort(key=lambda one: (one.stack is None, one.index))
    stacks = list({id(one.stack): one.stack for one in maps if one.stack is not None}.values())
    return MapStack(
        values=GatheredMaps(
            [one.read for one in maps],
            maps[0].shape,
            np.result_type(*(one.dtype for one in maps)),
        ),
        channels=[one.channel for one in maps],
        step=maps[0].step,
        provenance=provenance_of(stacks),
        regions=[
            region
            for data, attributes, kind in layers
            if kind == "shapes"
            for region in _regions(data, attributes, of_maps[-1])
        ],
        arrays=stacks[0].arrays if len(stacks) == 1 else {},
    )


@dataclass(frozen=True, eq=False)
class _Map:
    """One map to be saved: read when it is written, because all together may not fit."""

    channel: Channel
    read: Callable[[], NDArray]
    shape: tuple[int, ...]
    dtype: np.dtype
    step: tuple[float, float]
    link: LayerLink | None = None
    index: int = 0

    @property
    def scan(self) -> Path | str:
        """What tells the scan from others."""
        assert self.link is not None
        return self.link.source.path or self.link.source.name

    @property
    def stack(self) -> MapStack | None:
        return None if self.link is None else self.link.stack


def _link(layer: LayerData) -> LayerLink | None:
    _, attributes, kind = layer
    link: LayerLink | None = attributes["metadata"].get(KEY)
    if link is None or kind == "image":
        return link
    # napari copies a map's metadata to the labels that it makes of it; they are another map.
    if link.stack is None or link.channel is None:
        return LayerLink(link.source)
    if shows_symmetry(link):
        return link
    return link if is_numbered(link.stack.channels[link.channel]) else LayerLink(link.source)


def _shows_whole_stack(layer: LayerData) -> bool:
    link = _link(layer)
    return link is not None and link.browsed


def _own_map(layer: LayerData) -> _Map:
    data, attributes, kind = layer
    link, name = _link(layer), attributes["name"]
    known, index = Channel(""), 0
    if link is not None and link.stack is not None and link.channel is not None:
        index = link.channel
        known = marks_of(link.stack).channels[index]
    # What is to stand beside maps of floats is one.
    dtype = np.dtype(np.float32 if kind == "labels" else data.dtype)
    read: Callable[[], NDArray] = partial(np.asarray, data, dtype)
    if kind != "labels":
        colormap = _colormap(attributes["colormap"])
    elif shows_symmetry(link):
        colormap, name, read = known.colormap, known.name, partial(symmetry_values, data)
    else:
        colormap = numbered(name).colormap
    return _Map(
        channel=replace(known, name=name, colormap=colormap),
        read=read,
        shape=tuple(data.shape),
        dtype=dtype,
        step=_step(attributes),
        link=link,
        index=index,
    )


def _colormap(colormap: Any) -> str:
    return colormap["name"] if isinstance(colormap, dict) else str(colormap)


def _stack_maps(link: LayerLink) -> Iterator[_Map]:
    stack = link.stack
    assert stack is not None
    for index, channel in enumerate(marks_of(stack).channels):
        yield _Map(
            channel=channel,
            read=partial(stack.map, index),
            shape=tuple(stack.map_shape),
            dtype=np.dtype(stack.values.dtype),
            step=stack.step,
            link=link,
            index=index,
        )


def _step(attributes: dict[str, Any]) -> tuple[float, float]:
    y, x = (float(step) for step in attributes["scale"][-2:])
    return y, x


def _check_alike(maps: Sequence[_Map], what: str, value: Callable[[_Map], Any]) -> None:
    first, *others = maps
    for other in others:
        if value(other) != value(first):
            raise LayerSaveError(
                f"Maps of one store are of one {what}, but {first.channel.name!r} has "
                f"{value(first)} and {other.channel.name!r} has {value(other)}. Select the layers "
                "of one scan and save the others to a store of their own."
            )


def _check_nothing_lost(path: Path, stack: MapStack) -> None:
    """Refuse to replace an encoding by a part of it: maps that are shown from it would change."""
    from napari_kikuchi.io.map_store import is_map_store, read_maps

    if not is_map_store(path):
        return
    existing = read_maps(path)
    if existing.provenance == stack.provenance and len(existing) > len(stack):
        raise LayerSaveError(
            f"{path} holds {len(existing)} maps of this encoding, of which only {len(stack)} are "
            "selected; replacing it would lose the others. Choose another name."
        )


def _regions(data: Any, attributes: dict[str, Any], below: LayerData) -> Iterator[Region]:
    """Shapes as they lie on a map, wherever that lies."""
    from napari.layers import Layer

    shapes = Layer.create(data, attributes, "shapes")
    ground = Layer.create(*below)
    names = shapes.features.get("name", [""] * shapes.nshapes)
    for i, (vertices, kind, name) in enumerate(
        zip(shapes.data, shapes.shape_type, names, strict=True)
    ):
        places = [ground.world_to_data(shapes.data_to_world(vertex)[-2:]) for vertex in vertices]
        yield Region(
            name=name if isinstance(name, str) and name else f"region {i + 1}",
            shape_type=kind,
            vertices=tuple((float(y), float(x)) for y, x in np.multiply(places, _step(below[1]))),
        )
