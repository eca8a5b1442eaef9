"""The latent space of a scan: its vectors as points, tied to the map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QVBoxLayout, QWidget

from napari_kikuchi.explore.embedding import UMAP_INSTALL, has_umap
from napari_kikuchi.ui.cloud_panel import CloudPanel
from napari_kikuchi.ui.composite import Composite
from napari_kikuchi.ui.docking import give_room
from napari_kikuchi.ui.forms import scrolling
from napari_kikuchi.ui.job_row import JobRow
from napari_kikuchi.ui.listening import Following, listen
from napari_kikuchi.ui.narrow_choice import may_be_narrow
from napari_kikuchi.ui.nearest_patterns import NearestPatterns
from napari_kikuchi.ui.point_cloud import Cloud, Method, Tones, lay_out
from napari_kikuchi.ui.session import session_of
from napari_kikuchi.ui.stack_choice import StackChoice

if TYPE_CHECKING:
    import napari

_WIDTH = 380
_DENSITY = "density"
_COLOURS = "What the points' colours show: how many there are, or a map"
# After the last change of how a map is shown, before points take its colours.
_SETTLED_MS = 150


class LatentSpace(QWidget):
    """Lays latent vectors out as points, selects some, finds those near, mixes maps to a picture.

    Parameters
    ----------
    viewer
        The stacks behind its layers are offered.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.session = session_of(viewer)
        # napari hands a proxy over, whose layers are others than those of the viewer.
        self._viewer = viewer = self.session.viewer
        self._clouds: dict[Method, Cloud] = {}
        self._coloured_by: Image | None = None
        self._listed: list[Image] = []
        self._shown_axes: list[int] = []
        self._following = Following(self._on_shown_otherwise)
        self._redrawing = QTimer(self)
        self._redrawing.setSingleShot(True)
        self._redrawing.setInterval(_SETTLED_MS)
        self._redrawing.timeout.connect(self._draw)
        self._build()
        handlers = [
            (viewer.layers.events.inserted, self._collect),
            (viewer.layers.events.removed, self._collect),
            (viewer.events.theme, self._draw),
            (self.session.subject_changed, self._on_subject),
            (self.session.link_changed, self._on_subject),
        ]
        listen(self, handlers, self.panel.close_down, self._following.stop)
        self._list_colours()
        self._on_stack()
        give_room(self, self.session)

    def _build(self) -> None:
        self.stacks = StackChoice(self.session)
        self.stacks.chosen.connect(self._on_stack)
        self.method = QComboBox()
        self.method.addItems(list(Method))
        self.method.setToolTip("How vectors of many features become points of a plane")
        self._offer_umap()
        # Whoever has cancelled a layout may choose it again.
        self.method.activated.connect(self._lay_out)
        self.axes = [QComboBox(), QComboBox()]
        self.colour = QComboBox()
        self.colour.currentIndexChanged.connect(self._on_colour)
        for choice in (*self.axes, self.colour):
            may_be_narrow(choice, 6)
        for choice in self.axes:
            choice.currentIndexChanged.connect(self._on_axis)
        self.row = JobRow(self.session, self._enable)
        self.panel = CloudPanel(self.session, self.stacks)
        self.nearest = NearestPatterns(self.session, self.stacks)
        self.composite = Composite(self.session, self.stacks)
        axes = QHBoxLayout()
        for choice in self.axes:
            axes.addWidget(choice, 1)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("maps", self.stacks)
        form.addRow("points by", self.method)
        form.addRow("colour by", self.colour)
        form.addRow(axes)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addLayout(form)
        layout.addWidget(self.row)
        layout.addWidget(self.panel)
        layout.addWidget(self.nearest)
        layout.addWidget(self.composite)
        layout.addStretch()
        self.setMinimumWidth(_WIDTH)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(content))

    def _offer_umap(self) -> None:
        if not has_umap():
            model: Any = self.method.model()
            item = model.item(list(Method).index(Method.UMAP))
            item.setEnabled(False)
            item.setToolTip(f"UMAP is not installed: {UMAP_INSTALL}")

    # ------------------------------------------------------------------ what is there

    def _collect(self, *_: Any) -> None:
        """Layers came or went."""
        self.stacks.collect()
        self._list_colours()
        if not self.panel.selection.labels.layer:  # It may just have been removed.
            self.panel.light_up()

    def _on_stack(self) -> None:
        """Lay another stack out, by its principal components to begin with."""
        self.row.cancel()
        self._clouds.clear()
        self.panel.clear()
        self.nearest.clear()
        self.composite.collect()
        self.method.setCurrentIndex(0)
        self._lay_out()

    def _on_subject(self, *_: Any) -> None:
        self.panel.mark()
        self.nearest.enable()

    # ------------------------------------------------------------------ points

    @property
    def _method(self) -> Method:
        return list(Method)[self.method.currentIndex()]

    def _lay_out(self, *_: Any) -> None:
        """Lay the vectors out as the method says, unless that has been done."""
        self.row.cancel()
        stack, method = self.stacks.stack, self._method
        if stack is not None and method not in self._clouds:
            self.panel.clear()

            def keep(cloud: Cloud) -> None:
                self._clouds[method] = cloud
                self._list_axes()

            self.row.start(lay_out(stack, method), keep)
        self._list_axes()

    def _list_axes(self) -> None:
        cloud = self._clouds.get(self._method)
        names = cloud.names if cloud is not None else ()
        for place, choice in enumerate(self.axes):
            choice.blockSignals(True)
            choice.clear()
            choice.addItems(list(names))
            choice.setCurrentIndex(min(place, len(names) - 1))
            choice.blockSignals(False)
        self._shown_axes = [choice.currentIndex() for choice in self.axes]
        self._enable()
        self._draw()

    def _on_axis(self, *_: Any) -> None:
        """Show other components; one that the other axis shows changes places with its own."""
        across, up = (choice.currentIndex() for choice in self.axes)
        if across == up:
            was_across, was_up = self._shown_axes
            other, index = (1, was_across) if across != was_across else (0, was_up)
            self.axes[other].blockSignals(True)
            self.axes[other].setCurrentIndex(index)
            self.axes[other].blockSignals(False)
        self._shown_axes = [choice.currentIndex() for choice in self.axes]
        self._draw()

    def _draw(self, *_: Any) -> None:
        cloud = self._clouds.get(self._method)
        if cloud is not None:
            across, up = (choice.currentIndex() for choice in self.axes)
            self.panel.show_cloud(cloud, (across, up), self._tones())

    def _obstacle(self) -> str:
        """Why no points are shown; empty where some are."""
        if self.stacks.stack is None:
            return "There are no maps to explore"
        if self.row.active:
            return "Being laid out"
        return "" if self._method in self._clouds else "Choose above how points are laid out"

    def _enable(self) -> None:
        """Offer what can be done."""
        there = self.stacks.stack is not None
        laid = self._method in self._clouds
        self.method.setEnabled(there)
        why = self._obstacle()
        tips = ("What the plot shows across", "What the plot shows up", _COLOURS)
        for choice, tip in zip((*self.axes, self.colour), tips, strict=True):
            choice.setEnabled(laid)
            choice.setToolTip(why or tip)
        self.panel.tell_why_empty(why)
        self.nearest.enable()

    # ------------------------------------------------------------------ colours

    def _maps(self) -> list[Image]:
        """The layers by which points can be coloured."""
        stack = self.stacks.stack
        return [
            layer
            for layer in reversed(self._viewer.layers)
            if isinstance(layer, Image) and stack and layer.data.shape == stack.map_shape
        ]

    def _list_colours(self) -> None:
        chosen = self._coloured_by
        # Kept: by the time one is chosen, the layers may lie in another order.
        maps = self._listed = self._maps()
        self.colour.blockSignals(True)
        self.colour.clear()
        self.colour.addItems([_DENSITY, *(layer.name for layer in maps)])
        self.colour.setCurrentIndex(1 + maps.index(chosen) if chosen in maps else 0)
        self.colour.blockSignals(False)
        if chosen is not None and chosen not in maps:
            self._on_colour()

    def _on_colour(self, *_: Any) -> None:
        """Take the colours of another map, and follow it when it is shown otherwise."""
        index = self.colour.currentIndex() - 1
        layer = self._listed[index] if 0 <= index < len(self._listed) else None
        self._coloured_by = layer
        self._following.follow([] if layer is None else _shown_otherwise(layer))
        self._draw()

    def _on_shown_otherwise(self, *_: Any) -> None:
        self._redrawing.start()

    def _tones(self) -> Tones | None:
        layer = self._coloured_by
        if layer is None:
            return None
        low, high = layer.contrast_limits
        return Tones(layer.data, (low, high), layer.colormap)


def _shown_otherwise(layer: Image) -> list[Any]:
    return [layer.events.contrast_limits, layer.events.colormap, layer.events.data]
