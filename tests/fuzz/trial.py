"""One spoilt file after another: each gives a result, or an error that tells what is wrong with it.

    python tests/fuzz/trial.py maps --first 0 --inputs 1000

tries them in a process of its own and prints a line of JSON before and after each, so that whoever
watches knows which one it did not survive.
"""

import argparse
import json
import shutil
import time
import traceback
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import psutil
from formats import FORMATS

# Longest message that a person would read.
_LONGEST = 1500
# Of address space: what is asked for, whether it is touched or not. Threads and their heaps take
# some, too.
_ROOM = 2**30
_WARM_UP = 20


@dataclass(frozen=True)
class Outcome:
    """How a spoilt file was taken.

    Attributes
    ----------
    seed
        Makes the same file again.
    refused
        Whether it was, rather than opened and used.
    problem
        Why that is wrong; empty if it is not.
    seconds
        Of the processor.
    growth
        Of the memory at its peak, in bytes.
    """

    seed: int
    refused: bool
    problem: str
    seconds: float
    growth: int


class Trials:
    """Spoilt files of one format, all made from a few valid ones.

    Parameters
    ----------
    name
        Of the format.
    folder
        To work in.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self._format = FORMATS[name]
        self._folder = folder
        seeds = folder / "seeds"
        seeds.mkdir()
        self._format.make(seeds)
        self._seeds = self._format.seeds(seeds)
        self._outside = folder / "outside"
        self._outside.mkdir()
        (self._outside / "thesis.tex").write_text("years of work")
        # What is imported when it is first needed is not what a file takes.
        for seed in self._seeds:
            place = self._place()
            copy = place / seed.name
            for file in seed.parent.glob(f"{seed.name.split('.')[0]}.*"):
                (shutil.copytree if file.is_dir() else shutil.copy)(file, place / file.name)
            self._format.use(copy)
        for seed in range(-_WARM_UP, 0):
            self.run(seed)

    def run(self, seed: int) -> Outcome:
        """Try the file of a seed."""
        path = self.make(seed, self._place())
        _reset_peak()
        memory, started = psutil.Process().memory_info().rss, time.process_time()
        refused, problem = self._use(path)
        seconds = time.process_time() - started
        growth = max(0, _peak() - memory)
        if sorted(file.name for file in self._outside.iterdir()) != ["thesis.tex"]:
            problem = "wrote outside of its folder"
        return Outcome(seed, refused, problem, seconds, growth)

    def make(self, seed: int, place: Path) -> Path:
        """Make the file of a seed."""
        random = Random(seed)
        return self._format.spoil(random.choice(self._seeds), place, random)

    def _use(self, path: Path) -> tuple[bool, str]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # NaN among the values of a file is no problem.
                self._format.use(path)
        except self._format.refusals as error:
            return True, _wrong_words(str(error), path)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return True, "".join(traceback.format_exception(error)[-6:])
        return False, ""

    def _place(self) -> Path:
        place = self._folder / "tried"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        return place


def _wrong_words(message: str, path: Path) -> str:
    """What is wrong with an error that a person is to read; empty if nothing is."""
    if str(path.parent) not in message:
        return f"does not name the file: {message[:200]}"
    if len(message) > _LONGEST:
        return f"is told in {len(message)} characters: {message[:200]}"
    return ""


def _reset_peak() -> None:
    """Measure the peak of the memory from now on, where a system can; else it is that of before."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak() -> int:
    """Largest resident size of this process, in bytes."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except OSError:
        memory = psutil.Process().memory_info()
        return getattr(memory, "peak_wset", memory.rss)


def _limit_memory() -> None:
    """Let what asks for far more memory than a file may take fail at once."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limit = psutil.Process().memory_info().vms + _ROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main() -> None:
    """Try the files of some seeds, telling each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("format", choices=FORMATS)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="make the file of the first here, and end")
    parser.add_argument("--scratch", type=Path, help="folder to work in")
    given = parser.parse_args()
    with TemporaryDirectory(dir=given.scratch) as folder:
        trials = Trials(given.format, Path(folder))
        if given.keep:
            given.keep.mkdir(parents=True)
            trials.make(given.first, given.keep)
            return
        _limit_memory()
        for seed in range(given.first, given.first + given.inputs):
            print(json.dumps({"begun": seed}), flush=True)
            print(json.dumps(asdict(trials.run(seed))), flush=True)


if __name__ == "__main__":
    main()
