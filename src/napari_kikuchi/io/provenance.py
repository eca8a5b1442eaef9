"""The provenance of maps as a file tells it, checked: others may have written it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from napari_kikuchi.untrusted import integer, mapping, positive, sequence, text, truth

_Check = Callable[[Any, str], object]


def checked_provenance(found: Any) -> Mapping[str, Any]:
    """The provenance of maps, of which all that is used here is of the type it should be.

    What it does not tell is left open; what is not known here stays as it is.

    Raises
    ------
    ValueError
        If an entry is of another type.
    """
    provenance = mapping(found, "the provenance")
    _check(provenance, "the provenance", _PROVENANCE)
    return provenance


def _check(found: Any, what: str, checks: Mapping[str, _Check]) -> None:
    entries = mapping(found, what)
    for name, check in checks.items():
        if entries.get(name) is not None:
            check(entries[name], f"{name} in {what}")


def _entries(checks: Mapping[str, _Check]) -> _Check:
    return lambda found, what: _check(found, what, checks)


def _count(found: Any, what: str) -> int:
    return integer(found, what, 1)


def _list_of(check: _Check, length: int | None = None) -> _Check:
    def check_all(found: Any, what: str) -> None:
        for one in sequence(found, what, length):
            check(one, f"what is in {what}")

    return check_all


def _check_unreadable(found: Any, what: str) -> None:
    unreadable = mapping(found, what)
    _count(unreadable.get("count"), f"count in {what}")
    _list_of(_list_of(integer, 3))(unreadable.get("runs"), f"runs in {what}")


def _check_not_finite(found: Any, what: str) -> None:
    not_finite = mapping(found, what)
    for name in ("patterns", "pixels"):
        _count(not_finite.get(name), f"{name} in {what}")
    text(not_finite.get("fate"), f"fate in {what}")


def _check_phase(found: Any, what: str) -> None:
    phase = mapping(found, what)
    text(phase.get("name"), f"the name of {what}")
    integer(phase.get("space_group"), f"the space group of {what}", 1, 230)
    for length in sequence(phase.get("lattice"), f"the lattice of {what}", 6):
        positive(length, f"the lattice of {what}")


_OPTIONS: dict[str, _Check] = {
    "shape": _list_of(_count, 2),
    "step": _list_of(positive, 2),
    "scan": text,
    "crop": truth,
    "flip": truth,
    "allow_partial": truth,
}
_SCAN: dict[str, _Check] = {
    "path": text,
    "name": text,
    "options": _entries(_OPTIONS),
    "grid": text,
    "technique": text,
    "fingerprint": mapping,
}
_MODEL: dict[str, _Check] = {
    "kind": text,
    "latent": _count,
    "weights": text,
    "path": text,
    "provenance": mapping,
}
_INDEXING: dict[str, _Check] = {
    "phase": _check_phase,
    "phases": _list_of(_check_phase),
    "library": _entries({"voltage": positive}),
}
_PROVENANCE: dict[str, _Check] = {
    "unreadable": _check_unreadable,
    "not_finite": _check_not_finite,
    "method": text,
    "scan": _entries(_SCAN),
    "model": _entries(_MODEL),
    "step": _list_of(positive, 2),
    "recipe": mapping,
    "settings": mapping,
    "familiarity": _entries({"known": truth}),
    "indexing": _entries(_INDEXING),
    "microstructure": _entries({"made": text, "seed": integer}),
    "together": _list_of(lambda found, _: checked_provenance(found)),
}
