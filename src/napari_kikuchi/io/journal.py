"""What an unfinished output notes of itself, so that it can be gone on with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_kikuchi.untrusted import MOST_BYTES, parse_json, shortened


class ResumeError(ValueError):
    """Something unfinished that belongs to something else than what is to be written."""


def note(journal: Path, content: Any) -> None:
    """Add a line of JSON to a journal."""
    with journal.open("a", encoding="utf-8") as file:
        # A line that a crash cut short does not take this one with it.
        file.write(f"\n{json.dumps(content)}")


def notes(journal: Path) -> list[Any]:
    """What was noted; nothing if there is no journal. A line that was cut short counts as none."""
    if not journal.is_file():
        return []
    found = []
    with journal.open("rb") as file:
        # Of a large scan there are very many lines, but each is short.
        while line := file.readline(MOST_BYTES):
            try:
                found.append(parse_json(line))
            except ValueError:
                continue
    return found


def as_noted(identity: Mapping[str, Any]) -> dict[str, Any]:
    """What an output depends on, as JSON gives it back: lists for tuples."""
    return json.loads(json.dumps(identity))


def check_same(path: Path, begun: Mapping[str, Any], wanted: Mapping[str, Any], what: str) -> None:
    """Check that what was begun is what is to be written.

    Parameters
    ----------
    path
        Of what was begun.
    begun, wanted
        What the one and the other depend on, as noted.
    what
        A word for it.

    Raises
    ------
    ResumeError
        If they are not the same; says what differs.
    """
    if begun != wanted:
        raise ResumeError(
            f"{path}: these unfinished {what} belong to something else: "
            f"{shortened('; '.join(_differences(begun, wanted)))}. Begin anew (resume=False, "
            "--restart), or write to another name."
        )


def _differences(begun: Any, wanted: Any, name: str = "") -> list[str]:
    """What differs between two JSON documents, for a person to read."""
    if not (isinstance(begun, dict) and isinstance(wanted, dict)):
        return [] if begun == wanted else [f"{name} was {begun}, now {wanted}"]
    return [
        difference
        for key in {**begun, **wanted}
        for difference in _differences(
            begun.get(key), wanted.get(key), f"{name} {key}".strip().replace("_", " ")
        )
    ]
