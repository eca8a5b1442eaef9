"""A first look at a scan: principal components as maps, in seconds and with no training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_kikuchi.io.places import beside, scan_label
from napari_kikuchi.latent.maps import advice
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.job_panel import JobPanel
from napari_kikuchi.ui.models import remember_model
from napari_kikuchi.ui.requests import EncodingRequest, TrainingRequest
from napari_kikuchi.ui.session import Session
from napari_kikuchi.ui.show_maps import show_store

_FEATURES = 32


class FirstLook(QWidget):
    """One button that fits a linear encoder to a scan, encodes the scan and shows its maps.

    Parameters
    ----------
    session
        Of the viewer that shows the maps.
    command
        Program that fits and encodes, and its first arguments.
    """

    def __init__(self, session: Session, command: Sequence[str] = COMMAND) -> None:
        super().__init__()
        self._session = session
        self._scan: Scan | None = None
        self._looked_at: Scan | None = None
        self._model: Path | None = None
        self.panel = JobPanel(
            "First look",
            self._fitting,
            "Fit principal components to a sample of the patterns, encode the scan, show its maps",
            f"{_FEATURES} principal components as maps, in seconds.",
            command,
        )
        self.panel.done.connect(self._go_on)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panel)

    def set_scan(self, scan: Scan | None) -> None:
        """Look at this scan."""
        self._scan = scan
        self.panel.button.setEnabled(scan is not None or self.panel.job.active)

    def _fitting(self) -> list[str]:
        if self._scan is None:
            raise ValueError("Open a scan to look at it.")
        self._looked_at, self._model = self._scan, None
        recipe = self._session.recipe(self._scan)
        request = TrainingRequest(
            scans=[self._scan],
            folder=self._place("linear"),
            linear=True,
            latent=_FEATURES,
            size=recipe.size,
            background=recipe.background,
            rescale=recipe.rescale,
            mask=recipe.mask,
        )
        arguments = request.arguments()
        request.write_mask()
        return arguments

    def _go_on(self, made: str) -> None:
        scan = self._looked_at
        assert scan is not None
        if self._model is None:
            self._model = Path(made)
            maps = self._place("linear.zarr")
            self.panel.run(EncodingRequest(scan, self._model, maps).arguments())
            return
        remember_model(self._model)
        self.panel.add(advice(show_store(self._session, Path(made), scan)))

    def _place(self, ending: str) -> Path:
        scan = self._looked_at
        assert scan is not None
        path = scan.path or Path(scan.name)
        return beside(path, f"{scan_label(path, scan.options)}.{ending}")
