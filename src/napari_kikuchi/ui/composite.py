"""Three maps of a stack as the red, green and blue of a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_kikuchi.explore.features import latent_channels
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.ui.job_row import JobRow
from napari_kikuchi.ui.label_layer import placed_as
from napari_kikuchi.ui.layers import map_layer
from napari_kikuchi.ui.link import KEY
from napari_kikuchi.ui.narrow_choice import may_be_narrow
from napari_kikuchi.ui.show_maps import step_by_step

if TYPE_CHECKING:
    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.ui.layers import LayerData
    from napari_kikuchi.ui.link import ScanLink
    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.stack_choice import StackChoice

COLOURS = ("red", "green", "blue")
_TINTS = ("#e5484d", "#46a758", "#4593f8")


class Composite(QWidget):
    """Lets the user choose three maps and adds them as layers whose colours add up.

    Parameters
    ----------
    session
        Of the viewer that gets the layers.
    stacks
        Whose maps to choose from.
    """

    def __init__(self, session: Session, stacks: StackChoice) -> None:
        super().__init__()
        self._session = session
        self._stacks = stacks
        row, self.choices = QHBoxLayout(), []
        for colour, tint in zip(COLOURS, _TINTS, strict=True):
            choice = QComboBox()
            may_be_narrow(choice, 4)
            choice.setToolTip(f"Map that is shown in {colour}")
            choice.setStyleSheet(f"QComboBox {{ border-bottom: 2px solid {tint}; }}")
            row.addWidget(choice, 1)
            self.choices.append(choice)
        self.button = QPushButton("Add")
        self.button.clicked.connect(self._add)
        head = QHBoxLayout()
        head.addWidget(QLabel("Picture in red, green and blue"), 1)
        head.addWidget(self.button)
        self.row = JobRow(session)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(head)
        layout.addLayout(row)
        layout.addWidget(self.row)

    def collect(self) -> None:
        """Offer the maps of another stack, the best three to begin with."""
        stack = self._stacks.stack
        names = stack.names if stack is not None else []
        # Maps of contrast, which would come first, are alike: together they are nearly grey.
        features = set(latent_channels(stack)) if stack is not None else set()
        best = [i for i in stack.ranking() if i in features] if stack is not None else []
        for i, choice in enumerate(self.choices):
            choice.clear()
            choice.addItems(names)
            choice.setCurrentIndex(best[min(i, len(best) - 1)] if best else -1)
            choice.setEnabled(stack is not None)
        self.button.setEnabled(stack is not None)
        self.button.setToolTip(
            "Add the three maps as layers whose colours add up"
            if stack is not None
            else "There are no maps to choose from"
        )

    def _add(self) -> None:
        stack, source = self._stacks.stack, self._stacks.source
        if stack is None or source is None:
            return
        chosen = [choice.currentIndex() for choice in self.choices]
        self.row.start(_layers(stack, source, chosen), self._show)

    def _show(self, layers: Sequence[LayerData]) -> None:
        step_by_step(self._one_by_one(layers))

    def _one_by_one(self, layers: Sequence[LayerData]) -> Iterator[None]:
        """Put the layers on top, the lowest first; those that are there are not made anew."""
        viewer, over = self._session.viewer, self._stacks.layer()
        picture = []
        for data, attributes, _ in layers:
            layer = self._like(attributes)
            if layer is None:
                place = placed_as(over) if over is not None else {}
                layer = viewer.add_image(data, **attributes | place)
            else:
                layer.visible = True
                viewer.layers.move(viewer.layers.index(layer), len(viewer.layers))
            picture.append(layer)
            yield
        viewer.layers.selection = {layer for layer in picture if layer in viewer.layers}

    def _like(self, attributes: Mapping[str, Any]) -> Image | None:
        """The layer that shows the same map in the same colour, if there is one."""
        meant = attributes["metadata"][KEY]
        return next(
            (
                layer
                for layer, link in self._session.links()
                if isinstance(layer, Image)
                and (link.stack, link.channel) == (meant.stack, meant.channel)
                and layer.colormap.name == attributes["colormap"]
                and layer.blending == attributes["blending"]
            ),
            None,
        )


def _layers(stack: MapStack, source: ScanLink, chosen: list[int]) -> Job[list[LayerData]]:
    """The three layers, the lowest first."""
    layers = []
    for done, (channel, colour) in enumerate(zip(chosen, COLOURS, strict=True)):
        yield Progress(done, len(chosen), "Reading maps")
        data, attributes, kind = map_layer(stack, channel, source, suffix=f" ({colour})")
        # The lowest covers what lies below; napari's other name for that is translucent.
        blending = "translucent_no_depth" if done == 0 else "additive"
        attributes |= {"colormap": colour, "blending": blending}
        layers.append((data, attributes, kind))
    return layers
