from dataclasses import replace

import h5py
import numpy as np
import pytest
import tifffile

from napari_kikuchi.io.map_store import read_maps, write_maps
from napari_kikuchi.maps import Mark
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import LayerLink, ScanLink, link_of
from napari_kikuchi.ui.marks import marks_of
from napari_kikuchi.ui.pointer import MARKER
from napari_kikuchi.ui.writer import (
    LayerSaveError,
    stack_of,
    write_hdf5_layers,
    write_map_layers,
    write_tiff_layers,
)


def add(viewer, layers):
    for data, attributes, kind in layers:
        getattr(viewer, f"add_{kind}")(data, **attributes)


def test_saved_layers_reopen_as_they_were(make_napari_viewer, stack, patterns, tmp_path, qtbot):
    stack = replace(stack, arrays={"background": np.ones((8, 8))})
    viewer = make_napari_viewer()
    add(viewer, layers_of(stack))
    viewer.layers["feature 3"].name = "cell walls"
    regions = viewer.add_shapes(scale=(0.5, 0.5), translate=(1, 0), name="regions")
    regions.add([[0, 0], [2, 0], [2, 3]], shape_type="polygon")
    regions.add([[1, 1], [1, 2], [2, 2], [2, 1]], shape_type="ellipse")
    regions.features = {"name": ["cell", ""]}
    path = tmp_path / "saved.zarr"
    assert viewer.layers.save(str(path)) == [str(path)]

    saved = read_maps(path)
    assert saved.names == ["feature 1", "feature 2", "cell walls", "feature 4"]
    np.testing.assert_array_equal(np.asarray(saved.values), stack.values)
    assert saved.provenance == stack.provenance
    np.testing.assert_array_equal(saved.arrays["background"], np.ones((8, 8)))
    assert [(r.name, r.shape_type) for r in saved.regions] == [
        ("cell", "polygon"),
        ("region 2", "ellipse"),
    ]
    assert saved.regions[0].vertices == ((1.0, 0.0), (2.0, 0.0), (2.0, 1.5))

    again = make_napari_viewer()
    again.open(path, plugin="napari-kikuchi")
    assert [layer.name for layer in again.layers] == [layer.name for layer in viewer.layers]
    for before, after in zip(viewer.layers, again.layers, strict=True):
        assert before.visible == after.visible
        if before.name != "regions":
            np.testing.assert_array_equal(before.data, after.data)
            np.testing.assert_allclose(before.scale, after.scale)
    for before, after in zip(regions.data, again.layers["regions"].data, strict=True):
        np.testing.assert_allclose(
            [regions.data_to_world(vertex) for vertex in before],
            [again.layers["regions"].data_to_world(vertex) for vertex in after],
        )
    source = link_of(again.layers[0]).source
    qtbot.waitUntil(lambda: source.scan is not None)
    np.testing.assert_array_equal(source.scan.read(2, 3), patterns[2, 3])


def test_regions_are_saved_as_they_lie_on_the_maps_wherever_those_lie(
    make_napari_viewer, stack, tmp_path
):
    viewer = make_napari_viewer()
    add(viewer, layers_of(stack))
    regions = viewer.add_shapes([[[2, 0], [2, 3]]], shape_type="line", name="regions")
    for layer in viewer.layers:
        layer.affine = [[0, -1, 20], [1, 0, -7], [0, 0, 1]]
    assert regions.data_to_world((2, 3)) == pytest.approx((17, -5))
    viewer.layers.save(str(tmp_path / "saved.zarr"))
    (region,) = read_maps(tmp_path / "saved.zarr").regions
    np.testing.assert_allclose(region.vertices, [[2, 0], [2, 3]], atol=1e-9)


def test_the_mark_of_a_held_position_does_not_keep_maps_from_being_saved(
    make_napari_viewer, stack, tmp_path
):
    viewer = make_napari_viewer()
    add(viewer, layers_of(stack))
    viewer.add_points([[1, 1]], name=MARKER)
    assert viewer.layers.save(str(tmp_path / "saved.zarr"))
    assert len(read_maps(tmp_path / "saved.zarr")) == 4


def test_maps_get_the_ending_by_which_napari_knows_them(stack, tmp_path):
    layers = layers_of(stack)
    assert write_map_layers(str(tmp_path / "run.1"), layers) == [str(tmp_path / "run.1.zarr")]
    assert len(read_maps(tmp_path / "run.1.zarr")) == 4
    # napari asked whether to replace "run.1", not this.
    with pytest.raises(FileExistsError, match=r"run\.1\.zarr is there already"):
        write_map_layers(str(tmp_path / "run.1"), layers)


def test_a_layer_that_shows_a_whole_stack_is_saved_whole(stack, tmp_path):
    write_maps(tmp_path / "all.zarr", stack)
    lazy = read_maps(tmp_path / "all.zarr")
    link = LayerLink(ScanLink(), lazy)
    browsed = (stack.map(1), attributes("feature 2", link), "image")
    renamed = (stack.map(3), attributes("twins", LayerLink(ScanLink(), lazy, 3)), "image")
    write_map_layers(str(tmp_path / "copy.zarr"), [browsed, renamed])
    copy = read_maps(tmp_path / "copy.zarr")
    assert copy.names == ["feature 1", "feature 2", "feature 3", "twins"]
    np.testing.assert_array_equal(np.asarray(copy.values), stack.values)


def test_maps_keep_their_marks_alone_and_with_the_stack_that_one_layer_shows(stack, tmp_path):
    marks = marks_of(stack)
    marks.toggle(0, Mark.HIDDEN)
    marks.toggle(3, Mark.STARRED)
    link = LayerLink(ScanLink(), stack)
    browsed = (stack.map(1), attributes("feature 2", link), "image")
    renamed = (stack.map(3), attributes("twins", LayerLink(ScanLink(), stack, 3)), "image")
    for layers, names, expected in (
        ([renamed], ["twins"], [Mark.STARRED]),
        ([browsed], stack.names, [Mark.HIDDEN, Mark.NONE, Mark.NONE, Mark.STARRED]),
    ):
        write_map_layers(str(tmp_path / "copy.zarr"), layers)
        copy = read_maps(tmp_path / "copy.zarr")
        assert copy.names == names
        assert [channel.mark for channel in copy.channels] == expected


def test_labels_are_saved_beside_maps_whatever_they_were_made_of(
    make_napari_viewer, stack, tmp_path
):
    viewer = make_napari_viewer()
    add(viewer, layers_of(stack))
    # napari takes the metadata over, by which these labels would be a map of the stack.
    metadata = dict(viewer.layers["feature 3"].metadata)
    labels = np.arange(stack.values[0].size, dtype=np.int32).reshape(stack.map_shape)
    viewer.add_labels(labels, name="twins", metadata=metadata, scale=stack.step)
    assert viewer.layers.save(str(tmp_path / "saved.zarr"))
    saved = read_maps(tmp_path / "saved.zarr")
    assert saved.names == [*stack.names, "twins"]
    assert saved.channels[-1].colormap == "tab20"
    assert saved.values.dtype == np.float32
    np.testing.assert_array_equal(saved.map(4), labels)
    np.testing.assert_array_equal(np.asarray(saved.values)[:4], stack.values)


def test_an_encoding_is_not_replaced_by_a_part_of_it(stack, tmp_path):
    path = tmp_path / "all.zarr"
    write_maps(path, stack)
    with pytest.raises(LayerSaveError, match=r"holds 4 maps .* only 2 are selected"):
        write_map_layers(str(path), layers_of(stack)[:2])
    assert len(read_maps(path)) == 4


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"shape": (4, 4)}, "shape"),
        ({"scale": (1.0, 1.0)}, "step"),
        ({"link": LayerLink(ScanLink(record={"name": "other"}))}, "scan"),
    ],
)
def test_layers_that_do_not_belong_together_are_refused(stack, other, what):
    link = LayerLink(ScanLink(record={"name": "weld"}))
    one = (np.zeros((5, 6)), attributes("one", link), "image")
    two = (
        np.zeros(other.get("shape", (5, 6))),
        attributes("two", other.get("link", link), other.get("scale", (0.5, 0.25))),
        "image",
    )
    with pytest.raises(LayerSaveError, match=f"of one {what}.*'two'.*'one'"):
        stack_of([one, two])


def test_regions_alone_are_no_maps():
    with pytest.raises(LayerSaveError, match="no map"):
        stack_of([([], {"name": "regions"}, "shapes")])


def attributes(name, link, scale=(0.5, 0.25)):
    return {"name": name, "metadata": link.metadata(), "scale": scale, "colormap": "gray"}


def test_layers_are_saved_for_other_programs_by_the_ending_of_their_file(
    make_napari_viewer, stack, tmp_path
):
    viewer = make_napari_viewer()
    add(viewer, layers_of(stack))
    region = viewer.add_shapes(name="regions")
    region.add([[0, 0], [2, 0], [2, 3]], shape_type="polygon")
    for name in ("maps.tif", "maps.h5"):
        assert viewer.layers.save(str(tmp_path / name)) == [str(tmp_path / name)]
    with tifffile.TiffFile(tmp_path / "maps.tif") as file:
        assert file.imagej_metadata["Labels"] == stack.names
        np.testing.assert_array_equal(file.asarray(), stack.values)
    with h5py.File(tmp_path / "maps.h5") as file:
        np.testing.assert_array_equal(file["maps/feature 2"], stack.map(1))
        assert list(file["regions"]) == ["region 1"]


def test_a_single_picture_as_tiff_stays_naparis_own_unless_named_for_imagej(
    make_napari_viewer, stack, tmp_path
):
    viewer = make_napari_viewer()
    add(viewer, layers_of(stack)[:1])
    for name, is_ours in [("one.tif", False), ("one.imagej.tif", True)]:
        viewer.layers.save(str(tmp_path / name))
        with tifffile.TiffFile(tmp_path / name) as file:
            assert file.is_imagej is is_ours


def test_a_chosen_format_gives_its_ending(stack, tmp_path):
    layers = layers_of(stack)
    assert write_tiff_layers(str(tmp_path / "run.1"), layers) == [str(tmp_path / "run.1.tif")]
    assert write_hdf5_layers(str(tmp_path / "run.1"), layers) == [str(tmp_path / "run.1.h5")]


def test_the_ending_that_is_typed_decides_whatever_format_is_chosen(stack, tmp_path):
    layers = layers_of(stack, ScanLink())
    target = tmp_path / "maps.tif"
    assert write_map_layers(str(target), layers) == [str(target)]
    with tifffile.TiffFile(target) as file:
        assert file.asarray().shape == stack.values.shape
