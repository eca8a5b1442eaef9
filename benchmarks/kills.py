"""Whether a command that is killed at any moment goes on to the output of one that never was.

    python benchmarks/kills.py [--kills 200] [--seed 0] [--fresh 0.1] [--rows 40] [--workers]
                               [--only orient]

Trains, encodes, decodes and maps a simulated sample scan by the command line, finds the spots and
maps the orientations of a simulated 4D-STEM scan, again and again, and kills the process (SIGKILL;
TerminateProcess on Windows) at a random moment: half of them at any moment of its life, half at a
moment of a phase, all phases alike, so that short ones such as the publishing of the output have
their share. Half of what is gone on with is killed once more. Most processes have imported the
package when they begin; the share --fresh is a fresh Python, which may be killed in its imports. At
the end the command is run until it ends by itself, and its output held against that of a run that
was never killed (see same_output.py for what is left out). After each kill, what has the output's
final name must be whole, the old one or the new one, and what the command that goes on tells first
must be all that was noted as done: nothing is computed twice.
With --workers those that can go on by two processes each (--scheduler local), of which nothing may
be left: what they have read, or they themselves.
Prints a table; ends with code 1 if anything was wrong, and keeps the files then.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from killed import POLL_S, STARTING, Event, Killable, get_ready
from killed_commands import BY_THREADS, Command, SpotScan, commands, whole_models
from same_output import differences, digests

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.io import open_scan, write_scan
from napari_kikuchi.io.map_store import update_regions
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Region
from napari_kikuchi.orientation.simulated_scan import Exposure, simulate_spot_scan
from napari_kikuchi.orientation.spot_calibration import SpotCalibration
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.scan import Block, Scan

# Of outputs: those that are killed twice.
_AGAIN = 0.5
# Rows and columns of the spot patterns that are simulated, and columns of the scan that is laid of
# them. Behind each of its patterns an EMPAD writes two rows more.
_TILE, _COLUMNS, _EMPAD_FOOTER = (4, 12), 48, 2


@dataclass
class Found:
    """What the kills of one command have shown."""

    command: str
    kills: int = 0
    landed: Counter[str] = field(default_factory=Counter)
    outputs: int = 0
    identical: int = 0
    gone_on: int = 0
    twice: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class NeverKilled:
    """A command that ran to its end.

    Attributes
    ----------
    events, seconds
        Of a warm run.
    fresh_s
        How much longer a fresh Python takes.
    outputs
        Checksums of the output, by whether it has replaced an older one.
    older
        That older one, if it can be replaced.
    fresh
        Share of the runs to be killed that are a fresh Python.
    """

    events: list[Event]
    seconds: float
    fresh_s: float
    outputs: dict[bool, dict[str, str]]
    older: Path | None
    fresh: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200, help="of all commands together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fresh", type=float, default=0.1, help="share of fresh processes")
    parser.add_argument("--rows", type=int, default=40, help="of the scans")
    parser.add_argument("--workers", action="store_true", help="kill commands that have workers")
    parser.add_argument("--only", metavar="COMMAND", help="kill no other")
    given = parser.parse_args()
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    scan = upper_part(folder / "scan.up1", given.rows)
    reference = folder / "never-killed"
    get_ready()
    model, maps = reference / "train" / "model", reference / "encode" / "maps.zarr"
    spot_scan = tiled_spots(folder, given.rows)
    listed = commands(scan, spot_scan, model, maps, on_workers=given.workers)
    killed = [
        command
        for command in listed
        if given.only in (None, command.name) and not (given.workers and command.name in BY_THREADS)
    ]
    if not killed:
        parser.error(f"nothing to kill: {given.only}")
    needed = {name for command in killed for name in command.needs} - {one.name for one in killed}
    for command in listed:
        if command.name in needed:
            place = reference / command.name
            to_the_end(command, place / command.target, place / "log", warm=True)
    found = []
    for i, command in enumerate(killed):
        kills = given.kills * (i + 1) // len(killed) - given.kills * i // len(killed)
        rng = np.random.default_rng([given.seed, i])
        whole = never_killed(command, reference / command.name, given.fresh)
        found.append(kill(command, kills, whole, folder, rng))
    report(found)
    print(f"{sum(one.kills for one in found)} kills, seed {given.seed}, "
          f"{(time.monotonic() - began) / 60:.1f} minutes")  # fmt: skip
    if any(one.wrong for one in found):
        sys.exit(f"The files are in {folder}.")
    shutil.rmtree(folder)


def upper_part(path: Path, rows: int) -> Path:
    """The first rows of the simulated sample scan."""
    scan = open_scan(sample_folder() / "additive.up1")
    patterns = scan.read_block(Block(slice(0, rows), slice(0, scan.map_shape[1])))
    return finish(write_scan(path, Scan(ArraySource(patterns), step=scan.step)))


def tiled_spots(folder: Path, rows: int) -> SpotScan:
    """A small simulated 4D-STEM scan laid again and again, in a file as an EMPAD writes it."""
    calibration = SpotCalibration(centre=(62.7, 66.2), scale=0.025)
    exposure = Exposure()
    crystal = Crystal.built_in("cu")
    tile, _ = simulate_spot_scan(
        _TILE, [crystal], calibration=calibration, exposure=exposure, grains=2
    )
    known = folder / "calibration.json"
    known.write_text(json.dumps(calibration.settings()))
    height, width = tile.pattern_shape
    frames = np.zeros((_TILE[0], _COLUMNS, height + _EMPAD_FOOTER, width), "<f4")
    for row, into in enumerate(frames):
        into[:, :height] = np.resize(tile.source.read_run(row, 0, _TILE[1]), into[:, :height].shape)
    file = folder / f"scan_x{_COLUMNS}_y{rows}.raw"
    with file.open("wb") as opened:
        for row in range(rows):
            opened.write(frames[row % _TILE[0]].tobytes())
    return SpotScan(file, known, "cu", exposure.radius)


def kill(
    command: Command, kills: int, whole: NeverKilled, folder: Path, rng: np.random.Generator
) -> Found:
    """Kill a command so many times, and see what comes of it."""
    found = Found(command.name)
    case = 0
    while found.kills < kills and not found.wrong:
        case += 1
        place = folder / f"{command.name}-{case}"
        one_output(command, whole, place, kills - found.kills, found, rng)
        if not found.wrong:
            shutil.rmtree(place)
        print(f"{command.name}: {found.kills} of {kills} kills", file=sys.stderr)
    return found


def never_killed(command: Command, place: Path, fresh: float) -> NeverKilled:
    """Run a command to its end: fresh if it is killed so, and warm, over an older output."""
    target = place / command.target
    first = to_the_end(command, target, place / "first", warm=not fresh)
    expected = made(command, place)
    older = None
    if not (fresh or command.replaces):
        return NeverKilled(first.events, first.seconds, 0, {False: expected}, older, fresh)
    if command.replaces:
        older = place / "older" / command.target
        shutil.copytree(target, older)
        update_regions(older, [Region("drawn before", "line", ((0.0, 0.0), (1.0, 1.0)))])
        with (older / "0" / "c" / "0" / "0" / "0").open("r+b") as file:
            file.write(bytes(64))
    again = place / "again" / command.target
    again.parent.mkdir(parents=True)
    if older is not None:
        shutil.copytree(older, again)
    warm = to_the_end(command, again, place / "warm", warm=True)
    outputs = {False: expected, True: made(command, again.parent)}
    if older is None and (different := differences(outputs[True], expected)):
        raise SystemExit(f"{command.name}: two runs that nobody killed: {'; '.join(different)}")
    longer = max(first.seconds - warm.seconds, 0)
    return NeverKilled(warm.events, warm.seconds, longer, outputs, older, fresh)


def to_the_end(command: Command, target: Path, log: Path, *, warm: bool) -> Killable:
    log.parent.mkdir(parents=True, exist_ok=True)
    run = Killable(command.arguments(target), log, warm=warm)
    if run.finish():
        raise SystemExit(f"{command.name} does not run: {run.told()}")
    return run


def one_output(
    command: Command,
    whole: NeverKilled,
    place: Path,
    most: int,
    found: Found,
    rng: np.random.Generator,
) -> None:
    """Make an output by a command that is killed once or twice on the way."""
    target = place / "out" / command.target
    target.parent.mkdir(parents=True)
    over = whole.older is not None and rng.random() < 0.5
    if over:
        shutil.copytree(whole.older, target)
    spent, ended, published, runs = 0.0, False, False, []
    for turn in range(min(most, 1 + int(rng.random() < _AGAIN))):
        noted = command.noted(target)
        warm = rng.random() >= whole.fresh
        moment = moment_of(whole, rng, left_s=whole.seconds - spent, warm=warm)
        run = Killable(command.arguments(target), place / f"killed-{turn}", warm=warm)
        killed = run.kill_at(*moment)
        runs.append(run)
        hold_against(noted, run, found)
        if not killed:
            ended = True
            if run.code:
                found.wrong.append(f"{place}: ended with {run.code}: {run.told()}")
            break
        found.kills += 1
        found.landed[run.events[-1].phase] += 1
        spent += 0.9 * run.seconds - (0 if warm else whole.fresh_s)
        if not is_whole(command, target, whole):
            found.wrong.append(f"{place}: after kill {turn + 1} the output is neither old nor new")
        published = bool(command.leaves) and target.exists()
        if published:  # It is refused to make it again.
            break
    if not ended and not published:
        noted = command.noted(target)
        run = Killable(command.arguments(target), place / "last", warm=True)
        if run.finish():
            found.wrong.append(f"{place}: does not go on: {run.told()}")
        hold_against(noted, run, found)
    if published:
        for name in command.leaves:
            left_over = target.parent / name
            shutil.rmtree(left_over) if left_over.is_dir() else left_over.unlink(missing_ok=True)
    found.outputs += 1
    found.wrong += [f"{place}: {one} lives on" for run in runs for one in run.outlived_by()]
    expected = whole.outputs[over]
    left = differences(made(command, target.parent), expected)
    there = sorted(path.name for path in target.parent.iterdir())
    left += [f"{name} is left over" for name in there if name not in command.outputs]
    found.identical += not left
    found.wrong += [f"{place}: {one}" for one in left]


def moment_of(
    whole: NeverKilled, rng: np.random.Generator, *, left_s: float, warm: bool
) -> tuple[str, int, float]:
    """When to kill: a phase, the number of an event of it, and seconds after that event."""
    if rng.random() < 0.5 or not warm:
        life = max(left_s, 0.2 * whole.seconds) + (0 if warm else whole.fresh_s)
        return STARTING, 0, rng.uniform(0, life)
    phases = sorted({event.phase for event in whole.events})
    phase = phases[rng.integers(len(phases))]
    of_phase = [i for i, event in enumerate(whole.events) if event.phase == phase]
    occurrence = int(rng.integers(len(of_phase)))
    i = of_phase[occurrence]
    until = [*(event.seen for event in whole.events), whole.seconds][i + 1]
    return phase, occurrence, rng.uniform(0, until - whole.events[i].seen + 2 * POLL_S)


def hold_against(noted: dict[str, int], run: Killable, found: Found) -> None:
    """Look whether a command went on from all that was noted as done."""
    for phase, done in noted.items():
        first = next((event.done for event in run.events if event.phase == phase), None)
        if first is not None:
            found.gone_on += done > 0
            found.twice += max(0, done - first)
            if first < done:
                found.wrong.append(f"{run.output}: {phase} from {first}, {done} were noted")


def is_whole(command: Command, target: Path, whole: NeverKilled) -> bool:
    """Whether each output is not there, the older one or the new one."""
    if command.name == "train":  # A model is there from the first validation on.
        return whole_models(target)
    allowed = list(whole.outputs.values())
    if whole.older is not None:
        allowed.append(digests(whole.older))
    there = made(command, target.parent)
    for output in command.outputs:
        found = _part(there, output)
        if found and found not in [_part(one, output) for one in allowed]:
            return False
    return True


def made(command: Command, folder: Path) -> dict[str, str]:
    """Checksums of the outputs of a command that have their names."""
    found: dict[str, str] = {}
    for output in command.outputs:
        if (folder / output).exists():
            found |= digests(folder / output)
    return found


def _part(made: dict[str, str], output: str) -> dict[str, str]:
    """The checksums of one output."""
    return {file: checksum for file, checksum in made.items() if file.split("/")[0] == output}


def report(found: list[Found]) -> None:
    """Print the tables, and what was wrong."""
    print("| command | kills | outputs | identical | gone on with | computed twice |")
    print("|---|---|---|---|---|---|")
    for one in found:
        print(f"| {one.command} | {one.kills} | {one.outputs} | {one.identical} | {one.gone_on} "
              f"| {one.twice} |")  # fmt: skip
    print("\nWhere they landed:")
    for one in found:
        places = ", ".join(f"{phase} {count}" for phase, count in one.landed.most_common())
        print(f"- {one.command}: {places}")
    wrong = [text for one in found for text in one.wrong]
    print("\n" + ("\n".join(wrong) if wrong else "Every output is whole, and as never killed."))


if __name__ == "__main__":
    main()
