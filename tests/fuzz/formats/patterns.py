"""Scans of patterns that EDAX wrote."""

import numpy as np
from mutations import EXTREMES, mutate_bytes

from formats.kind import Format, made_scan
from napari_kikuchi.io import PatternFileError, open_scan, write_scan
from napari_kikuchi.io.up2 import LONG_HEADER, SHORT_HEADER
from napari_kikuchi.jobs import finish


class PatternFiles(Format):
    """UP1 and UP2, some with an ``.ang`` file beside."""

    refusals = (PatternFileError,)

    def make(self, folder):
        for name, dtype in (("a.up1", np.uint8), ("b.up2", np.uint16)):
            finish(write_scan(folder / name, made_scan(size=(8, 9), dtype=dtype)))
        patterns = (folder / "b.up2").read_bytes()[LONG_HEADER.size :]
        version_1 = SHORT_HEADER.pack(1, 9, 8, 16) + patterns
        (folder / "c.up2").write_bytes(version_1)
        (folder / "c.ang").write_text(
            "# x-star 0.5\n# y-star 0.7\n# z-star 0.6\n# GRID: SqrGrid\n# XSTEP: 0.25\n"
            "# YSTEP: 0.5\n# NCOLS_ODD: 5\n# NCOLS_EVEN: 5\n# NROWS: 4\n# \n 0.1 0.2 0.3 1 2\n"
        )
        hexagonal = LONG_HEADER.pack(3, 9, 8, LONG_HEADER.size, 0, 5, 4, 1, 0.25, 0.5)
        (folder / "d.up2").write_bytes(hexagonal + patterns[: 18 * 144])

    def spoil(self, seed, place, random):
        for file in seed.parent.glob(f"{seed.stem}.*"):
            content = file.read_bytes()
            if file.suffix == ".ang":
                content = _spoiled_ang(content, random)
            elif random.random() < 0.5:
                content = _spoiled_header(content, random)
            else:
                content = mutate_bytes(content, random)
            (place / file.name).write_bytes(content)
        return place / seed.name

    def use(self, path):
        refusal = None
        for allow_partial in (True, False):
            try:
                scan = open_scan(path, allow_partial=allow_partial)
            except PatternFileError as error:
                refusal = error
                continue
            rows, cols = scan.map_shape
            assert scan.read(rows // 2, cols - 1).shape == scan.pattern_shape
            scan.read_positions(scan.draw(4))
            scan.fingerprint()
            next(scan.blocks())
            assert scan.patterns.shape == scan.shape
        if refusal is not None:
            raise refusal

    def seeds(self, folder):
        return sorted(folder.glob("*.up?"))


def _spoiled_header(content, random):
    """A field of the header at its limits."""
    version = int.from_bytes(content[:4], "little")
    header = SHORT_HEADER if version == 1 else LONG_HEADER
    fields = list(header.unpack_from(content))
    for _ in range(random.choice((1, 1, 2, 3))):
        at = random.randrange(len(fields))
        wide = at not in (4, 7, 8, 9)
        fields[at] = random.choice(EXTREMES if wide else (0, 1, 255))
        if at > 7:
            fields[at] = random.choice((0.0, -1.0, 1e-320, 1e308, float("nan"), float("inf")))
    return header.pack(*fields) + content[header.size :]


def _spoiled_ang(content, random):
    if random.random() < 0.3:
        return mutate_bytes(content, random)
    lines = content.split(b"\n")
    at = random.randrange(len(lines))
    value = random.choice((b"-1", b"0", b"1e9", b"1000000000", b"9" * 5000, b"nan", b"x" * 10**6))
    lines[at] = lines[at].rpartition(b" ")[0] + b" " + value
    return b"\n".join(lines)
