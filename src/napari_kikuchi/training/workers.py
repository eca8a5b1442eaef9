"""The processes that train one model together, each on a device of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from lightning_fabric import Fabric

from napari_kikuchi.devices import pick_device

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.training import TrainingSettings


class Workers:
    """One process, or several that Lightning Fabric starts: copies of the command that runs.

    All draw the same patterns and begin with the same weights; each works on its share of every
    batch, and their gradients are averaged. The first alone validates, writes and is talked to, and
    says to the others before each step whether it goes on.

    Parameters
    ----------
    settings
        Device, how many of them, and precision.

    Raises
    ------
    ValueError
        If there is no such device.
    """

    def __init__(self, settings: TrainingSettings) -> None:
        device = pick_device(settings.device)
        precision: Any = settings.precision
        if precision == "auto":
            # Processors have bfloat16, too, but maps of adapted models then show walls less well.
            precision = "bf16-mixed" if device == "cuda" else "32-true"
        self.count = settings.devices
        strategy = "ddp" if self.count > 1 else "auto"
        self.fabric = Fabric(
            accelerator=device, devices=self.count, strategy=strategy, precision=precision
        )
        if self.count > 1:
            self.fabric.launch()
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
