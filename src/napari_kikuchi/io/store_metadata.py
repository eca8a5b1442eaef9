"""The zarr.json of a map store: whether a folder is one, and what is told if not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_kikuchi.io.map_attributes import FORMAT, KEY
from napari_kikuchi.untrusted import integer, mapping, own_file, read_json

METADATA = "zarr.json"
# Of an output that is not finished.
PARTIAL_SUFFIX = ".partial"


class MapStoreError(ValueError):
    """A path that holds no map store that this version can read."""


def group_attributes(path: Path) -> Mapping[str, Any]:
    """Attributes of the group of zarr in a folder.

    Raises
    ------
    FileNotFoundError
        If there is no zarr.json.
    ValueError
        If it holds something else.
    """
    document = mapping(read_json(own_file(path, path / METADATA)), METADATA)
    return mapping(document.get("attributes"), f"attributes in {METADATA}")


def store_attributes(path: Path) -> Mapping[str, Any]:
    """Attributes of a map store of this format.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    MapStoreError
        If there is something else.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no map store here")
    try:
        attributes = group_attributes(path)
        problem = "" if KEY in attributes else "something else"
    except FileNotFoundError:
        attributes, problem = {}, "something else"
    except ValueError as error:
        attributes, problem = {}, f"something else: {error}"
    if problem:
        if path.name.endswith(PARTIAL_SUFFIX):
            raise MapStoreError(
                f"{path}: this is not finished. Run the command that began it again: it goes on "
                "where it stopped."
            )
        raise MapStoreError(
            f"{path}: expected a folder of maps that napari-kikuchi wrote (a {METADATA} with the "
            f'attribute "{KEY}"), found {problem}. A scan is encoded into one with '
            "napari-kikuchi encode."
        )
    with damage_told(path):
        found = integer(mapping(attributes[KEY], KEY).get("format"), "the format of the maps", 1)
    if found != FORMAT:
        raise MapStoreError(
            f"{path}: maps of format {found}; this version of napari-kikuchi reads format "
            f"{FORMAT}. Update napari-kikuchi."
        )
    return attributes


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Name the store in which something else was found than expected.

    Raises
    ------
    MapStoreError
        For any other ValueError, and for a file that is missing.
    """
    try:
        yield
    except MapStoreError:
        raise
    except (FileNotFoundError, ValueError) as error:
        raise MapStoreError(
            f"{path}: this store of maps is damaged: {error}. Copy it again, or make the maps anew."
        ) from error
