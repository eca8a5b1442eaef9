"""Encoding a scan: which model, and where the maps go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_kikuchi.io.places import model_name
from napari_kikuchi.latent.maps import advice, default_maps_path
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.forms import Form, maps_field, path_of
from napari_kikuchi.ui.job_panel import JobPanel
from napari_kikuchi.ui.model_choice import ModelChoice
from napari_kikuchi.ui.requests import EncodingRequest
from napari_kikuchi.ui.session import Session
from napari_kikuchi.ui.show_maps import show_store
from napari_kikuchi.ui.work_place import WorkPlaceChoice


class EncodeForm(QWidget):
    """Encodes a scan in a child process and shows its maps.

    Parameters
    ----------
    session
        Of the viewer that shows the maps.
    command
        Program that encodes, and its first arguments.
    """

    def __init__(self, session: Session, command: Sequence[str] = COMMAND) -> None:
        super().__init__()
        self._session = session
        self._scan: Scan | None = None
        self._encoding: EncodingRequest | None = None
        self.model = ModelChoice(
            "model", tooltip="Trained encoder; its recipe prepares the patterns"
        )
        self.out = maps_field()
        self.form = Form(self.model, self.out)
        self.place = WorkPlaceChoice()
        self.panel = JobPanel(
            "Encode",
            self._arguments,
            "Encode every pattern; an encoding that was stopped goes on where it was",
            command=command,
        )
        layout = QVBoxLayout(self)
        layout.addWidget(self.form)
        layout.addWidget(self.place)
        layout.addWidget(self.panel)
        layout.addStretch()
        self.model.models.changed.connect(self._suggest_out)
        self.panel.done.connect(self._show)
        self._suggest_out()

    def set_scan(self, scan: Scan | None) -> None:
        """Encode this scan."""
        self._scan = scan
        self._suggest_out()

    def request(self) -> EncodingRequest:
        """What is asked for.

        Raises
        ------
        ValueError
            If something is missing.
        """
        if self._scan is None:
            raise ValueError("Open a scan to encode it.")
        if self.model.path is None:
            raise ValueError(
                "Choose a model to encode with: train one first, or take a first look, which needs "
                "none."
            )
        out = path_of(self.out, "where the maps go")
        return EncodingRequest(self._scan, self.model.path, out, place=self.place.chosen)

    def _arguments(self) -> list[str]:
        self._encoding = self.request()
        return self._encoding.arguments()

    def _suggest_out(self) -> None:
        if self._scan is not None and self._scan.path is not None and self.model.path is not None:
            self.out.value = default_maps_path(
                self._scan.path, model_name(self.model.path), self._scan.options
            )

    def _show(self, path: str) -> None:
        assert self._encoding is not None
        self.model.choose(self._encoding.model)
        self.panel.add(advice(show_store(self._session, Path(path), self._encoding.scan)))
