"""CIF files of crystals."""

import re

from mutations import mutate_bytes

import cif_files
from formats.kind import Format
from napari_kikuchi.crystals.crystal import Crystal, CrystalFileError

_CELLS = ("IRON", "ZINC_BLENDE", "ZIRCONIA", "ACROSS_A", "TRICLINIC")
_OPERATIONS = (
    "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n'-x, -y, -z'\n'1/2+x, 1/2-y, z'\n"
    "'-z, 0.25+x, y-x'\n"
)
# What a number or a word may be instead.
_WRITTEN = (
    *("", "-1", "0", "1", "1e9", "9" * 5000, "nan", "inf", "1e-320", "?", ".", "'", ";", "\0", "é"),
    *("200", "2.001", "179.99", "90(5)", "90(", "x" * 10**5, "loop_", "data_b", "save_", "#", "{"),
    *("Xx", "Fe9+", "D", "227", "F d -3 m :1", "9**9**9", "open('made','w')", "1/0", "x,y", "X+-Y"),
)
_NUMBER = re.compile(r"\d+\.\d+")
_WORD = re.compile(r"[^\s,']+")


class CrystalFiles(Format):
    """CIF files, with a number of a space group or the operations of one."""

    refusals = (CrystalFileError,)

    def make(self, folder):
        for name in _CELLS:
            cif_files.write_cif(folder / f"{name.lower()}.cif", **getattr(cif_files, name))
        plain = (folder / "triclinic.cif").read_text()
        (folder / "operations.cif").write_text(plain + _OPERATIONS)

    def seeds(self, folder):
        return sorted(folder.iterdir())

    def spoil(self, seed, place, random):
        path = place / seed.name
        content = seed.read_bytes()
        if random.random() < 0.2:
            path.write_bytes(mutate_bytes(content, random))
            return path
        lines = content.decode().splitlines()
        for _ in range(random.choice((1, 1, 1, 1, 2))):
            at = random.randrange(len(lines))
            match random.randrange(6):
                case 0:
                    del lines[at]
                case 1:
                    lines[at:at] = [lines[at]] * random.choice((1, 5, 40, 5000))
                case 2:
                    lines.insert(at, random.choice(lines))
                case 3 | 4:
                    lines[at] = _with_another_number(lines[at], random)
                case _:
                    lines[at] = _with_another_word(lines[at], random)
            lines = lines or [""]
        path.write_bytes("\n".join(lines).encode())
        return path

    def use(self, path):
        crystal = Crystal.from_cif(path)
        crystal.settings()
        try:
            assert len(crystal.reflections(1.0)) >= 0
        except ValueError as error:
            # That so many are too many, or none, is told of the radius, not of the file.
            if "k_max" not in str(error):
                raise


def _with_another_number(line, random):
    """Near what it was, mostly."""
    numbers = list(_NUMBER.finditer(line))
    if not numbers:
        return line
    number = random.choice(numbers)
    value = float(number[0]) * random.choice((0.5, 0.99, 1.001, 2, 40))
    return f"{line[: number.start()]}{value:.{random.choice((1, 4))}f}{line[number.end() :]}"


def _with_another_word(line, random):
    words = list(_WORD.finditer(line))
    if not words:
        return random.choice(_WRITTEN)
    # Mostly the last one: what comes before names it.
    word = words[-1] if random.random() < 0.6 else random.choice(words)
    return line[: word.start()] + random.choice(_WRITTEN) + line[word.end() :]
