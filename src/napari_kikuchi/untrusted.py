"""Files that anyone may have written: read within bounds, and their values checked before use.

What is wrong is raised as a ValueError that tells what was expected and what was found; whoever
knows the file names it.
"""

from __future__ import annotations

import json
import reprlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Of one JSON document. What Python makes of it takes at most some hundred bytes a value: with all
# three bounds reached, less than 200 MB.
MOST_BYTES = 16 * 2**20
MOST_VALUES = 500_000
MOST_LEVELS = 64
# Fits all that counts something, and no more than float64 holds exactly.
_MOST = 2**53


def shown(value: object) -> str:
    """A value as an error shows it: not longer than a line."""
    short = reprlib.Repr()
    short.maxlevel, short.maxstring, short.maxother = 2, 60, 60
    return short.repr(value).encode("utf-8", "backslashreplace").decode()


def shortened(message: object) -> str:
    """What others say, not longer than a person reads."""
    words = str(message)
    return words if len(words) <= 300 else f"{words[:300]}…"


def own_file(root: Path, file: Path) -> Path:
    """A file below a folder that may hold links and things that are no files.

    Raises
    ------
    FileNotFoundError
        If there is no such regular file: what waits for a writer, as a pipe does, is never opened.
    ValueError
        If a link leads out of the folder.
    """
    if not file.is_file():
        raise FileNotFoundError(f"{file}: expected a file, found none")
    if not file.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"{file} is a link that leads out of its folder, to {file.resolve()}")
    return file


def is_plain_name(name: object) -> bool:
    """Whether something is the name of an entry of a folder, on every system, and no way out."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= 200
        and name.strip(". ") != ""
        and not any(character in '/\\:*?"<>|' or character < " " for character in name)
    )


def read_json(file: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    ValueError
        As :func:`parse_json`.
    """
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"expected at most {MOST_BYTES} bytes of JSON, found {size}")
    with file.open("rb") as opened:
        return parse_json(opened.read(MOST_BYTES + 1))


def parse_json(text: str | bytes) -> Any:
    """What a JSON document says.

    Raises
    ------
    ValueError
        If it is none, is larger or nested more deeply than any that is written here, gives a name
        twice or holds text that is no Unicode.
    """
    if len(text) > MOST_BYTES:
        raise ValueError(f"expected at most {MOST_BYTES} bytes of JSON, found {len(text)}")
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        raise ValueError(f"expected JSON in UTF-8, found other bytes ({error.reason})") from error
    values = sum(text.count(sign) for sign in ",[{")
    if values > MOST_VALUES:
        raise ValueError(f"expected JSON of at most {MOST_VALUES} values, found {values}")
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise ValueError(f"expected JSON, found something else ({error})") from error
    except RecursionError:
        raise ValueError(f"expected JSON of at most {MOST_LEVELS} levels, found more") from None
    _check_inside(document)
    return document


def same_json(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: for Python 1, 1.0 and True are alike."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        *_, twice = (
            name for name, count in Counter(name for name, _ in pairs).items() if count > 1
        )
        raise ValueError(f"expected each name once in JSON, found {shown(twice)} twice")
    return found


def _integer(digits: str) -> int:
    # Python itself refuses some thousands of digits, in words of its own.
    if len(digits) > 400:
        raise ValueError(f"expected numbers in JSON, found one of {len(digits)} digits")
    return int(digits)


def _check_inside(document: Any) -> None:
    level = [document]
    for _ in range(MOST_LEVELS):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner.extend(value)
                inner.extend(value.values())
            elif isinstance(value, list):
                inner.extend(value)
            elif isinstance(value, str) and not value.isascii():
                _check_text(value)
        if not inner:
            return
        level = inner
    raise ValueError(f"expected JSON of at most {MOST_LEVELS} levels, found more")


def _check_text(value: str) -> None:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"expected text in Unicode, found {shown(value)}") from error


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """A value that has to be a JSON object."""
    if not isinstance(value, Mapping):
        raise ValueError(f"expected {what} as a JSON object, found {shown(value)}")
    return value


def sequence(value: Any, what: str, length: int | None = None) -> Sequence[Any]:
    """A value that has to be a list, perhaps of some length."""
    if not isinstance(value, list | tuple) or (length is not None and len(value) != length):
        wanted = "a list" if length is None else f"a list of {length}"
        raise ValueError(f"expected {what} as {wanted}, found {shown(value)}")
    return value


def text(value: Any, what: str, most: int = 4096) -> str:
    """A value that has to be text of a length: most is said in less than the longest path takes."""
    if not isinstance(value, str):
        raise ValueError(f"expected {what} as text, found {shown(value)}")
    if len(value) > most:
        raise ValueError(f"expected {what} in at most {most} characters, found {len(value)}")
    return value


def truth(value: Any, what: str) -> bool:
    """A value that has to be true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"expected {what} as true or false, found {shown(value)}")
    return value


def integer(value: Any, what: str, least: int = 0, most: int = _MOST) -> int:
    """A value that has to be a whole number within limits."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(
            f"expected {what} as a whole number from {least} to {most}, found {shown(value)}"
        )
    return value


def number(value: Any, what: str, least: float = -1e300, most: float = 1e300) -> float:
    """A value that has to be a finite number within limits."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        limits = "" if (least, most) == (-1e300, 1e300) else f" from {least:g} to {most:g}"
        raise ValueError(f"expected {what} as a finite number{limits}, found {shown(value)}")
    return float(value)


def positive(value: Any, what: str) -> float:
    """A value that has to be a finite number greater than zero."""
    found = number(value, what)
    if found <= 0:
        raise ValueError(f"expected {what} as a number greater than 0, found {shown(value)}")
    return found
