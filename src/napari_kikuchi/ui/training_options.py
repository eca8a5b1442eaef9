"""What few trainings need to change, out of the way until it is asked for."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import ComboBox, FloatSpinBox, SpinBox
from superqt import QCollapsible

from napari_kikuchi.ui.forms import Form


class TrainingOptions(QCollapsible):
    """Objective, its weights, and how many patterns are passed how often."""

    def __init__(self) -> None:
        super().__init__("More")
        self.objective = ComboBox(
            label="objective",
            choices=[
                ("reconstruct", "vae"),
                ("reconstruct and disregard noise (contrastive)", "contrastive"),
            ],
            tooltip="reconstruct: a variational autoencoder.\n"
            "contrastive: besides, noise that a camera adds shall not move a pattern in latent "
            "space; takes twice the time.",
        )
        self.beta = FloatSpinBox(
            label="β",
            min=0.0,
            max=1000.0,
            step=1.0,
            value=1.0,
            tooltip="How sparingly the features are used.\n"
            "More: fewer maps with less noise, but weak contrasts such as cell walls fade first.\n"
            "Less: finer contrasts and more noise, spread over more maps.",
        )
        self.warm_up = SpinBox(
            label="β grows for",
            min=0,
            max=1_000_000,
            step=100,
            value=600,
            tooltip="Steps over which β grows to its value: features are first learnt, then saved",
        )
        self.likelihood = ComboBox(
            label="likelihood",
            choices=["calibrated", "unit"],
            tooltip="calibrated: errors count in proportion to what is left of them, which keeps "
            "weak features alive.\nunit: as published; most features fall silent.",
        )
        self.epochs = SpinBox(
            label="epochs",
            min=0,
            max=100_000,
            value=0,
            tooltip="Stop after so many passes over the patterns.\n"
            "0: as many as fit into the minutes; 50 where minutes have no limit either.",
        )
        self.patterns = SpinBox(
            label="patterns",
            min=256,
            max=10_000_000,
            step=1000,
            value=16_000,
            tooltip="Drawn at random from each scan; all of a smaller scan",
        )
        self._of_networks = (
            self.objective,
            self.beta,
            self.warm_up,
            self.likelihood,
            self.epochs,
        )
        self.form = Form(*self._of_networks, self.patterns)
        self.addWidget(self.form)

    def show_for(self, *, network: bool) -> None:
        """Show what a network needs, or what principal components do."""
        for widget in self._of_networks:
            self.form.show_row(widget, network)

    def chosen(self, *, network: bool) -> dict[str, Any]:
        """What was chosen, as a :class:`~.requests.TrainingRequest` takes it."""
        if not network:
            return {"patterns": self.patterns.value}
        return {
            "patterns": self.patterns.value,
            "epochs": self.epochs.value or None,
            "objective": self.objective.value,
            "beta": self.beta.value,
            "kl_warm_up": self.warm_up.value,
            "likelihood": self.likelihood.value,
        }
