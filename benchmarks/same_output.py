"""Outputs of two runs, held against each other byte for byte.

Left out is what tells the time: the date in the provenance of maps and models, the seconds that a
training has taken (in its checkpoint and its log), and its speed (in its log).
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

_TIMES = ("date", "seconds", "patterns_per_second")
_HEADER = "napari-kikuchi"


def digests(folder: Path) -> dict[str, str]:
    """A checksum of each file below a folder, or of a file, by its path."""
    files = [folder] if folder.is_file() else sorted(folder.rglob("*"))
    return {
        file.relative_to(folder.parent).as_posix(): hashlib.sha256(timeless(file)).hexdigest()
        for file in files
        if file.is_file()
    }


def differences(found: dict[str, str], expected: dict[str, str]) -> list[str]:
    """What files are missing, too many, or of other content."""
    return (
        [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
        + [f"{name} is left over" for name in sorted(found.keys() - expected.keys())]
        + [
            f"{name} differs"
            for name in sorted(found.keys() & expected.keys())
            if found[name] != expected[name]
        ]
    )


def timeless(file: Path) -> bytes:
    """The bytes of a file without what tells the time."""
    content = file.read_bytes()
    if file.name == "zarr.json":
        return _without_times(json.loads(content))
    if file.suffix == ".jsonl":
        return b"\n".join(_without_times(json.loads(line)) for line in content.splitlines() if line)
    if file.suffix in (".safetensors", ".spots"):
        header, tensors = safetensors_header(content)
        ours = json.loads(header["__metadata__"].pop(_HEADER))
        return _without_times(ours) + _without_times(header) + tensors
    return content


def safetensors_header(content: bytes) -> tuple[dict[str, Any], bytes]:
    """JSON header of a safetensors file, and what follows it."""
    (length,) = struct.unpack_from("<Q", content)
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def checkpoint_step(file: Path) -> int | None:
    """How many steps a training's checkpoint knows of; None if there is none."""
    if not file.exists():
        return None
    header, _ = safetensors_header(file.read_bytes())
    return json.loads(header["__metadata__"][_HEADER])["state"]["step"]


def _without_times(document: Any) -> bytes:
    return json.dumps(_pruned(document)).encode()


def _pruned(document: Any) -> Any:
    if isinstance(document, dict):
        return {k: _pruned(value) for k, value in document.items() if k not in _TIMES}
    if isinstance(document, list):
        return [_pruned(value) for value in document]
    return document
