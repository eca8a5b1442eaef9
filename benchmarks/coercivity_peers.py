"""Coercivities of magnumnp, in a process of its own, for benchmarks/coercivity.py.

magnumnp 2.2 (GPL-3) is no part of this project's environment. One of its own takes torch from it,
and nothing else that is large:

    .venv/bin/python -m venv PEERS
    .venv/bin/python -c "import site; print(*site.getsitepackages())" \\
        | tee "$(PEERS/bin/python -c 'import site; print(*site.getsitepackages())')/project.pth"
    PEERS/bin/pip install torch==2.13.0 magnumnp==2.2.0
    python benchmarks/coercivity.py --peers PEERS/bin/python

It walks down a curve as the project does: from saturation in large steps of the field; back to the
last state at rest and half the step once a magnet has turned over. So the number of fields is the
same, and what differs are magnumnp's energy and its minimiser. "magnumnp" is that minimiser as it
comes; with "short steps" the longest one is that in which 40 T turn a moment by 1 rad, so that it
leaps over no barrier, and it takes more of them. All is in single precision, which is faster and as
good. What is counted is the time of the processor on the way down the curve.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from pathlib import Path

# What it would compile is small, and there may be no compiler.
os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")

import numpy as np
import torch

MU_0 = 4e-7 * math.pi
# Between two looks at whether a magnet has turned over.
STEPS = 100
# Longest steps in 1/T.
PEERS = {"magnumnp, short steps": 1 / 40, "magnumnp": math.inf}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("method", choices=PEERS)
    parser.add_argument("magnets", type=Path, help="file with phases, materials and settings")
    parser.add_argument("found", type=Path, help="JSON file of what is found, added to")
    parser.add_argument("--seconds", type=float, default=150, help="then no other is begun")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float32)
    found = json.loads(given.found.read_text()) if given.found.exists() else {}
    begun = time.monotonic()
    with np.load(given.magnets) as file:
        magnets = {name: values if values.ndim else float(values) for name, values in file.items()}
    for index, phases in enumerate(magnets.pop("phases")):
        if str(index) not in found and time.monotonic() - begun < given.seconds:
            one = Magnet(phases, PEERS[given.method], **magnets)
            start = time.process_time()
            low, high = one.walk()
            took = time.process_time() - start
            found[str(index)] = {"low": low, "high": high, "seconds": took}
            given.found.write_text(json.dumps(found))


class Magnet:
    """One magnet as magnumnp has it."""

    def __init__(
        self,
        phases: np.ndarray,
        longest: float,
        materials: np.ndarray,
        cell: float,
        tilt: float,
        first_step: float,
        precision: float,
        torque: float,
    ):
        from magnumnp import (
            DemagField,
            ExchangeField,
            ExternalField,
            Mesh,
            MinimizerBB,
            State,
            UniaxialAnisotropyField,
            set_log_level,
        )

        set_log_level(40)
        # Its first axis is x, along our columns.
        anisotropy, magnetisation, exchange = (
            torch.from_numpy(values[phases.T]).float()[:, :, None, None] for values in materials.T
        )
        columns, rows = phases.T.shape
        self.state = State(Mesh((columns, rows, 1), (cell,) * 3))
        axes = torch.zeros(columns, rows, 1, 3)
        axes[..., 0] = 1
        self.state.material = {
            "Ms": magnetisation, "A": exchange, "Ku": anisotropy, "Ku_axis": axes,
        }  # fmt: skip
        angle = math.radians(tilt)
        self.direction = torch.tensor([math.cos(angle), math.sin(angle), 0.0])
        self.state.m = self.state.Constant(self.direction.tolist())
        self.share = magnetisation / magnetisation.sum()
        self.outside = ExternalField([0.0, 0.0, 0.0])
        self.minimiser = MinimizerBB(
            [DemagField(), ExchangeField(), UniaxialAnisotropyField(), self.outside]
        )
        self.longest = min(1e-5, longest * MU_0)
        fields = 2 * anisotropy / magnetisation.mean()
        self.first_step = first_step * float(fields.max())
        self.precision, self.torque = precision, torque

    def walk(self) -> tuple[float, float]:
        """Fields in T in which it has not and has turned over."""
        low = high = None
        field = 0.0
        at_rest = self.state.m.clone()
        while high is None or high - low > self.precision * low:
            self.state.m = at_rest.clone()
            if self.turns_over(field):
                high = field
            else:
                low, at_rest = field, self.state.m.clone()
            field = low + self.first_step if high is None else (low + high) / 2
        return low, high

    def turns_over(self, field: float, most: int = 8000) -> bool:
        """Whether it does in a field against it, in T."""
        self.outside.h = (-field / MU_0 * self.direction).tolist()
        for _ in range(0, most, STEPS):
            settled = self.minimiser.minimize(
                self.state, maxiter=STEPS, dm_tol=self.torque / MU_0, tau_max=self.longest
            )
            along = float((self.share * self.state.m * self.direction).sum())
            if settled or along < -0.1:
                return along < 0
        print(f"not at rest after {most} steps")
        return along < 0


if __name__ == "__main__":
    main()
