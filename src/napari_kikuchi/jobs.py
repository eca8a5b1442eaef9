"""Long work as generators: one way to show progress, to cancel and to resume.

A long function of this package is a generator. Every update it yields is a moment at which the
caller may show progress or stop, by closing the generator; what was finished by then is on disk.
Its return value is the result. A command line, a napari worker and a test drive it alike.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar


class JobWarning(UserWarning):
    """What whoever runs a job should know, although the job goes on."""


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes
    ----------
    done, total
        Units of work finished and expected in all; ``total`` is 0 where nobody can know.
    message
        What is being done, for a person to read.
    """

    done: int
    total: int
    message: str = ""


Result = TypeVar("Result")
Job = Generator[Progress, None, Result]


def finish(job: Job[Result], report: Callable[[Progress], None] | None = None) -> Result:
    """Run a job to its end and return its result.

    Parameters
    ----------
    job
        A generator of updates.
    report
        Called with each update.
    """
    while True:
        try:
            update = next(job)
        except StopIteration as end:
            return end.value
        if report is not None:
            report(update)
