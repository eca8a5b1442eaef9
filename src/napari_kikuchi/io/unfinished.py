"""What there is of an output that is being made: a folder beside it, with which a job goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import uuid4

from napari_kikuchi import __version__
from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.io.journal import as_noted, check_same
from napari_kikuchi.io.output import check_room
from napari_kikuchi.io.store_metadata import PARTIAL_SUFFIX
from napari_kikuchi.untrusted import is_plain_name, mapping, own_file, read_json

_MANIFEST, _JOURNAL, _STORE = "manifest.json", "done.jsonl", "store-"
_MODEL, _PREPARATION = "model.safetensors", "preparation.safetensors"


class Content(Protocol):
    """What is filled in, block by block."""

    @property
    def file(self) -> Path:
        """Holds the values."""
        ...

    def is_whole(self) -> bool:
        """Whether the file is there and as long as it has to be."""
        ...


AnyContent = TypeVar("AnyContent", bound=Content)


@dataclass(frozen=True)
class Unfinished:
    """The folder ``<output>.partial``, which is there until the output is finished.

    Its manifest says what the output depends on, its journal what of it is done. What is made lies
    under a name of its own: whoever still writes what was begun before writes nothing there.

    Attributes
    ----------
    output
        Where it goes when it is finished.
    what
        A word for it, such as ``"maps"``.
    """

    output: Path
    what: str

    @property
    def folder(self) -> Path:
        """The folder; absolute, for processes that run elsewhere."""
        return self.output.with_name(self.output.name + PARTIAL_SUFFIX).absolute()

    @property
    def journal(self) -> Path:
        """Says what is done."""
        return self.folder / _JOURNAL

    @property
    def model(self) -> Path:
        """For a model that other processes read, which goes when the folder does."""
        return self.folder / _MODEL

    @property
    def preparation(self) -> Path:
        """For how patterns are prepared."""
        return self.folder / _PREPARATION

    def open(
        self,
        identity: Mapping[str, Any],
        at: Callable[[Path], AnyContent],
        make: Callable[[Path], AnyContent],
        *,
        room: int,
        resume: bool,
    ) -> AnyContent:
        """Begin, or go on with what was begun.

        Parameters
        ----------
        identity
            What the output depends on beside the version of this package, fit for JSON.
        at, make
            Give the content at a path: as it was made there, and made anew.
        room
            Bytes that it takes.
        resume
            False begins anew whatever was begun before.

        Raises
        ------
        FileExistsError
            If something else lies at the place of the folder.
        ResumeError
            If what was begun has another identity.
        DiskFullError
            If there is no room.
        """
        # What another version has made may be of another kind.
        wanted = as_noted({"version": __version__, **identity})
        begun = self._begun(at)
        if resume and begun is not None:
            content, depends = begun
            check_same(self.folder, depends, wanted, self.what)
            if content.is_whole():
                return content
        self.remove()
        self.folder.mkdir(parents=True, exist_ok=True)
        check_room(self.output, room)
        store = f"{_STORE}{uuid4().hex[:8]}"
        content = make(self.folder / store)
        # Written last: it says that the content has been made.
        with replacing(self.folder / _MANIFEST) as file:
            file.write_text(json.dumps({"store": store, **wanted}, indent=2), encoding="utf-8")
        return content

    def remove(self) -> None:
        """Remove the folder, with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _begun(self, at: Callable[[Path], AnyContent]) -> tuple[AnyContent, dict[str, Any]] | None:
        """What was begun and its identity; None if nothing was, or only its remains are left."""
        folder = self.folder
        if (folder.exists() or folder.is_symlink()) and not _is_ours(folder):
            raise FileExistsError(
                f"{folder}: unfinished {self.what} go here, but something else lies here. Move it "
                "away, or write to another name."
            )
        try:
            manifest = read_json(own_file(folder, folder / _MANIFEST))
            identity = dict(mapping(manifest, _MANIFEST))
            store = identity.pop("store", None)
            # Blocks are written into it: a name alone, which does not lead out of the folder.
            if not (is_plain_name(store) and store.startswith(_STORE)):
                return None
            content = at(folder / store)
            own_file(folder, content.file)
        except (FileNotFoundError, ValueError):
            return None
        return content, identity


def _is_ours(folder: Path) -> bool:
    """Whether nothing lies there but what is made here: no link to another place.

    What systems leave in any folder, such as ``.DS_Store``, does not count.
    """
    return (
        folder.is_dir()
        and not folder.is_symlink()
        and all(not file.is_symlink() and _is_written(file) for file in folder.iterdir())
    )


def _is_written(file: Path) -> bool:
    if file.name.startswith((_STORE, ".")):
        return file.is_dir() or file.is_file()
    name = file.name.removesuffix(PARTIAL_SUFFIX)
    return name in (_MANIFEST, _JOURNAL, _MODEL, _PREPARATION) and file.is_file()
