"""4D-STEM scans in the plain files of detectors."""

import math
import re

import numpy as np
from made_elsewhere import stem_files
from mutations import EXTREMES, mutate_bytes

from formats.kind import Format
from napari_kikuchi.io import PatternFileError, UnknownGridError, is_pattern_file, open_scan

# Fields of headers, and numbers that are written out.
_HEADERS = {
    ".blo": np.dtype("S6,<u2,<u4,<u2,<u2,<u2,<u2,<u2,<u2,<u2,<f8,<f8"),
    ".tvips": np.dtype(("<u4", 13)),
    ".mrc": np.dtype("<u4,<u4,<u4,<u4,V76,<u4"),
}
_NUMBER = re.compile(rb"\d+(\.\d+)?")
_WRITTEN = (b"", b"-1", b"0", b"1", b"1000000000", b"9" * 5000, b"nan", b"1e400", b"x", b"\xff\0")
_BESIDE = ("beside.hdr", "weld.raw")
_LENGTHS = (0.0, -1.0, 1e-320, 1e308, math.nan, math.inf)


class StemFiles(Format):
    """Files whose frames are read here, with what lies beside them, and Gatan's."""

    refusals = (PatternFileError,)

    def make(self, folder):
        patterns, square = stem_files.discs(), stem_files.discs(height=8, dtype=np.uint8)
        stem_files.mib(folder / "times.mib", patterns, pause=4)
        stem_files.mib(folder / "beside.mib", patterns, pixels="U32", header_bytes=768)
        stem_files.hdr(folder / "beside.hdr", 12, 4)
        stem_files.with_rosettasciio("blockfile", folder / "blocks.blo", square, ("nm", "cm"))
        stem_files.with_rosettasciio("tvips", folder / "tvips_000.tvips", patterns)
        stem_files.mrc(folder / "stack.mrc", patterns)
        stem_files.dm4(folder / "gatan.dm4", patterns)
        frames = stem_files.discs(2, 2, 128, 128, np.float32)
        stem_files.empad(folder / "scan_x2_y2.raw", frames)
        stem_files.empad(folder / "weld.raw", frames)
        stem_files.empad_xml(folder / "weld.xml", "weld.raw", 2, 2)

    def seeds(self, folder):
        return sorted(file for file in folder.iterdir() if file.name not in _BESIDE)

    def spoil(self, seed, place, random):
        beside = [file for file in seed.parent.glob(f"{seed.stem}*") if file != seed]
        for file in beside:
            content = file.read_bytes()
            if file.suffix == ".hdr" and random.random() < 0.7:
                content = _with_other_numbers(content, random)
            (place / file.name).write_bytes(content)
        content = seed.read_bytes()
        if random.random() < 0.4:
            content = mutate_bytes(content, random)
        elif seed.suffix in _HEADERS:
            content = _spoiled_header(content, _HEADERS[seed.suffix], random)
        elif seed.suffix == ".dm4":
            content = _spoiled_tags(content, random)
        elif seed.suffix == ".mib":
            content = _with_other_numbers(content[:60], random) + content[60:]
        elif seed.suffix == ".xml":
            content = _with_other_numbers(content, random)
        (place / seed.name).write_bytes(content)
        return place / seed.name

    def use(self, path):
        use_scan(path)


def use_scan(path):
    """Look at a 4D-STEM scan and read of it, whole or as one that was stopped."""
    is_pattern_file(path)
    refusal = None
    for allow_partial in (True, False):
        try:
            scan = _opened(path, allow_partial)
            rows, cols = scan.map_shape
            assert all(math.isfinite(step) and step > 0 for step in scan.step)
            scan.read_readable(scan.draw(4))
            assert scan.read(rows // 2, cols - 1).shape == scan.pattern_shape
            scan.fingerprint()
            next(scan.blocks())
            assert scan.patterns.shape == scan.shape
        except PatternFileError as error:
            refusal = error
    if refusal is not None:
        raise refusal


def _opened(path, allow_partial):
    try:
        return open_scan(path, allow_partial=allow_partial)
    except UnknownGridError as error:
        return open_scan(path, error.shapes[0], allow_partial=allow_partial)


def _spoiled_header(content, dtype, random):
    """Some fields at their limits, or near what they were."""
    header = np.frombuffer(content, dtype, 1).copy()
    fields = [header[name] for name in dtype.names] if dtype.names else list(header.T)
    for _ in range(random.choice((1, 1, 2, 3))):
        field = random.choice([one for one in fields if one.dtype.kind != "V"])
        match field.dtype.kind:
            case "u":
                near = (int(field[0]) + 1, int(field[0]) - 1, 2 * int(field[0]))
                field[0] = random.choice(EXTREMES + near) % 2 ** (8 * field.itemsize)
            case "f":
                field[0] = random.choice(_LENGTHS)
            case _:
                field[0] = random.randbytes(4)
    return header.tobytes() + content[dtype.itemsize :]


def _with_other_numbers(content, random):
    """Numbers that are written out replaced, and once in a while what lies between them."""
    found = list(_NUMBER.finditer(content))
    for match in random.sample(found, min(len(found), random.choice((1, 1, 2, 3)))):
        # As long as before, mostly: what follows stays where it is.
        value = random.choice(_WRITTEN)
        value = value.rjust(len(match[0]), b"0") if random.random() < 0.5 else value
        content = content[: match.start()] + value + content[match.end() :]
        if len(value) != len(match[0]):
            return content
    return content


def _spoiled_tags(content, random):
    """A number of Gatan's tags at its limits, in either order of bytes."""
    content = bytearray(content)
    for _ in range(random.choice((1, 1, 2))):
        value, size = random.choice(EXTREMES), random.choice((1, 4, 8))
        at = random.randrange(len(content) - size)
        order = random.choice(("big", "little"))
        content[at : at + size] = (value % 256**size).to_bytes(size, order)
    return bytes(content)
