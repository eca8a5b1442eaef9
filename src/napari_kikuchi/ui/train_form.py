"""Training an encoder: what on, how long, and how it goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from magicgui.types import FileDialogMode
from magicgui.widgets import CheckBox, ComboBox, FileEdit, FloatSpinBox, Select, SpinBox
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_kikuchi.images import resized_mask
from napari_kikuchi.io.places import beside, scan_label
from napari_kikuchi.latent.presets import DEFAULT_PRESET, PRESETS, preset
from napari_kikuchi.scan import Block, Scan
from napari_kikuchi.training import CHECKPOINT_FILE
from napari_kikuchi.ui.child import COMMAND, JobState
from napari_kikuchi.ui.forms import Form, path_of, scan_labels
from napari_kikuchi.ui.job_panel import JobPanel
from napari_kikuchi.ui.live_map import LiveMap, centre_block, drawn_block
from napari_kikuchi.ui.loss_plot import LossPlot
from napari_kikuchi.ui.model_choice import ModelChoice
from napari_kikuchi.ui.models import remember_model
from napari_kikuchi.ui.requests import TrainingRequest
from napari_kikuchi.ui.session import Session
from napari_kikuchi.ui.training_options import TrainingOptions

LINEAR = "linear"
_CENTRE, _DRAWN, _NOTHING = "middle of the map", "region drawn on the map", "nothing"


class TrainForm(QWidget):
    """Sets up a training, runs it in a child process and shows how it goes.

    Parameters
    ----------
    session
        Knows the scans and their recipes.
    command
        Program that trains, and its first arguments.
    """

    trained = Signal(str)
    """Path of the best model of a training that has ended."""

    def __init__(self, session: Session, command: Sequence[str] = COMMAND) -> None:
        super().__init__()
        self._session = session
        self._scan: Scan | None = None
        self._live = LiveMap(session)
        self._active = ""
        self._plotted: Path | None = None
        # What runs or ran last: the form may be changed meanwhile.
        self._training: TrainingRequest | None = None
        self._suggested_for: tuple[Path, str] | None = None
        self.scans = Select(
            label="scans",
            choices=[],
            tooltip="What to learn from: one or several of the open scans.\n"
            "Signal mask, scale and kind of background are those of the first of them.",
        )
        self.scans.max_height = 44
        self.model = ComboBox(
            label="model",
            choices=[LINEAR, *PRESETS],
            value=DEFAULT_PRESET,
            tooltip="linear: principal components, in seconds.\n"
            "principal: networks behind principal components, in minutes.\n"
            "quick: small convolutional ones. published: the reference networks, for GPUs.\n"
            "The number is that of the latent features.",
        )
        self.latent = SpinBox(
            label="features", min=2, max=512, value=32, tooltip="Number of principal components"
        )
        self.minutes = FloatSpinBox(
            label="minutes",
            min=0.0,
            max=10_000.0,
            step=5.0,
            value=10.0,
            tooltip="Stop after so many minutes; 0: no limit. The best model so far is kept.",
        )
        self.init = ModelChoice(
            "start from",
            none="nothing",
            tooltip="Adapt a trained model to these scans; its recipe is kept",
        )
        self.watch = ComboBox(
            label="watch",
            choices=[_CENTRE, _DRAWN, _NOTHING],
            tooltip="Part of the first scan whose map is redrawn as the training goes",
        )
        self.folder = FileEdit(
            label="folder",
            mode=FileDialogMode.EXISTING_DIRECTORY,
            tooltip="Where the model, its log and its checkpoint go",
        )
        self.resume = CheckBox(
            text="resume",
            tooltip="Go on from the checkpoint in the folder, as if it had not been interrupted",
        )
        self.minutes.native.setSpecialValueText("no limit")
        self.form = Form(
            self.scans,
            self.model,
            self.latent,
            self.minutes,
            self.init,
            self.watch,
            self.folder,
            self.resume,
        )
        self.more = TrainingOptions()
        self.plot = LossPlot()
        self.panel = JobPanel(
            "Train",
            self._arguments,
            "Train in a process of its own; the window stays free",
            command=command,
        )
        self.plot.hide()
        layout = QVBoxLayout(self)
        # What a training tells stands above what was asked of it, where no scrolling hides it.
        layout.addWidget(self.panel)
        layout.addWidget(self.plot)
        layout.addWidget(self.form)
        layout.addWidget(self.more)
        layout.addStretch()
        self.model.changed.connect(self._on_model)
        self.init.models.changed.connect(self._on_init)
        self.scans.changed.connect(self._suggest_folder)
        self.folder.changed.connect(self._offer_resume)
        self.resume.changed.connect(self._name_button)
        self.panel.started.connect(self._on_started)
        self.panel.reported.connect(self._on_event)
        self.panel.ended.connect(self._on_ended)
        self._on_model()

    @property
    def linear(self) -> bool:
        """Whether principal components are wanted, not a network."""
        return self.model.value == LINEAR

    def set_scans(self, scans: Sequence[Scan], current: Scan | None) -> None:
        """Offer the open scans, and choose the current one unless others are chosen."""
        chosen = [scan for scan in self.scans.value if scan in scans]
        self.scans.choices = list(zip(scan_labels(scans), scans, strict=True))
        if current is not None and current is not self._scan:
            chosen = [current]
        self._scan = current
        self.scans.value = chosen

    def request(self) -> TrainingRequest:
        """What is asked for.

        Raises
        ------
        ValueError
            If something is missing or does not fit.
        """
        scans = list(self.scans.value)
        if not scans:
            raise ValueError("Choose at least one scan to train on.")
        init = None if self.linear else self.init.path
        recipe = self._session.recipe(scans[0])
        mask = None
        if init is None and recipe.mask is not None:
            size = recipe.size if self.linear else preset(self.model.value).size
            mask = resized_mask(recipe.mask, size)
        return TrainingRequest(
            scans=scans,
            folder=path_of(self.folder, "in which folder the model goes"),
            preset=self.model.value if init is None else None,
            linear=self.linear,
            latent=self.latent.value if self.linear else None,
            minutes=None if self.linear else self.minutes.value or None,
            init=init,
            resume=self.resume.value and not self.linear,
            watch=None if self.linear else self._watched(scans[0]),
            size=recipe.size if self.linear else None,
            background=recipe.background if init is None else None,
            rescale=recipe.rescale if init is None else None,
            mask=mask,
            **self.more.chosen(network=not self.linear),
        )

    def _arguments(self) -> list[str]:
        request = self.request()
        arguments = request.arguments()
        request.write_mask()
        self._training = request
        return arguments

    def _watched(self, scan: Scan) -> Block | None:
        if self.watch.value == _NOTHING:
            return None
        return (
            centre_block(scan) if self.watch.value == _CENTRE else drawn_block(self._session, scan)
        )

    def _on_model(self) -> None:
        self.form.show_row(self.latent, self.linear)
        for widget in (self.minutes, self.init, self.watch):
            self.form.show_row(widget, not self.linear)
        self.more.show_for(network=not self.linear)
        self._suggest_folder()
        self._offer_resume()
        self._name_button()

    def _offer_resume(self) -> None:
        """Offer to go on with what was begun in the folder, if anything was."""
        begun = self._begun()
        self.form.show_row(self.resume, begun)
        if not begun:
            self.resume.value = False

    def _begun(self) -> bool:
        folder = self.folder.value
        checkpoint = isinstance(folder, Path) and (folder / CHECKPOINT_FILE).is_file()
        return checkpoint and not self.linear

    def _name_button(self) -> None:
        """Say what the button will do: the choice to resume may be scrolled out of sight."""
        resumes = self.resume.value and not self.linear
        self.panel.set_title("Resume" if resumes else "Train")

    def _on_init(self) -> None:
        # A trained model brings its network along.
        self.model.enabled = self.init.path is None

    def _suggest_folder(self, *, anew: bool = False) -> None:
        paths = [scan.path for scan in self.scans.value if scan.path is not None]
        if not paths:
            return
        options = next(scan.options for scan in self.scans.value if scan.path is not None)
        name = f"{scan_label(paths[0], options)}.{self.model.value}"
        # A folder that was typed in stays until there is something else to train.
        if anew or self._suggested_for != (paths[0], name):
            self._suggested_for = (paths[0], name)
            folder, number = beside(paths[0], name), 1
            while not self.linear and any(folder.glob("*.safetensors")):
                number += 1
                folder = beside(paths[0], f"{name}-{number}")
            self.folder.value = folder
            self.resume.value = False

    def _on_started(self) -> None:
        request = self._training
        assert request is not None
        if not (request.resume and request.folder == self._plotted):
            self.plot.clear()
        self._plotted = request.folder
        self.plot.setVisible(not request.linear)
        self._active = ""
        self.form.hide()
        self.more.hide()
        if request.watch is None:
            self._live.unwatch()
        else:
            self._live.watch(request.scans[0], request.watch)

    def _on_event(self, event: dict[str, Any]) -> None:
        if event["event"] != "training":
            return
        if event.get("validation_loss") is not None:
            self.plot.add(event["step"], event.get("train_loss"), event["validation_loss"])
        if event.get("active_features") is not None:
            self._active = f"{event['active_features']} of {event['latent']} features active"
        told = [self.panel.message.text(), self._active]
        if event.get("patterns_per_second"):
            told.append(f"{event['patterns_per_second']:,.0f} patterns/s")
        self.panel.say("\n".join(filter(None, told)))
        if event.get("live"):
            self._live.refresh(Path(event["live"]))

    def _on_ended(self) -> None:
        request, state = self._training, self.panel.job.state
        assert request is not None
        self.form.show()
        self.more.show()
        self._offer_resume()
        if self.folder.value == request.folder:
            if state is JobState.DONE:
                self._suggest_folder(anew=True)
            # A training that failed may have found the folder taken by another one.
            elif self._begun() and (state is JobState.STOPPED or self.plot.validation):
                self.resume.value = True
        # A training that was stopped leaves its best model, too.
        model = Path(self.panel.job.result or request.folder / "model.safetensors")
        if state is not JobState.FAILED and model.is_file():
            remember_model(model)
            self.init.models.reset_choices()
            self.trained.emit(str(model))
