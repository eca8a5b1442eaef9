"""Map stacks as napari layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.io.places import model_name
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.symmetry.map_readings import has_symmetry
from napari_kikuchi.ui.link import KEY, LayerLink, ScanLink, link_of
from napari_kikuchi.ui.symmetry_layer import is_symmetry_map, symmetry_labels

if TYPE_CHECKING:
    from napari.layers import Image, Layer
    from napari.utils import Colormap
    from numpy.typing import ArrayLike, NDArray

# napari takes 6 s to add 64 layers and 44 s to add 256; above 64 features, and the four maps that
# come with them, the feature browser shows them.
MAX_LAYERS = 68

_THUMBNAIL_SIDE = 32

LayerData = tuple[Any, dict[str, Any], str]


def layers_of(
    stack: MapStack,
    source: ScanLink | None = None,
    limit: int = MAX_LAYERS,
    others: Iterable[Layer] = (),
) -> list[LayerData]:
    """Layers that show the maps of a stack and the regions drawn on them.

    A stack of many maps becomes one layer, which shows the best of them and in which the feature
    browser exchanges them.

    Parameters
    ----------
    stack
        What to show.
    source
        The scan behind it; None: the one its provenance names.
    limit
        How many maps get a layer each at most.
    others
        Layers from which these are to be told.

    Returns
    -------
    list of tuple
        Data, attributes and type of each layer, in the order of :func:`top_down` from the last to
        the first; regions lie above all maps. The best map alone is visible, or the three that are
        a picture in colours.
    """
    if source is None:
        source = ScanLink(record=stack.provenance.get("scan"))
    if len(stack) > limit:
        layers = [browsed_layer(stack, stack.ranking()[0], source)]
    else:
        suffix, shown = telling_suffix(stack, others), seen_first(stack)
        layers = [
            own_layer(stack, i, source, visible=i in shown, suffix=suffix)
            for i in reversed(top_down(stack))
        ]
    return layers + ([regions_layer(stack, source)] if stack.regions else [])


def seen_first(stack: MapStack) -> tuple[int, ...]:
    """Indices of the maps whose layers are visible before any is chosen."""
    return stack.shown_first() if not has_symmetry(stack) else tuple(stack.ranking()[:1])


def top_down(stack: MapStack) -> list[int]:
    """Indices of the maps as their layers lie on each other, from the top: best first.

    Those that are hidden have none. A picture, which is visible, lies below the others: each that
    is switched on is seen.
    """
    picture = stack.picture()
    return sorted(stack.listed(), key=lambda index: index in picture)


def telling_suffix(stack: MapStack, others: Iterable[Layer]) -> str:
    """What tells the maps of a stack from others of their names: the scan, or what made them.

    Empty if no other has such a name, or if the maps do not say what made them.
    """
    links = [link_of(layer) for layer in others if layer.name in stack.names]
    scan = (stack.provenance.get("scan") or {}).get("name")
    if scan and any(link is not None and link.source.name != scan for link in links):
        return f" ({scan})"
    return _maker_suffix(stack) if links else ""


def made_by(stack: MapStack) -> str:
    """What a person calls the model or the method that made some maps; empty if they do not say."""
    made = stack.provenance.get("microstructure") or {}
    if made.get("made"):
        return f"{made['made']}, seed {made.get('seed')}"
    model = stack.provenance.get("model")
    if not model:
        return str(stack.provenance.get("method", ""))
    return model_name(Path(model["path"])) if model.get("path") else str(model.get("kind", ""))


def stack_label(stack: MapStack, source: ScanLink) -> str:
    """What to call a stack in a list: its scan, what made its maps, and how many there are."""
    return f"{source.name}{_maker_suffix(stack)}: {len(stack)} maps"


def _maker_suffix(stack: MapStack) -> str:
    """What made some maps, in brackets; empty if they do not say.

    A model that is named after the scan of the maps is called by the rest of its name.
    """
    scan = (stack.provenance.get("scan") or {}).get("name", "")
    maker = made_by(stack).removeprefix(f"{scan}.")
    return f" ({maker})" if maker else ""


def map_layer(
    stack: MapStack, channel: int, source: ScanLink, visible: bool = True, suffix: str = ""
) -> LayerData:
    """The layer that shows one map of a stack; its name ends with ``suffix``."""
    values = stack.map(channel)
    attributes = {
        "name": stack.channels[channel].name + suffix,
        "contrast_limits": stack.channels[channel].contrast(values),
        "colormap": colours_of(stack.channels[channel]),
        "visible": visible,
        "metadata": LayerLink(source, stack, channel).metadata(),
        **grid(stack.step),
    }
    # The colours of a picture add up, but the lowest of them covers what lies below.
    if channel in stack.picture() and channel != top_down(stack)[-1]:
        attributes["blending"] = "additive"
    return values, attributes, "image"


def own_layer(
    stack: MapStack, channel: int, source: ScanLink, visible: bool = True, suffix: str = ""
) -> LayerData:
    """The layer of a map by itself: labels where its values are numbers of space groups."""
    values, attributes, kind = map_layer(stack, channel, source, visible, suffix)
    if not is_symmetry_map(stack, channel):
        return values, attributes, kind
    labels, look = symmetry_labels(stack, values)
    del attributes["contrast_limits"]
    return labels, attributes | look, "labels"


def colours_of(channel: Channel) -> str:
    """The colormap of a map; gray, where a file asks for one that napari does not have."""
    from napari.utils.colormaps import ensure_colormap

    try:
        ensure_colormap(channel.colormap or "gray")
    except KeyError:
        return "gray"
    return channel.colormap or "gray"


def browsed_layer(stack: MapStack, channel: int, source: ScanLink) -> LayerData:
    """A layer for all the maps of a stack, which shows one of them now."""
    values, attributes, kind = map_layer(stack, channel, source)
    attributes["metadata"] = LayerLink(source, stack).metadata()
    attributes.pop("blending", None)  # It shows other maps, too.
    return values, attributes, kind


def thumbnail(layer: Image) -> NDArray[np.float32]:
    """What the layer list shows of a map: napari draws it only once the layer has been visible.

    Returns
    -------
    numpy.ndarray
        Colours of shape (height, width, 4), of 32 pixels at most.
    """
    return miniature(layer.data, layer.contrast_limits, layer.colormap, _THUMBNAIL_SIDE)


def miniature(
    values: ArrayLike, limits: Sequence[float], colormap: Colormap, side: int
) -> NDArray[np.float32]:
    """A map as a small picture: colours of shape (height, width, 4), the longer side as asked."""
    values = np.asarray(values)
    shares = (max(1, round(side * size / max(values.shape))) for size in values.shape)
    picked = (
        ((np.arange(count) + 0.5) * size / count).astype(int)
        for count, size in zip(shares, values.shape, strict=True)
    )
    low, high = limits
    toned = np.clip((values[np.ix_(*picked)] - low) / (high - low), 0, 1)
    return colormap.map(toned.ravel()).reshape(*toned.shape, 4)


def regions_layer(stack: MapStack, source: ScanLink) -> LayerData:
    """The layer that shows the regions drawn on the maps of a stack, and knows on which scan."""
    attributes = {
        "name": "regions",
        "shape_type": [region.shape_type for region in stack.regions],
        "features": {"name": [region.name for region in stack.regions]},
        "face_color": "transparent",
        "edge_color": "yellow",
        "edge_width": max(stack.step),
        "metadata": {KEY: source},
        "units": ("um", "um"),
        "axis_labels": ("y", "x"),
    }
    return [np.array(region.vertices) for region in stack.regions], attributes, "shapes"


def grid(step: tuple[float, float]) -> dict[str, Any]:
    """Attributes that put a map on its scan positions, in µm."""
    return {"scale": step, "units": ("um", "um"), "axis_labels": ("y", "x")}
