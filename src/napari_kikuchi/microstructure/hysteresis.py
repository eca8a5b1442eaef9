"""Coercivity of magnets: from saturation down their demagnetisation curves until they turn over."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_kikuchi.jobs import Job, JobWarning, Progress
from napari_kikuchi.microstructure.descent import Descent

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from napari_kikuchi.microstructure.magnet import Magnets

# Of the saturation. What has gone so far beyond 0 does not come back: no need to wait for the rest.
_TURNED = -0.1
# Steps between two looks at what has settled.
_STEPS = 4
# In T: coercivities smaller than that are told no better.
_FINEST = 0.01


@dataclass(frozen=True)
class Walk:
    """How a demagnetisation curve is walked.

    Attributes
    ----------
    tilt
        Degrees between the applied field and x, towards y. In a field exactly against the moments
        nothing turns them; in magnets that are made with all axes aligned it is some degrees. A
        single grain turns over at 0.91 of its anisotropy field with 1°, at 0.98 with 0.1°.
    first_step
        Of the field, as a share of the largest anisotropy field of a magnet; it is halved once
        the magnet has turned over.
    precision
        Share of the coercivity by which it is known; not below 0.01 T.
    torque
        A state is at rest where none is larger, in T.
    most_steps
        Of the descent in one field. A magnet that is not at rest by then is taken as it is.
    together
        Magnets that are computed at once.
    """

    tilt: float = 1.0
    first_step: float = 0.1
    precision: float = 0.01
    torque: float = 2e-3
    most_steps: int = 4000
    together: int = 32

    def __post_init__(self) -> None:
        for name in ("first_step", "precision", "torque", "most_steps", "together"):
            value = getattr(self, name)
            if not value > 0:
                raise ValueError(f"{name} must be more than 0, not {value}")


@dataclass(frozen=True, eq=False)
class Hysteresis:
    """What a walk finds.

    Attributes
    ----------
    coercivity
        Fields µ0 Hc in T at which the magnetisation along the field turns its sign, of shape
        (magnets,); NaN for magnets that no field turns over.
    error
        By how much they may be off for the steps of the field alone, in T.
    remanence
        Mean magnetisation along the field without a field, over saturation.
    curves
        For each magnet its states at rest, until it turns over: demagnetising field in T and
        magnetisation over saturation, of shape (states, 2).
    """

    coercivity: NDArray[np.float64]
    error: NDArray[np.float64]
    remanence: NDArray[np.float64]
    curves: tuple[NDArray[np.float64], ...]


def hysteresis(magnets: Magnets, walk: Walk | None = None) -> Job[Hysteresis]:
    """Coercivities of magnets, as a job.

    From saturation the field falls in large steps. Where a magnet has turned over, it goes back to
    its last state at rest, and to half the step.

    Parameters
    ----------
    magnets
        A batch of any size.
    walk
        How.

    Yields
    ------
    Progress
        Magnets done, every few steps.

    Returns
    -------
    Hysteresis
        Of all magnets.

    Warns
    -----
    JobWarning
        If magnets were not at rest after the most steps, or do not turn over in any field.

    Notes
    -----
    There is no temperature and no time: it is the field at which the barrier vanishes.
    """
    walk = Walk() if walk is None else walk
    walkers = []
    for first in range(0, len(magnets), walk.together):
        some = _Walkers(magnets.taken(slice(first, first + walk.together)), walk)
        walkers.append(some)
        last = min(first + walk.together, len(magnets))
        for left in some.walk():
            yield Progress(last - left, len(magnets), "demagnetising")
    restless = sum(some.restless for some in walkers)
    if restless:
        warnings.warn(
            f"{restless} states of {len(magnets)} magnets were not at rest after {walk.most_steps} "
            "steps: their coercivities are not certain; give more steps",
            JobWarning,
            stacklevel=2,
        )
    low, high = (
        torch.cat([getattr(some, name) for some in walkers]).cpu().numpy()
        for name in ("low", "high")
    )
    stuck = np.flatnonzero(np.isnan(high))
    if len(stuck):
        warnings.warn(
            f"{len(stuck)} of {len(magnets)} magnets do not turn over in any field (the first is "
            f"number {stuck[0]}): nothing turns their moments. Give the field a tilt against "
            "their easy axes",
            JobWarning,
            stacklevel=2,
        )
    curves = tuple(np.array(sorted(curve)) for some in walkers for curve in some.curves)
    return Hysteresis(
        coercivity=(low + high) / 2,
        error=(high - low) / 2,
        remanence=np.array([curve[0, 1] for curve in curves]),
        curves=curves,
    )


class _Walkers:
    """Some magnets, each on its own way down its curve.

    Attributes
    ----------
    low, high
        Demagnetising fields in which they have not and have turned over, in T.
    curves
        Fields and magnetisations of states at rest.
    restless
        How many states were not.
    """

    def __init__(self, magnets: Magnets, walk: Walk):
        self._magnets, self._walk = magnets, walk
        tilt = math.radians(walk.tilt)
        self._direction = magnets.moments.new_tensor([math.cos(tilt), math.sin(tilt), 0.0])
        largest = magnets.anisotropy.amax((1, 2, 3)).double()
        self._first_step = walk.first_step * largest
        # Beyond this field only what nothing turns still stands.
        self._beyond = 2 * (largest + magnets.polarisation[:, 0, 0, 0])
        self.low = torch.zeros_like(largest)
        self.high = torch.full_like(largest, math.inf)
        self.curves: list[list[tuple[float, float]]] = [[] for _ in range(len(magnets))]
        self.restless = 0
        # Of those that are still on their way: their numbers, and so on.
        self._left = torch.arange(len(magnets), device=largest.device)
        self._field = torch.zeros_like(largest)
        self._steps = torch.zeros_like(self._left)
        self._at_rest = magnets.saturated(self._direction)
        self._descent = Descent(magnets, self._at_rest.clone(), self._applied(self._field))

    def walk(self) -> Iterator[int]:
        """Go on until all have turned over; yields how many have not."""
        while len(self._left):
            for _ in range(_STEPS):
                self._descent.step()
            self._steps += _STEPS
            self._look()
            yield len(self._left)

    def _applied(self, field: Tensor) -> Tensor:
        return -field[:, None].to(self._direction.dtype) * self._direction

    def _look(self) -> None:
        """What is at rest goes into a larger field, what has turned over back into a smaller."""
        along = self._magnets.along(self._descent.state, self._direction)
        settled = self._descent.torque() <= self._walk.torque
        late = ~settled & (self._steps >= self._walk.most_steps)
        turned = (along < _TURNED) | ((settled | late) & (along < 0))
        resting = (settled | late) & ~turned
        (moving,) = torch.nonzero(turned | resting, as_tuple=True)
        if not len(moving):
            return
        self.restless += int(late.sum())
        self._note(moving, resting, along)
        self._at_rest[resting] = self._descent.state[resting]
        self.low[self._left[resting]] = self._field[resting]
        self.high[self._left[turned]] = self._field[turned]
        self._next_fields(moving)

    def _note(self, moving: Tensor, resting: Tensor, along: Tensor) -> None:
        for index in moving.tolist():
            field = float(self._field[index])
            # The remanence of one that turns over without a field is noted, too.
            if resting[index] or field == 0:
                self.curves[int(self._left[index])].append((field, float(along[index])))

    def _next_fields(self, moving: Tensor) -> None:
        numbers = self._left[moving]
        low, high = self.low[numbers], self.high[numbers]
        stuck = low > self._beyond[numbers]
        self.high[numbers[stuck]] = math.nan
        step = torch.where(high.isinf(), self._first_step[numbers], (high - low) / 2)
        self._field[moving] = low + step
        self._steps[moving] = 0
        known = stuck | (high <= low + (self._walk.precision * low).clamp(min=_FINEST))
        going_on = moving[~known]
        if len(going_on):
            applied = self._applied(self._field[going_on])
            self._descent.start_anew(going_on, self._at_rest[going_on], applied)
        if known.any():
            kept = torch.ones_like(self._left, dtype=torch.bool)
            kept[moving[known]] = False
            self._keep(torch.nonzero(kept, as_tuple=True)[0])

    def _keep(self, which: Tensor) -> None:
        self._magnets = self._magnets.taken(which)
        self._descent.keep(which)
        for name in ("_left", "_field", "_steps", "_at_rest"):
            setattr(self, name, getattr(self, name)[which])
