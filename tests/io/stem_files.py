"""Small 4D-STEM files: by rosettasciio where it writes them, else by hand as they are described."""

import struct
import warnings
from pathlib import Path

import h5py
import numpy as np

STEP_NM = (2.5, 1.25)
PIXEL = (0.2, 0.1)


def discs(rows=3, cols=4, height=6, width=8, dtype=np.uint16):
    """Patterns no two of which are alike, nor alike turned or mirrored."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 255, (rows, cols, height, width)).astype(dtype)


def signal(patterns, units=("nm", "1/nm")):
    """A signal as rosettasciio writes it."""
    scales = *STEP_NM, *PIXEL
    axes = [
        {
            "name": name,
            "size": size,
            "scale": scale,
            "offset": 0.0,
            "units": units[i // 2],
            "navigate": i < 2,
            "index_in_array": i,
        }
        for i, (name, size, scale) in enumerate(
            zip(("y", "x", "dy", "dx"), patterns.shape, scales, strict=True)
        )
    ]
    return {
        "data": patterns,
        "axes": axes,
        "metadata": {
            "General": {"title": "weld"},
            "Signal": {"signal_type": "electron_diffraction"},
        },
        "original_metadata": {},
        "attributes": {"_lazy": False},
        "package_info": {"package": "hyperspy", "package_version": "2.3"},
        "tmp_parameters": {},
        "learning_results": {},
        "models": {},
    }


def with_rosettasciio(plugin: str, path: Path, patterns, units=("nm", "1/nm"), **options):
    """Write patterns with one of its writers."""
    from importlib import import_module

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about units
        import_module(f"rsciio.{plugin}").file_writer(str(path), signal(patterns, units), **options)
    return path


def read_with_rosettasciio(plugin: str, path: Path, **options):
    """Array of the first signal of a file, lazily read, in memory."""
    from importlib import import_module

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(
            import_module(f"rsciio.{plugin}").file_reader(str(path), **options)[0]["data"]
        )


def mib(path: Path, patterns, pause=None, pixels="U16", header_bytes=384):
    """Frames of a Merlin detector; after every ``pause`` of them it takes longer to the next."""
    height, width = patterns.shape[-2:]
    stored = patterns.reshape(-1, height, width)[:, ::-1]
    with path.open("wb") as file:
        for number, frame in enumerate(stored):
            late = 0 if pause is None else number // pause
            micros = 20 * number + 100 * late
            header = (
                f"MQ1,{number + 1:06d},{header_bytes:05d},01,{width:04d},{height:04d},{pixels},"
                f"   1x1,01,2020-01-01T10:00:00.{micros:06d}000Z,0.001000,0,0,0,1.2E+2,"
                f"5.11E+2,MQ1A,2020-01-01T10:00:00.{micros:06d}000Z,1000000ns,6"
            )
            # What rosettasciio reads last of all: time and exposure, then the counter's depth.
            file.write(header.encode().ljust(header_bytes - 1) + b",")
            file.write(frame.astype(f">u{int(pixels[1:]) // 8}").tobytes())
    return path


def hdr(path: Path, count: int, cols: int):
    """Settings beside a .mib file."""
    path.write_text(
        "HDR,\t\nFrames in Acquisition (Number):\t"
        f"{count}\nFrames per Trigger (Number):\t{cols}\nEnd\t\n"
    )


def mrc(path: Path, patterns):
    """A stack of frames."""
    mode = {"u1": 0, "i2": 1, "f4": 2, "u2": 6}[patterns.dtype.str[1:]]
    height, width = patterns.shape[-2:]
    header = struct.pack("<4I", width, height, patterns[..., 0, 0].size, mode)
    header += struct.pack("<6I", 0, 0, 0, width, height, 1) + struct.pack("<3f", width, height, 1)
    path.write_bytes(header.ljust(1024, b"\0") + patterns.tobytes())
    return path


def empad(path: Path, patterns, footer=np.nan):
    """Frames of 128 x 128 pixels with two lines of no data after each."""
    frames = np.full((*patterns.shape[:2], 130, 128), footer, "<f4")
    frames[..., :128, :] = patterns
    path.write_bytes(frames.tobytes())
    return path


def empad_xml(path: Path, raw: str, rows: int, cols: int, field="[2e-8, 1e-8]"):
    """What an EMPAD of software 0.51 writes beside it."""
    path.write_text(
        f'<root name="weld"><raw_file filename="{raw}" /><pix_x>{cols}</pix_x>'
        f"<pix_y>{rows}</pix_y><iom_measurements>"
        f"<optics.get_full_scan_field_of_view>{field}</optics.get_full_scan_field_of_view>"
        "<calibrated_pixelsize>2e-10</calibrated_pixelsize></iom_measurements></root>"
    )
    return path


def py4dstem(path: Path, patterns, **options):
    """A data cube as py4DSTEM 0.14 saves it."""
    units = ("nm", "nm", "A^-1", "A^-1")
    with h5py.File(path, "w") as file:
        file.attrs["emd_group_type"] = "file"
        file.attrs["version_major"], file.attrs["version_minor"] = 1, 0
        cube = file.create_group("datacube_root/datacube")
        cube.attrs["emd_group_type"] = "array"
        cube.create_dataset("data", data=patterns, **options)
        for i, (scale, unit) in enumerate(zip((*STEP_NM, 0.02, 0.01), units, strict=True)):
            dim = cube.create_dataset(f"dim{i}", data=[0, scale])
            dim.attrs["name"], dim.attrs["units"] = "Rx", unit
    return path


def dm4(path: Path, patterns, units=("nm", "nm", "1/nm", "1/nm"), scales=(*STEP_NM, *PIXEL)):
    """An image with four axes as Gatan's software writes it, with as few tags as can be."""

    def tag(name, kind, content):
        return struct.pack(">BH", kind, len(name)) + name.encode() + content

    def group(name, *tags):
        content = b"".join(tags)
        return tag(name, 20, struct.pack(">BBqq", 1, 0, len(content), len(tags)) + content)

    def data(name, info, content):
        packed = b"%%%%" + struct.pack(f">{len(info) + 1}q", len(info), *info) + content
        return tag(name, 21, struct.pack(">q", len(packed)) + packed)

    def number(name, value):
        whole = isinstance(value, int)
        return data(name, [5 if whole else 6], struct.pack("<I" if whole else "<f", value))

    def text(name, value):
        return data(name, [20, 4, len(value)], value.encode("utf-16-le"))

    def axis(name, scale, unit):
        return group(name, number("Origin", 0.0), number("Scale", scale), text("Units", unit))

    image = group(
        "",
        group(
            "ImageData",
            group(
                "Calibrations",
                axis("Brightness", 1.0, ""),
                group(
                    "Dimension",
                    # The fastest one first.
                    *(
                        axis("", scale, unit)
                        for scale, unit in zip(scales[::-1], units[::-1], strict=True)
                    ),
                ),
            ),
            data("Data", [20, 4, patterns.size], patterns.astype("<u2").tobytes()),
            number("DataType", 10),
            group("Dimensions", *(number("", size) for size in patterns.shape[::-1])),
        ),
        text("Name", "weld"),
        group("ImageTags"),
    )
    tags = [group("ImageList", image)]
    content = struct.pack(">BBq", 1, 0, len(tags)) + b"".join(tags)
    path.write_bytes(struct.pack(">iqi", 4, len(content), 1) + content + bytes(8))
    return path


def zspy(path: Path, patterns):
    """A folder as HyperSpy writes it with zarr 2, which is what rosettasciio's writer needs."""
    import zarr

    described = signal(patterns)
    root = zarr.open_group(path, mode="w", zarr_format=2)
    root.attrs.update({"file_format": "ZSpy", "file_format_version": "3.1"})
    group = root.create_group("Experiments/weld")
    array = group.create_array(
        "data", shape=patterns.shape, dtype=patterns.dtype, chunks=(2, 2, 3, 4)
    )
    array[:] = patterns
    for i, axis in enumerate(described["axes"]):
        group.create_group(f"axis-{i}").attrs.update(axis)
    for name in ("original_metadata", "learning_results", "attributes", "metadata/General"):
        group.create_group(name)
    group.create_group("metadata/Signal").attrs.update(described["metadata"]["Signal"])
    return path


PATTERNS = discs()
SQUARE = discs(height=8, dtype=np.uint8)
EMPAD = discs(2, 3, 128, 128, np.float32)
# Grids that files do not tell.
GRID = {"tvips": (3, 4), "mrc": (3, 4)}


def make(kind, folder):
    """A file of a kind and the patterns in it."""
    written = with_rosettasciio
    match kind:
        case "blo":
            return written("blockfile", folder / "a.blo", SQUARE, ("nm", "cm")), SQUARE
        case "hspy" | "emd":
            return written(kind, folder / f"a.{kind}", PATTERNS), PATTERNS
        case "tvips":
            return written("tvips", folder / "a_000.tvips", PATTERNS), PATTERNS
        case "zspy":
            return zspy(folder / "a.zspy", PATTERNS), PATTERNS
        case "h5":
            return py4dstem(folder / "a.h5", PATTERNS), PATTERNS
        case "mrc":
            return mrc(folder / "a.mrc", PATTERNS), PATTERNS
        case "mib":
            return mib(folder / "a.mib", PATTERNS, pause=4), PATTERNS
        case "dm4":
            return dm4(folder / "a.dm4", PATTERNS), PATTERNS
        case "raw":
            return empad(folder / "scan_x3_y2.raw", EMPAD), EMPAD
        case "xml":
            empad(folder / "weld_12.raw", EMPAD)
            return empad_xml(folder / "weld.xml", "weld_12.raw", 2, 3), EMPAD
