"""Down the energy of magnets to the next minimum, all magnets of a batch at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from napari_kikuchi.microstructure.magnet import Magnets

# Radians that a moment turns at most in a step: larger steps leap over barriers.
_LARGEST_TURN = 0.3
# Of so many energies a step may not exceed the largest: Barzilai and Borwein's steps need room.
_REMEMBERED = 8
# Lengths are divided by it where a step is no good, and grow by it where the energy curves down.
_FACTOR = 4.0
# In 1/T: the first length, which between cells of 1 nm does not overshoot, and the longest.
_FIRST, _LONGEST = 1 / 400, 10.0
# What energies per cell are rounded to, in T.
_ROUNDED = {torch.float64: 1e-10, torch.float32: 2e-6}


class Descent:
    """Steepest descent on spheres, each magnet with steps of its own length.

    Parameters
    ----------
    magnets
        A batch of them.
    state
        From where they go, as the magnets have it.
    applied
        The field from outside in T, of shape (magnets, 3).

    Attributes
    ----------
    state : torch.Tensor
        Where they are.

    Notes
    -----
    Lengths of steps after L. Exl and others, Journal of Applied Physics 115, 17D118 (2014), who
    apply those of J. Barzilai and J. M. Borwein, IMA Journal of Numerical Analysis 8, 141 (1988),
    to micromagnetics. Such steps alone leap from one valley into another, and coercivities come out
    too small. Here no moment turns far in one step, and a step after which the energy exceeds those
    of the last ones is taken back and shortened: L. Grippo, F. Lampariello and S. Lucidi, SIAM
    Journal on Numerical Analysis 23, 707 (1986).
    """

    def __init__(self, magnets: Magnets, state: Tensor, applied: Tensor):
        self._magnets = magnets
        self._steps = 0
        self.state, self._applied = state, applied
        pull = magnets.pull(state, applied)
        self._downhill = _tangential(pull, state)
        energy = magnets.energy(state, applied, pull)
        self._energies = energy[:, None].repeat(1, _REMEMBERED)
        self._length = torch.full_like(state[:, 0, 0, 0], _FIRST)

    def step(self) -> None:
        """One step of each magnet."""
        state = self.state + _wide(self._length) * self._downhill
        # Eighty times as fast as torch's norm along this axis, which took half of all time.
        state /= state.square().sum(1, keepdim=True).sqrt()
        pull = self._magnets.pull(state, self._applied)
        energy = self._magnets.energy(state, self._applied, pull)
        downhill = _tangential(pull, state)
        self._steps += 1
        length = self._next_length(state, downhill)
        energies = torch.cat([self._energies[:, 1:], energy[:, None]], dim=1)
        good = energy <= self._energies.amax(1) + _ROUNDED[state.dtype]
        if good.all():
            self.state, self._downhill = state, downhill
            self._energies, self._length = energies, length
            return
        self.state = torch.where(_wide(good), state, self.state)
        self._downhill = torch.where(_wide(good), downhill, self._downhill)
        self._energies = torch.where(good[:, None], energies, self._energies)
        self._length = torch.where(good, length, self._length / _FACTOR)

    def _next_length(self, state: Tensor, downhill: Tensor) -> Tensor:
        """Barzilai and Borwein's two lengths in turn: how far a Newton step would go."""
        moved, changed = state - self.state, self._downhill - downhill
        curvature = _product(moved, changed)
        if self._steps % 2:
            length = _product(moved, moved) / curvature
        else:
            length = curvature / _product(changed, changed)
        length = torch.where(curvature > 0, length, _FACTOR * self._length)
        return length.clamp(max=_LONGEST).minimum(_LARGEST_TURN / _largest(downhill))

    def torque(self) -> Tensor:
        """The largest of each magnet in T: 0 where its energy has a minimum."""
        return _largest(self._downhill)

    def start_anew(self, which: Tensor, state: Tensor, applied: Tensor) -> None:
        """Some magnets go on from another state, in another field.

        Parameters
        ----------
        which
            Their numbers.
        state, applied
            Theirs alone.
        """
        new = Descent(self._magnets.taken(which), state, applied)
        for name in _OF_EACH:
            getattr(self, name)[which] = getattr(new, name)

    def keep(self, which: Tensor) -> None:
        """Go on with magnets of these numbers alone."""
        self._magnets = self._magnets.taken(which)
        for name in _OF_EACH:
            setattr(self, name, getattr(self, name)[which])


_OF_EACH = ("state", "_applied", "_downhill", "_energies", "_length")


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def _product(one: Tensor, other: Tensor) -> Tensor:
    return (one * other).sum((1, 2, 3))


def _largest(vectors: Tensor) -> Tensor:
    return vectors.square().sum(1).amax((1, 2)).sqrt()


def _tangential(pull: Tensor, state: Tensor) -> Tensor:
    return pull - (pull * state).sum(1, keepdim=True) * state
