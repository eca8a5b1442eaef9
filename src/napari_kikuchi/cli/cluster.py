"""Where the blocks of a command are worked on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from napari_kikuchi.cli.console import Output, emit, shown, terminal
from napari_kikuchi.cli.options import leave_out


def refuse_device(scheduler: str | None, device: str) -> None:
    """Refuse a device where others than this process do the work.

    Raises
    ------
    ValueError
        If one was given with a scheduler.
    """
    if scheduler is not None and device != "auto":
        raise ValueError("workers of a scheduler use the device they have: leave out --device")


@contextmanager
def workers_for(
    scheduler: str | None, workers: int | None, output: Output
) -> Iterator[dict[str, Any]]:
    """What tells a job where to work: its arguments ``executor`` and ``workers``.

    Parameters
    ----------
    scheduler
        Address of a dask scheduler, ``local`` for workers on this machine, or None for threads.
    workers
        How many processes or threads; None: one for each core.
    output
        Who is told of a cluster's dashboard.
    """
    if scheduler is None:
        yield {"workers": workers}
        return
    try:
        from napari_kikuchi.cluster import LOCAL, open_cluster
    except ImportError as error:
        raise ImportError(
            f"--scheduler needs dask's distributed ({error}). Install it with: "
            'python -m pip install "napari-kikuchi[cluster]"'
        ) from error
    if scheduler != LOCAL:
        leave_out({"--workers": workers}, "a scheduler has the workers that it has")
    with open_cluster(scheduler, workers) as cluster:
        if output is Output.EVENTS:
            emit("cluster", workers=cluster.workers(), dashboard=cluster.dashboard)
        elif output is Output.PERSON:
            where = (
                "" if cluster.dashboard is None else f"; watch them on {shown(cluster.dashboard)}"
            )
            terminal.print(f"{cluster.workers()} workers{where}", soft_wrap=True)
        yield {"executor": cluster.executor, "workers": cluster.workers}
