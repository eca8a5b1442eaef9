"""4D-STEM scans in HDF5 and zarr."""

import math
import shutil

import h5py
import numpy as np
from made_elsewhere import stem_files
from mutations import mutate_bytes, mutate_json

from formats.kind import Format
from formats.stem import use_scan
from napari_kikuchi.io import PatternFileError

_ATTRIBUTES = (
    *(0, -1, 1, 2**63 - 1, 0.0, 1e-320, 1e308, math.nan, math.inf, True),
    *("", "nm", "EBSD", "1/nm", "x" * 50_000, b"\xff\xfe", "é"),
    np.zeros(0),
    np.zeros((2, 3)),
    np.array(["a", "b"], object),
    h5py.Empty("f8"),
    1 + 2j,
)
_SHAPES = (
    *((), (0,), (12,), (3, 4, 6, 8, 1), (0, 4, 6, 8), (3, 4, 0, 8), (1, 1, 1, 1)),
    *((10**6, 10**6, 16, 16), (2**32, 2**31, 1, 1), (1, 1, 60_000, 8), (3, 4, 16_384, 16_384)),
)
_TYPES = (
    "u1",
    ">u2",
    "f2",
    "f8",
    "c8",
    "S4",
    "?",
    "u8",
    [("a", "u2"), ("b", "f4")],
    h5py.ref_dtype,
)


class SignalFiles(Format):
    """Files of HyperSpy, Berkeley and py4DSTEM."""

    refusals = (PatternFileError,)

    def make(self, folder):
        patterns = stem_files.discs()
        stem_files.with_rosettasciio("hspy", folder / "hyperspy.hspy", patterns)
        stem_files.with_rosettasciio("emd", folder / "berkeley.emd", patterns)
        packed = {"chunks": (1, 2, 6, 8), "compression": "gzip", "shuffle": True}
        stem_files.py4dstem(folder / "cube.h5", patterns, **packed)
        stem_files.zspy(folder / "folder.zspy", patterns)

    def seeds(self, folder):
        return sorted(folder.iterdir())

    def spoil(self, seed, place, random):
        target = place / seed.name
        if seed.is_dir():
            shutil.copytree(seed, target)
            _spoil_folder(target, random)
        elif random.random() < 0.5:
            target.write_bytes(_spoiled_bytes(seed.read_bytes(), random))
        else:
            shutil.copy(seed, target)
            with h5py.File(target, "r+") as file:
                for _ in range(random.choice((1, 1, 2, 3))):
                    _spoil_member(file, random)
        return target

    def use(self, path):
        use_scan(path)


def _spoil_folder(folder, random):
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    telling = [file for file in files if file.name == ".zarray"] + [
        file for file in files if file.parent.name.startswith("axis")
    ]
    for _ in range(random.choice((1, 1, 1, 2))):
        file = random.choice(files if random.random() < 0.4 else telling)
        match random.randrange(12):
            case 0:
                file.unlink(missing_ok=True)
            case 1 if file.exists():
                file.write_bytes(random.choice(files[:1] + telling[:1]).read_bytes())
            case 2:
                (file.parent / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
            case _ if file.exists():
                content = file.read_bytes()
                try:
                    content = mutate_json(content.decode(), random)
                except (ValueError, RecursionError):  # values, or spoilt already
                    content = mutate_bytes(content, random)
                file.write_bytes(content)


def _spoiled_bytes(content, random):
    """Most of a file is structure, wherever it is."""
    if random.random() < 0.5:
        return mutate_bytes(content, random)
    begin = random.randrange(len(content))
    end = begin + random.choice((8, 64, 512))
    return content[:begin] + mutate_bytes(content[begin:end], random) + content[end:]


def _spoil_member(file, random):
    """An attribute, a dataset or a link of a file that HDF5 can still open."""
    names = []
    file.visit(names.append)
    if not names:
        return
    axes = [name for name in names if "axis-" in name or "/dim" in name]
    data = [name for name in names if name.rpartition("/")[2] in ("data", "datacube")]
    name = random.choice(random.choice([names, axes or names, data or names]))
    match random.randrange(5):
        case 0:
            del file[name]
        case 1:
            _spoil_link(file, name, random)
        case 2:
            del file[name]
            _new_dataset(file, name, random)
        case _:
            attributes = file[name].attrs
            known = [*attributes, "scale", "units", "emd_group_type", "signal_type"]
            attributes[random.choice(known)] = random.choice(_ATTRIBUTES)


def _spoil_link(file, name, random):
    link = random.choice(
        (
            h5py.SoftLink(f"/{name}"),
            h5py.SoftLink("/nowhere"),
            h5py.SoftLink("/"),
            h5py.ExternalLink("missing.h5", "/data"),
            file["/"],
        )
    )
    del file[name]
    file[name] = link


def _new_dataset(file, name, random):
    shape, dtype = random.choice(_SHAPES), random.choice(_TYPES)
    large = math.prod(shape) > 10**5
    chunks = tuple(min(side, 64) for side in shape) if large else None
    file.create_dataset(name, shape, dtype, chunks=chunks)
