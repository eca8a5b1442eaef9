import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from ome_zarr_models.v05.image import Image

from napari_kikuchi.io import map_store
from napari_kikuchi.io.map_marks import update_mark
from napari_kikuchi.io.map_store import (
    MapStoreError,
    is_map_store,
    read_maps,
    read_provenance,
    update_regions,
    write_maps,
)
from napari_kikuchi.maps import Channel, MapStack, Mark, Region

TRIANGLE = Region("weld", "polygon", ((0.0, 1.5), (2.0, 3.0), (4.0, 0.5)))


def make_stack(shape=(3, 4, 5), dtype=np.float32, **changes):
    values = np.random.default_rng(0).normal(100, 30, shape).astype(dtype)
    channels = [
        Channel("feature 1", score=0.25),
        Channel("image quality", unit="µm", colormap="red", score=0.75),
        Channel("grain", colormap="viridis", limits=(90.0, 110.0)),
    ]
    stack = MapStack(
        values,
        channels,
        step=(0.5, 0.25),
        provenance={"scan": {"path": "weld.up2", "options": {"shape": [4, 5]}}, "version": "1"},
        regions=[TRIANGLE],
        arrays={"background": np.eye(3, dtype=np.float32), "mask": np.eye(3, dtype=bool)},
    )
    return replace(stack, **changes)


@pytest.fixture
def store(tmp_path):
    write_maps(tmp_path / "maps.zarr", make_stack())
    return tmp_path / "maps.zarr"


def assert_same(found, expected):
    np.testing.assert_array_equal(found.values[:], expected.values)
    assert list(found.channels) == list(expected.channels)
    assert found.step == expected.step
    assert found.provenance == expected.provenance
    assert list(found.regions) == list(expected.regions)
    assert found.arrays.keys() == expected.arrays.keys()
    for name, array in expected.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)
        assert found.arrays[name].dtype == array.dtype


def test_what_is_written_is_read(store):
    assert_same(read_maps(store), make_stack())


def test_maps_are_read_when_asked_for(store):
    assert isinstance(read_maps(store).values, zarr.Array)


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
coordinates = st.floats(-1e6, 1e6)


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_stack_survives_a_round_trip(tmp_path, data):
    shape = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5)))
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    stack = MapStack(
        data.draw(arrays(dtype, shape)),
        [
            Channel(
                data.draw(names),
                data.draw(names),
                data.draw(names),
                data.draw(st.none() | st.floats(0, 1)),
                mark=data.draw(st.sampled_from(Mark)),
            )
            for _ in range(shape[0])
        ],
        step=data.draw(st.tuples(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))),
        provenance=data.draw(st.dictionaries(names, names | st.integers(-9, 9) | st.none())),
        regions=[
            Region(data.draw(names), kind, tuple(vertices))
            for kind, vertices in data.draw(
                st.lists(
                    st.tuples(
                        st.sampled_from(["polygon", "ellipse", "path"]),
                        st.lists(st.tuples(coordinates, coordinates), min_size=4, max_size=4),
                    ),
                    max_size=2,
                )
            )
        ],
    )
    write_maps(tmp_path / "any.zarr", stack)
    assert_same(read_maps(tmp_path / "any.zarr"), stack)
    assert read_maps(tmp_path / "any.zarr").values.dtype == dtype


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        (np.array([[[0, 1], [2, 2**24]]], np.int64), np.float32),
        (np.array([[[0, 1], [2, 2**24 + 1]]], np.int64), np.int64),
        (np.array([[[False, True]]]), np.float32),
        (np.array([[[0.5, 1.5]]], ">f4"), np.float32),
    ],
)
def test_whole_numbers_become_float32_where_that_is_exact(tmp_path, values, stored):
    write_maps(tmp_path / "truth.zarr", MapStack(values, [Channel("grain")]))
    found = read_maps(tmp_path / "truth.zarr").values
    assert found.dtype == stored
    np.testing.assert_array_equal(found[:], values)


def test_a_store_is_a_valid_ome_zarr_image_in_micrometres(store):
    image = Image.from_zarr(zarr.open_group(store, mode="r"))
    (multiscale,) = image.ome_attributes.multiscales
    assert [(axis.name, axis.unit) for axis in multiscale.axes] == [
        ("c", None),
        ("y", "micrometer"),
        ("x", "micrometer"),
    ]
    (dataset,) = multiscale.datasets
    assert dataset.coordinateTransformations[0].scale == [1.0, 0.5, 0.25]
    np.testing.assert_array_equal(zarr.open_group(store)[dataset.path][:], make_stack().values)


def test_other_viewers_are_told_names_colours_and_contrast_and_show_the_best_map(store):
    channels = json.loads((store / "zarr.json").read_text())["attributes"]["ome"]["omero"][
        "channels"
    ]
    assert [one["label"] for one in channels] == ["feature 1", "image quality", "grain"]
    assert [one["color"] for one in channels] == ["FFFFFF", "FF0000", "FFFFFF"]
    assert [one["active"] for one in channels] == [False, True, False]
    for one, values in zip(channels, make_stack().values, strict=True):
        window = one["window"]
        assert window["min"] == values.min()
        assert window["max"] == values.max()
        assert window["min"] < window["start"] < window["end"] < window["max"]
    assert (channels[2]["window"]["start"], channels[2]["window"]["end"]) == (90, 110)


def test_the_provenance_is_read_without_the_maps(store):
    shutil.rmtree(store / "0")
    assert read_provenance(store) == make_stack().provenance
    with pytest.raises(FileNotFoundError):
        read_provenance(store / "elsewhere")


def test_an_older_store_is_replaced_and_nothing_else_is_left(store):
    smaller = MapStack(np.zeros((1, 2, 2), np.float32), [Channel("flat")])
    write_maps(store, smaller)
    assert_same(read_maps(store), smaller)
    assert [path.name for path in store.parent.iterdir()] == ["maps.zarr"]


def test_a_store_may_be_rewritten_from_itself(store):
    write_maps(store, read_maps(store))
    assert_same(read_maps(store), make_stack())


def test_a_failed_write_leaves_the_older_store(store):
    class Broken:
        shape, dtype = (3, 4, 5), np.dtype(np.float32)

        def __getitem__(self, index):
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        write_maps(store, make_stack(values=Broken()))
    assert_same(read_maps(store), make_stack())
    assert [path.name for path in store.parent.iterdir()] == ["maps.zarr"]


def test_a_store_that_cannot_be_moved_aside_stays_whole(store, monkeypatch):
    moves = []

    def move(source, target):
        moves.append(target)
        if len(moves) == 2:  # The old store is aside; now the new one takes its place.
            raise PermissionError("in use")
        source.replace(target)

    monkeypatch.setattr(map_store, "move", move)
    with pytest.raises(PermissionError, match="Close the programs"):
        write_maps(store, MapStack(np.zeros((1, 2, 2)), [Channel("flat")]))
    assert_same(read_maps(store), make_stack())


@pytest.mark.parametrize("lasting", [False, True])
def test_an_interrupted_move_loses_nothing(store, monkeypatch, lasting):
    moves = []

    def move(source, target):
        moves.append(target)
        if len(moves) == 2 or (lasting and len(moves) > 2):
            raise KeyboardInterrupt
        source.replace(target)

    monkeypatch.setattr(map_store, "move", move)
    with pytest.raises(KeyboardInterrupt) as caught:
        write_maps(store, MapStack(np.zeros((1, 2, 2)), [Channel("flat")]))
    if lasting:  # Not even back: then it is said where they are.
        (kept,) = store.parent.glob("*.former")
        assert str(kept) in str(caught.value.__context__.__notes__)
        store = kept
    assert_same(read_maps(store), make_stack())


def test_what_is_not_ours_is_not_overwritten(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").touch()
    with pytest.raises(FileExistsError, match="thesis: this exists and is no map store"):
        write_maps(tmp_path / "thesis", make_stack())
    assert (tmp_path / "thesis" / "chapter.tex").exists()


def test_provenance_that_json_cannot_hold_is_refused_before_writing(tmp_path):
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_maps(tmp_path / "maps.zarr", make_stack(provenance={"scan": object()}))
    assert list(tmp_path.iterdir()) == []


def test_regions_are_replaced_without_touching_the_maps(store):
    array = store / "0"
    before = {path: path.stat().st_mtime_ns for path in array.rglob("*")}
    line = Region("twin", "line", ((0.0, 0.0), (1.0, 1.0)))
    update_regions(store, [line, TRIANGLE])
    assert_same(read_maps(store), make_stack(regions=[line, TRIANGLE]))
    assert {path: path.stat().st_mtime_ns for path in array.rglob("*")} == before


def contents(store):
    return {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}


def test_a_mark_changes_nothing_else_and_older_versions_still_read_the_maps(store):
    before = contents(store)
    stack = read_maps(store)
    starred, hidden = (
        replace(channel, mark=mark)
        for channel, mark in zip(stack.channels, (Mark.STARRED, Mark.HIDDEN), strict=False)
    )
    update_mark(store, 0, starred)
    update_mark(store, 1, hidden)
    marked = [starred, hidden, stack.channels[2]]
    assert_same(read_maps(store), make_stack(channels=marked))
    # An older version knows the attributes of ours that it needs, and those of a channel.
    document, former = (json.loads(text[store / "zarr.json"]) for text in (contents(store), before))
    assert document["attributes"]["napari-kikuchi"].pop("marks") == {"starred": [0], "hidden": [1]}
    assert document == former
    for index, channel in enumerate(stack.channels[:2]):
        update_mark(store, index, channel)
    assert contents(store) == before


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(Mark)), max_size=8))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_marked_last_counts(store, changes):
    for index in range(3):
        update_mark(store, index, make_stack().channels[index])
    expected = {}
    for index, mark in changes:
        update_mark(store, index, replace(make_stack().channels[index], mark=mark))
        expected[index] = mark
    found = [channel.mark for channel in read_maps(store).channels]
    assert found == [expected.get(index, Mark.NONE) for index in range(3)]


def test_maps_that_were_made_anew_are_not_marked_for_those_they_replaced(store):
    before = contents(store)
    for index, name in ((0, "feature 2"), (3, "feature 1")):
        with pytest.raises(MapStoreError, match=rf"'{name}' in place {index + 1}.*open them again"):
            update_mark(store, index, Channel(name, mark=Mark.STARRED))
    assert contents(store) == before


def test_a_write_protected_store_is_not_marked(store, monkeypatch):
    before = contents(store)
    monkeypatch.setattr(map_store.os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(PermissionError, match=r"zarr\.json is write-protected"):
        update_mark(store, 0, Channel("feature 1", mark=Mark.STARRED))
    assert contents(store) == before


def test_map_stores_are_told_from_other_folders(store, tmp_path):
    assert is_map_store(store)
    assert is_map_store(str(store))
    zarr.create_group(tmp_path / "other.zarr")
    (tmp_path / "broken.zarr").mkdir()
    (tmp_path / "broken.zarr" / "zarr.json").write_text("{")
    for name in ["other.zarr", "broken.zarr", "nothing.zarr"]:
        assert not is_map_store(tmp_path / name)


def test_errors_say_what_lies_there(store, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.zarr: there is no map store here"):
        read_maps(tmp_path / "nothing.zarr")
    zarr.create_group(tmp_path / "other.zarr")
    with pytest.raises(MapStoreError, match=r"other\.zarr: expected a folder of maps"):
        read_maps(tmp_path / "other.zarr")
    document = json.loads((store / "zarr.json").read_text())
    document["attributes"]["napari-kikuchi"]["format"] = 3
    (store / "zarr.json").write_text(json.dumps(document))
    with pytest.raises(MapStoreError, match=r"format 3.*reads format 2\. Update"):
        read_maps(store)


def test_a_level_that_another_program_has_added_does_no_harm(store):
    document = json.loads((store / "zarr.json").read_text())
    levels = document["attributes"]["ome"]["multiscales"][0]["datasets"]
    levels.append({**levels[0], "path": "1"})
    (store / "zarr.json").write_text(json.dumps(document))
    assert_same(read_maps(store), make_stack())


@pytest.mark.parametrize("lost", ["channels", "regions", "arrays", "provenance"])
def test_a_damaged_store_says_so(store, lost):
    document = json.loads((store / "zarr.json").read_text())
    del document["attributes"]["napari-kikuchi"][lost]
    (store / "zarr.json").write_text(json.dumps(document))
    with pytest.raises(MapStoreError, match=rf"damaged: expected .*{lost}.*found None"):
        read_maps(store)


@pytest.mark.parametrize("found", [150, None])
def test_a_store_that_is_not_whole_says_so(store, found):
    file = store / "0" / "c" / "0" / "0" / "0"
    if found is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:found])
    problem = rf"0: expected a file of 288 bytes, found {found or 'none'}.*copy .*maps\.zarr again"
    with pytest.raises(MapStoreError, match=problem):
        read_maps(store)
