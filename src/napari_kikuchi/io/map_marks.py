"""Marks of maps, such as stars, in a store on disk."""

from __future__ import annotations

from pathlib import Path

from napari_kikuchi.io.map_attributes import set_mark
from napari_kikuchi.io.map_store import MapStoreError, changing
from napari_kikuchi.maps import Channel


def update_mark(path: str | Path, index: int, channel: Channel) -> None:
    """Mark a map of an existing store, leaving all else alone.

    Parameters
    ----------
    path
        Of the store.
    index
        Of the map.
    channel
        Of the map, with its new mark.

    Raises
    ------
    FileNotFoundError, MapStoreError
        As :func:`~napari_kikuchi.io.map_store.read_maps`, and if the store holds another map at
        this index by now.
    PermissionError
        If the store is write-protected.
    """
    with changing(Path(path)) as ours:
        names = [known["name"] for known in ours["channels"]]
        if names[index : index + 1] != [channel.name]:
            raise MapStoreError(
                f"{path}: expected the map {channel.name!r} in place {index + 1}, found another. "
                "The maps have been made anew: open them again."
            )
        set_mark(ours, index, channel.mark)
