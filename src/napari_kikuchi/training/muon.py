"""Muon: momentum whose matrices are made orthogonal before a step.

Of Jordan et al. (2024), with the scale of Liu et al. (arXiv 2502.16982) by which rates of Adam
suit it. torch's own takes matrices only; most weights here are those of convolutions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

_MOMENTUM, _SQUARES = 0.95, 0.999
_FIRST = 0.9
_TINY = 1e-8
# Root mean square of the elements of a step, as of Adam's.
_SCALE = 0.2
# Of the iteration of Newton and Schulz: singular values come between 0.7 and 1.2 in five of them.
_A, _B, _C = 3.4445, -4.7750, 2.0315
_ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Muon for weights of two dimensions or more, Adam for all others.

    Parameters
    ----------
    parameters
        Those of two dimensions or more are matrices: their first dimension, and all others.
    lr
        Of both.
    """

    def __init__(self, parameters: Iterable[torch.nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step.

        Parameters
        ----------
        closure
            Called first, with gradients, as torch has it.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    turn = self._orthogonal if parameter.ndim >= 2 else self._adam
                    parameter.sub_(turn(parameter), alpha=group["lr"])
        return loss

    def _orthogonal(self, parameter: Tensor) -> Tensor:
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum = state["momentum"].lerp_(gradient, 1 - _MOMENTUM)
        matrix = orthogonal(gradient.lerp(momentum, _MOMENTUM).flatten(1))
        return _SCALE * max(matrix.shape) ** 0.5 * matrix.reshape(parameter.shape)

    def _adam(self, parameter: Tensor) -> Tensor:
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
            state["squares"] = torch.zeros_like(parameter)
            # The name by which torch leaves it on the processor.
            state["step"] = torch.zeros(1)
        state["step"] += 1
        steps = float(state["step"])
        momentum = state["momentum"].lerp_(gradient, 1 - _FIRST)
        squares = state["squares"].lerp_(gradient**2, 1 - _SQUARES)
        spread = (squares / (1 - _SQUARES**steps)).sqrt()
        return momentum / (1 - _FIRST**steps) / (spread + _TINY)


def orthogonal(matrix: Tensor) -> Tensor:
    """A matrix with its singular values brought near to 1."""
    wide = matrix.shape[0] <= matrix.shape[1]
    found = matrix if wide else matrix.mT
    found = found / (found.norm() + _TINY)
    for _ in range(_ITERATIONS):
        square = found @ found.mT
        found = _A * found + (_B * square + _C * square @ square) @ found
    return found if wide else found.mT
