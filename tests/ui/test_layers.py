from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Layer

from napari_kikuchi.maps import Channel, Region, contrast_limits
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.session import session_of


def made(stack, **options):
    return [Layer.create(*layer) for layer in layers_of(stack, **options)]


def test_the_best_map_is_on_top_and_alone_visible(stack):
    layers = made(stack)
    assert [layer.name for layer in reversed(layers)] == [f"feature {i}" for i in (2, 4, 3, 1)]
    assert [layer.visible for layer in reversed(layers)] == [True, False, False, False]


def made_by(model, stack):
    return replace(stack, provenance={**stack.provenance, "model": {"path": model}})


def test_maps_of_two_models_are_told_apart_by_the_model(stack):
    stack = made_by("/models/nickel-principal-32.safetensors", stack)
    first = made(stack)
    names = {layer.name for layer in first}
    assert names == {f"feature {i}" for i in (1, 2, 3, 4)}
    again = {layer.name for layer in made(stack, others=first[:1])}
    assert again == {f"{name} (nickel-principal-32)" for name in names}
    first[0].name = "grains"
    assert {layer.name for layer in made(stack, others=first[:1])} == names
    own = made_by("/runs/weld.quick-32/model.safetensors", stack)
    assert {layer.name for layer in made(own, others=first)} == {f"{n} (quick-32)" for n in names}


def test_maps_of_a_method_are_told_apart_by_the_method(stack):
    encoded = made_by("/models/nickel-principal-32.safetensors", stack)
    physics = replace(stack, provenance={**stack.provenance, "method": "physics"})
    names = {layer.name for layer in made(physics, others=made(encoded))}
    assert names == {f"feature {i} (physics)" for i in (1, 2, 3, 4)}


def test_maps_of_two_scans_are_told_apart_by_the_scan(stack):
    stack = made_by("/models/nickel-principal-32.safetensors", stack)
    other = replace(stack, provenance={**stack.provenance, "scan": {"name": "deck"}})
    names = {layer.name for layer in made(other, others=made(stack))}
    assert names == {f"feature {i} (deck)" for i in (1, 2, 3, 4)}


def test_the_colours_of_a_picture_add_up_and_cover_what_lies_below(stack, make_napari_viewer):
    values = np.random.default_rng(3).random((5, 12, 16), np.float32)
    colours = [Channel(f"IPF {c}", colormap=c, limits=(0.0, 1.0)) for c in ("red", "green", "blue")]
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.ones((12, 16)), scale=stack.step, units=("um", "um"))
    channels = [Channel("KAM"), *colours, Channel("fit")]
    for layer in made(replace(stack, values=values, channels=channels)):
        viewer.add_layer(layer)
    names = [layer.name for layer in viewer.layers]
    assert names[1:] == ["IPF blue", "IPF green", "IPF red", "fit", "KAM"]
    assert [layer.visible for layer in viewer.layers] == [True] * 4 + [False] * 2
    viewer.reset_view()
    seen = viewer.screenshot(canvas_only=True, flash=False)
    height, width = seen.shape[:2]
    zoom, centre = viewer.scene.camera.zoom, viewer.scene.camera.center[-2:]
    for row, col in ((2, 3), (5, 9), (10, 6)):
        down, right = (np.multiply((row, col), stack.step) - centre) * zoom
        pixel = seen[round(height / 2 + down), round(width / 2 + right), :3]
        np.testing.assert_allclose(pixel / 255, values[1:4, row, col], atol=0.02)


def test_maps_lie_in_micrometres_with_contrast_from_percentiles(stack):
    stack = replace(stack, channels=[replace(c, colormap="viridis") for c in stack.channels])
    top = made(stack)[-1]
    np.testing.assert_array_equal(top.data, stack.values[1])
    assert tuple(top.scale) == (0.5, 0.25)
    assert [str(unit) for unit in top.units] == ["micrometer", "micrometer"]
    assert tuple(top.contrast_limits) == contrast_limits(stack.values[1])
    assert top.colormap.name == "viridis"


def test_layers_know_their_map_and_share_their_scan(stack):
    links = [link_of(layer) for layer in made(stack)]
    assert [link.channel for link in links] == [0, 2, 3, 1]
    assert {link.stack for link in links} == {stack}
    assert len({link.source for link in links}) == 1
    assert links[0].source.name == "weld"


def test_many_maps_share_one_layer_that_shows_the_best(stack):
    channels = [Channel(f"feature {i}", score=i) for i in range(100)]
    values = np.arange(100, dtype=np.float32)[:, None, None] + np.eye(2, dtype=np.float32)
    (layer,) = made(replace(stack, values=values, channels=channels))
    assert layer.name == "feature 99"
    np.testing.assert_array_equal(layer.data, values[99])


@pytest.mark.parametrize("colormap", ["of another program", ""])
def test_colours_that_napari_does_not_have_are_gray(stack, colormap):
    channels = [replace(channel, colormap=colormap) for channel in stack.channels]
    for layer in made(replace(stack, channels=channels)):
        assert layer.colormap.name == "gray"


def test_regions_lie_on_the_maps(stack):
    triangle = ((0.0, 0.0), (2.0, 0.0), (2.0, 1.5))
    ellipse = ((1.0, 1.0), (1.0, 2.0), (2.0, 2.0), (2.0, 1.0))
    regions = [Region("weld", "polygon", triangle), Region("pore", "ellipse", ellipse)]
    shapes = made(replace(stack, regions=regions))[-1]
    assert shapes.shape_type == ["polygon", "ellipse"]
    assert list(shapes.features["name"]) == ["weld", "pore"]
    np.testing.assert_allclose(shapes.data_to_world(shapes.data[0][2]), (2.0, 1.5))
    assert [str(unit) for unit in shapes.units] == ["micrometer", "micrometer"]


@pytest.mark.parametrize("colormap", ["gray", "viridis"])
def test_the_thumbnail_of_a_hidden_map_is_what_napari_draws_of_a_visible_one(
    stack, make_napari_viewer, colormap
):
    viewer = make_napari_viewer()
    session_of(viewer)
    stack = replace(stack, channels=[replace(c, colormap=colormap) for c in stack.channels])
    for layer in made(stack):
        viewer.add_layer(layer)
    hidden = viewer.layers[0]
    mine = hidden.thumbnail.astype(int)
    assert not hidden.visible
    hidden.visible = True
    hidden._update_thumbnail()
    napari = hidden.thumbnail.astype(int)
    # napari's own picks the pixels of a few edges otherwise.
    assert np.mean(np.abs(mine - napari).max(axis=-1) > 3) < 0.25
    np.testing.assert_array_equal(mine[..., 3], napari[..., 3])
