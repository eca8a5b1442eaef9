"""Physics maps of a scan: which, of what, and where they go."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from magicgui.widgets import CheckBox, ComboBox
from qtpy.QtWidgets import QVBoxLayout

from napari_kikuchi.images import resized_mask
from napari_kikuchi.io.map_store import MapStoreError, read_provenance
from napari_kikuchi.physics.maps import Kind, default_physics_path
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.forms import Form, path_of
from napari_kikuchi.ui.indexing_options import IndexingOptions
from napari_kikuchi.ui.map_form import MapForm, MapWords
from napari_kikuchi.ui.prepare_form import binned_sizes, size_text
from napari_kikuchi.ui.requests import MapsRequest
from napari_kikuchi.ui.session import Session
from napari_kikuchi.ui.work_place import WorkPlaceChoice

# In the order in which their maps come.
_KINDS: dict[Kind, tuple[str, str]] = {
    "quality": (
        "image quality",
        "How much of a pattern's Fourier spectrum lies at low frequencies: bands, not noise",
    ),
    "sharpness": (
        "sharpness",
        "At how many frequencies a pattern is strong: fewer where it is blurred.\n"
        "Noise hides the difference: choose a smaller size for noisy patterns.",
    ),
    "contrast": (
        "contrast",
        "Standard deviation of a pattern less the static background",
    ),
    "intensity": ("mean intensity", "Of the pattern as recorded: topography, mean atomic number"),
    "indexing": (
        "orientations, by indexing",
        "Hough indexing: IPF colours along the surface's normal, confidence, KAM, GROD, grains.\n"
        "Needs the projection centre and PyEBSDIndex.",
    ),
}
# One click and a short time; nothing need be known for them.
_SIMPLE = ("quality", "sharpness", "contrast")


class PhysicsForm(MapForm[MapsRequest]):
    """Maps a scan by classical methods in a child process and shows the maps.

    Parameters
    ----------
    session
        Of the viewer that shows the maps.
    command
        Program that makes the maps, and its first arguments.
    """

    def __init__(self, session: Session, command: Sequence[str] = COMMAND) -> None:
        super().__init__(
            session,
            MapWords(
                "Make maps",
                "other maps are wanted now",
                "Map every pattern in a process of its own; what was stopped goes on where it was",
                "What classical methods say of each pattern, to stand beside latent maps.",
            ),
            command,
        )
        self._suggested: Path | None = None
        self.kinds: dict[Kind, CheckBox] = {
            kind: CheckBox(text=text, value=kind in _SIMPLE, tooltip=tooltip)
            for kind, (text, tooltip) in _KINDS.items()
        }
        self.indexing = IndexingOptions()
        self.size = ComboBox(
            label="size",
            choices=[("as recorded", None)],
            tooltip="Average patterns down to so many pixels first: less noise, and faster",
        )
        self.choices = Form(*self.kinds.values())
        self.form = Form(self.size, self.out)
        self.place = WorkPlaceChoice()
        layout = QVBoxLayout(self)
        for widget in (self.panel, self.choices, self.indexing, self.form, self.place):
            layout.addWidget(widget)
        layout.addStretch()
        for box in self.kinds.values():
            box.changed.connect(self._on_kinds)
        # What has been made is not to be lost to what was ticked meanwhile.
        self.panel.ended.connect(self._suggest_out)
        self._on_kinds()
        self.panel.offer_restart()

    @property
    def chosen(self) -> list[Kind]:
        """The kinds of maps that are ticked."""
        return [kind for kind, box in self.kinds.items() if box.value]

    def _on_scan(self, scan: Scan | None) -> None:
        self.indexing.set_scan(scan)
        recorded: list[tuple[str, tuple[int, int] | None]] = [("as recorded", None)]
        if scan is not None:
            smaller = [one for one in binned_sizes(scan.pattern_shape) if one != scan.pattern_shape]
            recorded += [(size_text(one, scan), one) for one in reversed(smaller)]
        self.size.choices = recorded
        self._suggest_out(anew=True)

    def request(self) -> MapsRequest:
        """What is asked for.

        Raises
        ------
        ValueError
            If something is missing.
        """
        if self._scan is None:
            raise ValueError("Open a scan to map it.")
        if not self.chosen:
            raise ValueError("Tick at least one kind of map.")
        indexed = "indexing" in self.chosen
        mask = self._session.recipe(self._scan).mask
        return MapsRequest(
            self._scan,
            self.chosen,
            path_of(self.out, "where the maps go"),
            indexing=self.indexing.chosen() if indexed else None,
            grain_threshold=self.indexing.threshold.value if indexed else None,
            size=self.size.value,
            mask=None
            if mask is None
            else resized_mask(mask, self.size.value or self._scan.pattern_shape),
            restart=self.panel.restart.isChecked(),
            place=self.place.chosen,
        )

    def _prepare(self, request: MapsRequest) -> None:
        request.write_mask()

    def _on_kinds(self) -> None:
        self.indexing.setVisible("indexing" in self.chosen)
        self._suggest_out()

    def _suggest_out(self, *, anew: bool = False) -> None:
        """Suggest a place, unless the user has chosen one for this scan."""
        if self._scan is None or self._scan.path is None:
            return
        if anew or self.out.value == self._suggested:
            default = default_physics_path(self._scan.path, self._scan.options)
            self._suggested = self.out.value = _place(default, self.chosen)


def _place(default: Path, kinds: Collection[Kind]) -> Path:
    """Where maps of these kinds take the place of no others: an hour's indexing is not lost."""
    place, number = default, 1
    while _holds_others(place, kinds):
        number += 1
        place = default.with_name(f"{default.stem}-{number}{default.suffix}")
    return place


def _holds_others(place: Path, kinds: Collection[Kind]) -> bool:
    try:
        there = read_provenance(place)
    except FileNotFoundError:
        return False
    except MapStoreError:  # something else, or a store of a newer version
        return True
    return there.get("method") != "physics" or not set(there.get("kinds", ())) <= set(kinds)
