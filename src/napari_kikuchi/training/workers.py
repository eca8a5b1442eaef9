"""The processes that train one model together, each on a device of its own."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import (
    ClusterEnvironment,
    LightningEnvironment,
    SLURMEnvironment,
    TorchElasticEnvironment,
)

from napari_kikuchi.devices import HELPERS, launched, pick_device

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.training import TrainingSettings

_ENVIRONMENTS: dict[str, type[ClusterEnvironment]] = {
    "torchrun": TorchElasticEnvironment,
    "slurm": SLURMEnvironment,
}


class Workers:
    """One process, or several: copies of the command, by Fabric, torchrun or srun.

    All draw the same patterns and begin with the same weights; each works on its share of every
    batch, and their gradients are averaged. The first alone validates, writes and is talked to, and
    says to the others before each step whether it goes on. What an objective takes over a batch,
    such as the residual of the calibrated likelihood, it takes over each share.

    Parameters
    ----------
    settings
        Device, how many of them, and precision. What torchrun or srun has started already is as
        many as it is.

    Raises
    ------
    ValueError
        If there is no such device, there are not so many, or another number was started.
    """

    def __init__(self, settings: TrainingSettings) -> None:
        device = pick_device(settings.device)
        precision: Any = settings.precision
        if precision == "auto":
            # Processors have bfloat16, too, but maps of adapted models then show walls less well.
            precision = "bf16-mixed" if device == "cuda" else "32-true"
        self.count = settings.devices
        together = launched()
        if together is not None:
            self.count = together.here * together.nodes
            if settings.devices not in (1, self.count):
                raise ValueError(
                    f"{settings.devices} devices were asked for, but {together.by} has started "
                    f"{self.count} processes: leave out the number of devices"
                )
            self.fabric = _together(
                device, together.here, together.nodes, _ENVIRONMENTS[together.by](), precision
            )
        elif self.count == 1:
            self.fabric = Fabric(accelerator=device, devices=1, precision=precision)
        else:
            os.environ[HELPERS] = str(self.count - 1)
            # Whatever a cluster has put into the environment: these processes are ours.
            self.fabric = _together(device, self.count, 1, LightningEnvironment(), precision)
        self.rank = self.fabric.global_rank

    @property
    def first(self) -> bool:
        """Whether this is the process that decides."""
        return self.rank == 0

    def share(self, indices: NDArray) -> NDArray:
        """This process's part of a batch."""
        return indices[self.rank :: self.count]

    def agree(self, go_on: bool, seconds: float) -> tuple[bool, float]:
        """What the first process says: whether the training goes on, and how long it has taken."""
        if self.count == 1:
            return go_on, seconds
        said = torch.tensor([go_on, seconds], dtype=torch.float64, device=self.fabric.device)
        torch.distributed.broadcast(said, src=0)
        going_on, taken = said.tolist()
        return bool(going_on), taken


def _check(device: str, count: int) -> None:
    if sys.platform == "win32":
        raise ValueError("a training on several devices does not run on Windows: choose one")
    # Processes share a processor as they like.
    there = {"cuda": torch.cuda.device_count(), "mps": 1}.get(device, count)
    if count > there:
        raise ValueError(f"{count} devices were asked for, but {device} has {there} here")


def _together(
    device: str, here: int, nodes: int, environment: ClusterEnvironment, precision: Any
) -> Fabric:
    """Processes that average their gradients, begun by this one or by a launcher."""
    _check(device, here)
    # Fabric would print a banner and a line for each process.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    fabric = Fabric(
        accelerator=device,
        devices=here,
        num_nodes=nodes,
        strategy="ddp",
        precision=precision,
        plugins=[environment],
    )
    fabric.launch()
    atexit.register(_end_helpers, fabric)
    return fabric


def _end_helpers(fabric: Fabric) -> None:
    """End what is still there: it would wait for long for a process that has failed."""
    # Its threads would abort this process if they saw the others end.
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    for helper in getattr(fabric.strategy.launcher, "procs", ()):
        helper.terminate()
