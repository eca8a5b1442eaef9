"""Files of the EMPAD, a pixel array detector of 128 x 128 pixels.

A ``.raw`` file is nothing but frames of 130 lines of 128 float32, of which the last two are no
data. The ``.xml`` file beside it, where there is one, names it and says more.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from napari_kikuchi.calibration import Calibration
from napari_kikuchi.io.errors import PatternFileError
from napari_kikuchi.io.frames import Frames
from napari_kikuchi.io.lengths import in_micrometres
from napari_kikuchi.untrusted import is_plain_name, shortened, shown

_SIDE, _LINES = 128, 130
_PIXEL = np.dtype("<f4")
FRAME_BYTES = _LINES * _SIDE * _PIXEL.itemsize
_XML_BYTES = 2**20
# scan_x256_y128.raw
_NAMED = re.compile(r"scan_.*x(\d{1,5})_y(\d{1,5})\.raw$", re.IGNORECASE)
_XML = "the .xml file that was recorded with it"


def read_empad(path: Path) -> Frames:
    """Frames of an EMPAD.

    Parameters
    ----------
    path
        The ``.raw`` file, whose grid is that of its name, or of the ``.xml`` file beside it that
        names it; or that ``.xml`` file.

    Raises
    ------
    PatternFileError
        If the ``.xml`` file is no such one, or names no file beside it.
    """
    if path.suffix.lower() == ".xml":
        return _of_xml(path, _parsed(path))
    for xml in (path.with_suffix(".xml"), *sorted(path.parent.glob("*.xml"))[:100]):
        if xml.is_file() and names_raw(xml) == path.name:
            return replace(_of_xml(xml, _parsed(xml)), path=path)
    return _of_name(path)


def names_raw(xml: Path) -> str:
    """Name of the ``.raw`` file of an EMPAD's ``.xml`` file; empty if it is none."""
    try:
        return _raw_name(_parsed(xml))
    except PatternFileError:
        return ""


def is_empad_raw(path: Path) -> bool:
    """Whether a ``.raw`` file, of which there are many kinds, is sure to be of an EMPAD."""
    size = path.stat().st_size
    if not size or size % FRAME_BYTES:
        return False
    return _NAMED.match(path.name) is not None or any(
        names_raw(xml) == path.name for xml in sorted(path.parent.glob("*.xml"))[:100]
    )


def _of_name(raw: Path) -> Frames:
    named = _NAMED.match(raw.name)
    return Frames(
        raw,
        [(raw, 0)],
        (_SIDE, _SIDE),
        _PIXEL,
        after=(_LINES - _SIDE) * _SIDE * _PIXEL.itemsize,
        grid=(int(named[2]), int(named[1])) if named else None,
        origin="its name",
        companion=_XML,
    )


def _of_xml(xml: Path, root: ElementTree.Element) -> Frames:
    name = _raw_name(root)
    if not is_plain_name(name) or not xml.with_name(name).is_file():
        raise PatternFileError(
            f"{xml}: expected the name of an EMPAD's .raw file in the same folder, found "
            f"{shown(name)}. Put it there, or open the .raw file itself."
        )
    frames = replace(_of_name(xml.with_name(name)), path=xml)
    series = _number(root.findtext("scan_parameters/series_count"))
    cols, rows = (_number(root.findtext(tag)) for tag in ("pix_x", "pix_y"))
    if series:
        rows, cols = 1, series
    if rows and cols:
        frames = replace(frames, grid=(rows, cols), origin=xml.name)
    if frames.grid is None or rows * cols > xml.with_name(name).stat().st_size // FRAME_BYTES:
        return frames  # of which there is more to say than its scale
    scales = {axis["name"]: axis for axis in _axes(xml)}
    y, x = (in_micrometres(scales.get(name)) for name in ("scan_y", "scan_x"))
    sides = [scales.get(name) or {} for name in ("height", "width")]
    calibration = Calibration.of_axes(
        (float(sides[0].get("scale", 0)), float(sides[1].get("scale", 0))),
        (str(sides[0].get("units")), str(sides[1].get("units"))),
    )
    return replace(frames, step=(y, x), calibration=calibration)


def _axes(xml: Path) -> list[dict[str, Any]]:
    from rsciio.empad import file_reader

    try:
        return file_reader(str(xml), lazy=True)[0]["axes"]
    except Exception as error:  # It raises whatever it stumbles over.
        raise PatternFileError(
            f"{xml}: expected the .xml file of an EMPAD, found one that rosettasciio cannot read: "
            f"{shortened(error)}. Open the .raw file itself."
        ) from error


def _parsed(xml: Path) -> ElementTree.Element:
    with xml.open("rb") as file:
        content = file.read(_XML_BYTES + 1)
    try:
        if len(content) > _XML_BYTES or b"<!ENTITY" in content:
            raise ValueError(f"more than {_XML_BYTES} bytes, or entities of its own")
        return ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError) as error:
        raise PatternFileError(
            f"{xml}: expected the .xml file of an EMPAD, found something else "
            f"({shortened(error)}). Open the .raw file itself."
        ) from error


def _raw_name(root: ElementTree.Element) -> str:
    raw = root.find("raw_file")
    return "" if raw is None else (raw.get("filename") or raw.findtext("filename") or "")


def _number(text: str | None) -> int:
    """A whole number; 0 if it is none."""
    written = (text or "").strip()
    return int(written) if written.isascii() and written.isdigit() and len(written) < 7 else 0
