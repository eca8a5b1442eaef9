"""The commands that kills.py kills: what they make, and what they note of it on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from same_output import checkpoint_step, safetensors_header

_LEFT_BY_DECODE = ("decoded.up2.partial", "decoded.up2.lock")
# Where blocks are worked on when they are not by threads.
_WORKERS = ("--scheduler", "local", "--workers", "2")
# What is told while the first maps are made, or the patterns; and while maps are made of maps.
_FIRST = (
    "Encoding patterns",
    "Measuring patterns",
    "Decoding patterns",
    "Finding spots",
    "Finding orientations",
)
_NEXT = ("Comparing neighbours",)
_SPOTS = "weld.spots"
# Work by threads of their own, whatever is asked for.
BY_THREADS = ("train", "orient")


@dataclass(frozen=True)
class Command:
    """A command line that makes one output.

    Attributes
    ----------
    name
        Of the command.
    target
        Name of its output.
    arguments
        Behind the name of the program, for an output in a folder; of one that was begun, those
        with which to go on.
    noted
        How far an output has come by what lies on the disk: what is told first, by phase, when it
        is gone on with.
    replaces
        Whether an older output may lie there, which is then replaced.
    leaves
        Files and folders that may be left over beside a whole output that is not made again, where
        the kill came just before they were removed.
    beside
        Names of what else it makes and keeps, in the same folder.
    needs
        Names of the commands with whose outputs it works.
    """

    name: str
    target: str
    arguments: Callable[[Path], list[str]]
    noted: Callable[[Path], dict[str, int]]
    replaces: bool = False
    leaves: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of all that it makes and keeps."""
        return (self.target, *self.beside)


@dataclass(frozen=True)
class SpotScan:
    """A 4D-STEM scan of one phase.

    Attributes
    ----------
    file
        Holds it.
    calibration
        File with the whole calibration of the detector.
    phase
        Name of the crystal.
    radius
        Of a spot in pixels.
    """

    file: Path
    calibration: Path
    phase: str
    radius: float


def commands(
    scan: Path, spot_scan: SpotScan, model: Path, maps: Path, *, on_workers: bool
) -> list[Command]:
    """Train the model, encode the scan with it, decode these maps, map the scan.

    And, of a scan of spots, find these and map orientations.

    Parameters
    ----------
    scan
        That the others are about.
    spot_scan
        Of which spots are found and orientations mapped.
    model, maps
        Where the first two put their outputs when they are not killed.
    on_workers
        Whether those that can go on by processes that the command begins; else by its threads.
    """
    # Workers choose the device.
    device = ("--device", "cpu")
    encoder_runs = _WORKERS if on_workers else device

    def train(target: Path) -> list[str]:
        begun = ["--resume"] if (target / "checkpoint.safetensors").exists() else []
        options = "--preset principal-16 --epochs 6 --patterns 800 --threads 1"
        return ["train", str(scan), "--out", str(target), *options.split(), *device, *begun]

    def encode(target: Path) -> list[str]:
        used = ["--model", str(model / "model.safetensors")]
        return ["encode", str(scan), *used, "--out", str(target), *encoder_runs]

    def decode(target: Path) -> list[str]:
        return ["decode", str(maps), "--out", str(target), *encoder_runs]

    def physics(target: Path) -> list[str]:
        # Image quality is compiled in every process anew, which takes longer than all else.
        kinds = ["--maps", "sharpness,contrast,intensity"]
        where = _WORKERS if on_workers else ()
        return ["maps", str(scan), *kinds, "--out", str(target), *where]

    def spots(target: Path) -> list[str]:
        radius = ["--radius", f"{spot_scan.radius:g}"]
        return ["spots", str(spot_scan.file), *radius, "--out", str(target), *encoder_runs]

    def orient(target: Path) -> list[str]:
        known = ["--calibration", str(spot_scan.calibration), "--radius", f"{spot_scan.radius:g}"]
        known += ["--phase", spot_scan.phase, "--kinematical"]
        kept = ["--spots", str(target.with_name(_SPOTS)), "--out", str(target)]
        return ["orient", str(spot_scan.file), *known, *kept, *device]

    return [
        Command("train", "model", train, _noted_steps),
        Command("encode", "maps.zarr", encode, _noted_blocks, replaces=True, needs=("train",)),
        Command(
            "decode",
            "decoded.up2",
            decode,
            _noted_blocks,
            leaves=_LEFT_BY_DECODE,
            needs=("train", "encode"),
        ),
        Command("maps", "physics.zarr", physics, _noted_blocks, replaces=True),
        Command("spots", _SPOTS, spots, _noted_blocks),
        Command("orient", "orientations.zarr", orient, _noted_solutions, beside=(_SPOTS,)),
    ]


def whole_models(folder: Path) -> bool:
    """Whether every model and checkpoint in a folder is as long as its header says."""
    for file in folder.glob("*.safetensors"):
        header, tensors = safetensors_header(file.read_bytes())
        del header["__metadata__"]
        if max(tensor["data_offsets"][1] for tensor in header.values()) != len(tensors):
            return False
    return True


def _noted_steps(target: Path) -> dict[str, int]:
    step = checkpoint_step(target / "checkpoint.safetensors")
    return {} if step is None else {"Training": step}


def _noted_blocks(target: Path) -> dict[str, int]:
    unfinished = target.with_name(f"{target.name}.partial")
    if not list(unfinished.glob("store-*")):  # Begun no more than this, or published.
        return {}
    counts = dict.fromkeys((*_FIRST, *_NEXT), 0)
    for first, _, top, bottom, left, right in {tuple(line[:-1]) for line in _lines(unfinished)}:
        for phase in _NEXT if first else _FIRST:
            counts[phase] += (bottom - top) * (right - left)
    return counts


def _noted_solutions(target: Path) -> dict[str, int]:
    spots = _noted_blocks(target.with_name(_SPOTS))
    found = _noted_blocks(target.with_name(f"{target.name}.solutions"))
    noted = {"Finding spots": spots, "Finding orientations": found}
    return {phase: counts[phase] for phase, counts in noted.items() if counts}


def _lines(folder: Path) -> list[list[int]]:
    """Lines of a journal that are whole."""
    found = []
    journal = folder / "done.jsonl"
    for line in journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []:
        if line.startswith("[") and line.endswith("]"):
            found.append(json.loads(line))
    return found
