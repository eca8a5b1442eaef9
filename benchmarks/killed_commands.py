"""The commands that kills.py kills: what they make, and what they note of it on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from same_output import checkpoint_step, safetensors_header

_DECODE_JOURNAL = "decoded.partial.up2.jsonl"
_LEFT_BY_DECODE = (_DECODE_JOURNAL, "decoded.up2.lock")


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
        Files that may be left over beside a whole output that is not made again, where the kill
        came just before they were removed.
    """

    name: str
    target: str
    arguments: Callable[[Path], list[str]]
    noted: Callable[[Path], dict[str, int]]
    replaces: bool = False
    leaves: tuple[str, ...] = ()


def commands(scan: Path, model: Path, maps: Path) -> list[Command]:
    """Train the model, encode the scan with it, decode these maps, map the scan.

    Parameters
    ----------
    scan
        That all is about.
    model, maps
        Where the first two put their outputs when they are not killed.
    """

    def train(target: Path) -> list[str]:
        begun = ["--resume"] if (target / "checkpoint.safetensors").exists() else []
        options = "--preset principal-16 --epochs 6 --patterns 800 --threads 1 --device cpu"
        return ["train", str(scan), "--out", str(target), *options.split(), *begun]

    def encode(target: Path) -> list[str]:
        used = ["--model", str(model / "model.safetensors"), "--device", "cpu"]
        return ["encode", str(scan), *used, "--out", str(target)]

    def decode(target: Path) -> list[str]:
        return ["decode", str(maps), "--out", str(target), "--device", "cpu"]

    def physics(target: Path) -> list[str]:
        # Image quality is compiled in every process anew, which takes longer than all else.
        kinds = ["--maps", "sharpness,contrast,intensity"]
        return ["maps", str(scan), *kinds, "--out", str(target)]

    return [
        Command("train", "model", train, _noted_steps),
        Command("encode", "maps.zarr", encode, _noted_blocks, replaces=True),
        Command("decode", "decoded.up2", decode, _noted_runs, leaves=_LEFT_BY_DECODE),
        Command("maps", "physics.zarr", physics, _noted_blocks, replaces=True),
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
    counts = {"Encoding patterns": 0, "Measuring patterns": 0, "Comparing neighbours": 0}
    for first, _, top, bottom, left, right in {tuple(line[:-1]) for line in _lines(unfinished)}:
        phases = ("Comparing neighbours",) if first else ("Encoding patterns", "Measuring patterns")
        for phase in phases:
            counts[phase] += (bottom - top) * (right - left)
    return counts


def _noted_runs(target: Path) -> dict[str, int]:
    lines = _lines(target.parent, _DECODE_JOURNAL)
    if not target.with_name("decoded.partial.up2").exists():
        return {}
    return {"Decoding patterns": max((line[1] for line in lines if len(line) == 3), default=0)}


def _lines(folder: Path, name: str = "done.jsonl") -> list[list[int]]:
    """Lines of a journal that are whole."""
    found = []
    journal = folder / name
    for line in journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []:
        if line.startswith("[") and line.endswith("]"):
            found.append(json.loads(line))
    return found
