"""How long a window does not answer: what the benchmarks of the window share."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication


class Gaps:
    """Times between events of the window, of which one is asked for every 5 ms."""

    def __init__(self) -> None:
        self.found: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(5)

    @staticmethod
    def head() -> None:
        """Print the head of the table."""
        print(f"{'gaps between events, ms':<44}{'median':>8}{'99 %':>8}{'longest':>8}")

    def forget(self) -> None:
        """Begin anew."""
        self.found.clear()
        self._last = time.perf_counter()

    def tell(self, phase: str, more: str = "") -> None:
        """Print what was found, and begin anew."""
        gaps = 1e3 * np.array(self.found)
        middle, high, longest = np.percentile(gaps, [50, 99, 100])
        print(f"{phase:<44}{middle:>8.0f}{high:>8.0f}{longest:>8.0f}  {more}", flush=True)
        self.forget()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.found.append(now - self._last)
        self._last = now


def spin(seconds: float, ready: Callable[[], bool] = lambda: False) -> None:
    """Let the window work for so long, or until it is ready."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not ready():
        QApplication.processEvents()
        time.sleep(0.001)
