"""Whether any file that others may have written crashes, hangs or fills the memory.

    python benchmarks/fuzz.py [--inputs 100000] [--scratch /dev/shm]

So many pattern files, 4D-STEM scans, map stores, models, recipes, lists of spots, libraries of
templates and CIF files are spoilt, each in a way that its number chooses, and opened and used as
the window and the commands do (tests/fuzz, of which make test runs
a few). Each has to give a result, or an error that names the file; within a second of the
processor, and with no more than 200 MB beside what was there before. Told are the inputs of each
format, how many were opened and refused, the slowest and the largest growth. What fails is told
with its number and kept; then the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, Any

TRIAL = Path(__file__).parents[1] / "tests" / "fuzz" / "trial.py"
FORMATS = (
    *("up2", "stem", "signals", "maps", "models", "recipes"),
    *("spots", "libraries", "crystals"),
)
MOST_SECONDS, MOST_BYTES = 1.0, 200e6
# Without a word from the child for so long, an input hangs: it is on a busy machine, too, not slow.
SILENCE_S = 60
# A child that was given fewer would be busy with its imports most of the time.
INPUTS_OF_A_CHILD = 10_000
# Of each format: more are of the same kind.
MOST_KEPT = 20


@dataclass
class Tally:
    """What came of the inputs of one format."""

    inputs: int = 0
    refused: int = 0
    seconds: float = 0.0
    growth: int = 0
    failures: dict[int, str] = field(default_factory=dict)

    def add(self, found: dict[str, Any]) -> None:
        """Count what a child tells of one input."""
        self.inputs += 1
        self.refused += found["refused"]
        self.seconds = max(self.seconds, found["seconds"])
        self.growth = max(self.growth, found["growth"])
        problem = found["problem"]
        if found["seconds"] > MOST_SECONDS:
            problem += f" took {found['seconds']:.1f} s"
        if found["growth"] > MOST_BYTES:
            problem += f" took {found['growth'] / 1e6:.0f} MB"
        if problem:
            self.failures[found["seed"]] = problem.strip()


def try_all(name: str, first: int, inputs: int, scratch: Path | None) -> Tally:
    """Try the inputs of a format in children; where one dies, another goes on with the next."""
    tally, seed, end = Tally(), first, first + inputs
    while seed < end:
        count = min(INPUTS_OF_A_CHILD, end - seed)
        last, problem = _try_some(name, seed, count, scratch, tally)
        if problem:
            tally.failures[last] = problem
        seed = last + 1
    return tally


def _try_some(
    name: str, first: int, count: int, scratch: Path | None, tally: Tally
) -> tuple[int, str]:
    """The last input that a child has begun, and what became of the child if it did not end."""
    command = [sys.executable, str(TRIAL), name, "--first", str(first), "--inputs", str(count)]
    if scratch is not None:
        command += ["--scratch", str(scratch)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lines: Queue[str | None] = Queue()
    Thread(target=_listen, args=(child.stdout, lines), daemon=True).start()
    begun = first
    try:
        while (line := lines.get(timeout=SILENCE_S)) is not None:
            found = json.loads(line)
            if "begun" in found:
                begun = found["begun"]
            else:
                tally.add(found)
    except Empty:
        return begun, "hangs"
    finally:
        child.kill()
        code = child.wait()
    finished = begun == first + count - 1 and code == 0
    return begun, "" if finished else f"the process ended with code {code}"


def keep(name: str, seed: int, folder: Path) -> Path:
    """Make the file of an input once more, to be looked at."""
    place = folder / f"{name}-{seed}"
    if not place.exists():
        command = [sys.executable, str(TRIAL), name, "--first", str(seed), "--keep", str(place)]
        subprocess.run(command, check=True)
    return place


def _listen(stream: IO[str], lines: Queue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=10_000, help="of each format")
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--scratch", type=Path, help="folder for the files: best one in memory")
    parser.add_argument("--kept", type=Path, default=Path("fuzz_failures"))
    given = parser.parse_args()
    print(
        f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("numpy", "zarr", "safetensors", "torch"))
    )
    print("\n| format | inputs | opened | refused | slowest (s) | largest growth (MB) | minutes |")
    print("|" + "---|" * 7, flush=True)
    failures = 0
    for name in given.formats:
        started = time.monotonic()
        tally = try_all(name, given.first, given.inputs, given.scratch)
        minutes = (time.monotonic() - started) / 60
        print(
            f"| {name} | {tally.inputs} | {tally.inputs - tally.refused} | {tally.refused} | "
            f"{tally.seconds:.2f} | {tally.growth / 1e6:.0f} | {minutes:.1f} |",
            flush=True,
        )
        failures += len(tally.failures)
        for seed, problem in list(tally.failures.items())[:MOST_KEPT]:
            place = keep(name, seed, given.kept)
            print(f"FAILED: {name}, input {seed}, kept in {place}: {problem}", file=sys.stderr)
    if failures:
        sys.exit(f"{failures} inputs failed")


if __name__ == "__main__":
    main()
