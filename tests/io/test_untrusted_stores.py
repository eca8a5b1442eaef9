"""Map stores that others have made: nothing in them leads elsewhere or asks for more than is there.

Any other damage is tried by tests/fuzz.
"""

import json
import os

import numpy as np
import pytest
import zarr

from napari_kikuchi.io.map_marks import update_mark
from napari_kikuchi.io.map_store import (
    MapStoreError,
    is_map_store,
    read_maps,
    read_provenance,
    update_regions,
    write_maps,
)
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.latent.maps import preprocessor_of
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Block

SHAPE = (2, 3, 4)
RECIPE = Recipe(size=(6, 8), full_scale=0.5)
needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "maps.zarr"
    stack = MapStack(
        np.arange(24, dtype=np.float32).reshape(SHAPE),
        [Channel("one"), Channel("two")],
        provenance={"recipe": RECIPE.settings(), "scan": {"name": "weld", "path": "weld.up2"}},
        arrays={
            "background": np.random.default_rng(0).random((6, 8), np.float32),
            "mask": np.eye(6, 8, dtype=bool),
        },
    )
    write_maps(path, stack)
    return path


def change(file, *way, to):
    document = json.loads(file.read_text())
    *way, last = way
    inside = document
    for step in way:
        inside = inside[step]
    inside[last] = to
    file.write_text(json.dumps(document))


OURS = ("attributes", "napari-kikuchi")


@pytest.mark.parametrize("name", ["../../outside", "/etc", "..", "a/b", "C:\\a", "a\0", 3, ["a"]])
def test_arrays_are_read_from_the_store_alone(store, name):
    zarr.create_array(store.parent / "outside", data=np.ones((2, 2)))
    change(store / "zarr.json", *OURS, "arrays", to=[name])
    with pytest.raises(MapStoreError, match=r"maps\.zarr: .*plain names of arrays, found"):
        read_maps(store)


@pytest.mark.parametrize("names", [["mask"] * 2, ["a", "b", "c", "d", "e"]])
def test_arrays_are_few(store, names):
    change(store / "zarr.json", *OURS, "arrays", to=names)
    with pytest.raises(MapStoreError, match="at most 4 arrays, each of another name"):
        read_maps(store)


@needs_links
@pytest.mark.parametrize(
    "inner", ["zarr.json", "0/zarr.json", "0/c/0/0/0", "arrays/mask/c/0/0", "arrays/mask", "0"]
)
def test_a_link_does_not_lead_out_of_the_store(store, inner):
    outside = store.parent / "outside"
    (store / inner).rename(outside)
    (store / inner).symlink_to(outside)
    with pytest.raises(MapStoreError, match="is a link that leads out of its folder"):
        read_maps(store)


def test_a_store_is_found_from_where_one_is(store, monkeypatch):
    monkeypatch.chdir(store.parent)
    assert read_maps(store.name).arrays.keys() == {"background", "mask"}
    monkeypatch.chdir(store)
    assert read_maps(".").map(1)[2, 3] == 23


@needs_links
def test_a_store_may_be_a_link_itself(store):
    link = store.parent / "link.zarr"
    link.symlink_to(store)
    assert read_maps(link).map(1)[2, 3] == 23


@needs_links
def test_what_is_written_to_a_store_does_not_go_where_a_link_leads(store):
    outside = store.parent / "outside"
    outside.write_text("years of work")
    (store / "zarr.json.partial").symlink_to(outside)
    update_regions(store, [])
    assert outside.read_text() == "years of work"
    assert read_maps(store).regions == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("inner", ["zarr.json", "0/zarr.json", "0/c/0/0/0", "arrays/mask/c/0/0"])
def test_a_pipe_is_not_waited_for(store, inner):
    (store / inner).unlink()
    os.mkfifo(store / inner)
    is_map_store(store)
    with pytest.raises(MapStoreError):
        read_maps(store)


@pytest.mark.parametrize(
    ("way", "to", "told"),
    [
        (("shape",), [2, 10**12, 10**12], "expected maps in one file"),
        (("shape",), [10**12, 3, 4], "expected maps in one file"),
        (("shape",), [2, 3, -4], "a side of the shape of an array"),
        (("data_type",), "object", "an array of one of the types"),
        (("data_type",), {"name": "numpy.datetime64"}, "the type of an array as text"),
        (("codecs",), [{"name": "numcodecs.pickle"}], "plain maps in one file"),
        (("codecs", 0, "configuration", "chunk_shape"), [1, 3, 2], "plain maps in one file"),
        (("storage_transformers",), [{"name": "x"}], "no transformers"),
        (("storage_transformers",), False, "no transformers"),
        (("must_understand",), {}, "other entries in zarr.json"),
    ],
)
def test_maps_are_what_is_written_here(store, way, to, told):
    change(store / "0" / "zarr.json", *way, to=to)
    with pytest.raises(
        MapStoreError, match=rf"maps\.zarr: this store of maps is damaged: .*{told}"
    ):
        read_maps(store)


def test_room_is_made_only_for_maps_that_are_there(store):
    for way in (("shape",), ("chunk_grid", "configuration", "chunk_shape")):
        change(store / "0" / "zarr.json", *way, to=[2, 10**6, 10**6])
    codec = ("codecs", 0, "configuration", "chunk_shape")
    change(store / "0" / "zarr.json", *codec, to=[1, 10**6, 10**6])
    with pytest.raises(MapStoreError, match="expected a file of 8000000000032 bytes, found 128"):
        read_maps(store)


def test_zarr_is_not_told_to_read_elsewhere_in_the_file(store):
    file = store / "0" / "c" / "0" / "0" / "0"
    content = bytearray(file.read_bytes())
    content[-8:] = (2**62).to_bytes(8, "little")
    file.write_bytes(content)
    with pytest.raises(MapStoreError, match="does not end with the places of the maps"):
        read_maps(store)


@pytest.mark.parametrize(
    ("way", "to", "told"),
    [
        (("shape",), [10**6, 10**6], "at most 33554432 bytes"),
        (("chunk_grid", "configuration", "chunk_shape"), [1, 10**9], "at most 33554432 bytes"),
        (("codecs",), [{"name": "bytes"}, {"name": "gzip", "configuration": {}}], "plain or zstd"),
        (("fill_value",), "x" * 9, "a fill value as true or false"),
    ],
)
def test_small_arrays_are_small(store, way, to, told):
    change(store / "arrays" / "mask" / "zarr.json", *way, to=to)
    with pytest.raises(MapStoreError, match=told):
        read_maps(store)


def test_what_is_packed_is_not_larger_than_the_array(store):
    # Frame header of zstd: eight bytes for the size of what is in it.
    bomb = b"\x28\xb5\x2f\xfd\xe0" + (2**40).to_bytes(8, "little") + bytes(30)
    (store / "arrays" / "mask" / "c" / "0" / "0").write_bytes(bomb)
    with pytest.raises(
        MapStoreError, match=r"expected 48 bytes of values in .*found 1099511627776"
    ):
        read_maps(store)


@pytest.mark.parametrize(
    ("way", "to"),
    [
        (("scan",), "weld.up2"),
        (("scan", "options"), {"shape": [10**390, 1]}),
        (("scan", "options"), {"shape": "4x5"}),
        (("scan", "path"), ["/dev/zero"]),
        (("model",), [1]),
        (("model",), {"latent": -3}),
        (("familiarity",), {"known": "yes"}),
        (("indexing",), {"phase": {"name": "Ni", "space_group": 225, "lattice": [0] * 6}}),
        (("indexing",), {"phases": [{"name": "Ni", "space_group": 231, "lattice": [1] * 6}]}),
        (("indexing",), {"library": {"voltage": "high"}}),
        (("step",), [0, 1]),
        (("together",), {"scan": 3}),
        (("unreadable",), {"count": 3}),
        (("unreadable",), {"runs": [[0, 1, 2]]}),
    ],
)
def test_the_provenance_is_of_the_types_it_should_be(store, way, to):
    change(store / "zarr.json", *OURS, "provenance", *way, to=to)
    for read in (read_maps, read_provenance):
        with pytest.raises(MapStoreError, match=rf"damaged: expected .*{way[-1]}.* found"):
            read(store)


@pytest.mark.parametrize(
    ("way", "to", "told"),
    [
        (("recipe", "size"), [10**9, 10**9], "a side in the recipe"),
        (("recipe", "size"), [8, 6], r"the recipe's \(8, 6\) pixels, found \(6, 8\)"),
        (("recipe", "background_sample"), float("nan"), "background_sample in the recipe"),
        (("recipe", "full_scale"), None, "the common scale"),
        (("recipe", "background"), "rm -rf", "exact, sample or none"),
    ],
)
def test_a_recipe_that_fits_nothing_is_told(store, way, to, told):
    change(store / "zarr.json", *OURS, "provenance", *way, to=to)
    stack = read_maps(store)  # Maps are shown without it.
    with pytest.raises(MapStoreError, match=rf"maps\.zarr: .*{told}"):
        preprocessor_of(stack)


@pytest.mark.parametrize(
    ("way", "to", "told"),
    [
        (("channels", 0, "name"), 3, "the name of a channel as text"),
        (("channels", 0, "limits"), [1, 1], "the lower one first"),
        (("channels", 0, "score"), 10**390, "the score of a channel"),
        (("channels",), [], "expected 0 maps, one for each channel, found 2"),
        (("marks",), {"starred": [-1]}, "the place of a marked map"),
        (("marks",), {"burnt": [0]}, "expected marks starred, hidden"),
        (("format",), [2], "the format of the maps"),
        (("regions",), [{"name": "a", "shape_type": "ellipse", "vertices": [[0, 0]]}], "vertices"),
        (("regions",), [{"name": "a", "shape_type": "line", "vertices": [["a", 0]] * 2}], "vertex"),
    ],
)
def test_attributes_are_of_the_types_they_should_be(store, way, to, told):
    change(store / "zarr.json", *OURS, *way, to=to)
    with pytest.raises(
        MapStoreError, match=rf"maps\.zarr: this store of maps is damaged: .*{told}"
    ):
        read_maps(store)
    before = (store / "zarr.json").read_bytes()
    with pytest.raises(MapStoreError):
        update_mark(store, 0, Channel("one"))
    assert (store / "zarr.json").read_bytes() == before


def test_what_could_not_be_read_again_is_not_written(store, monkeypatch):
    before = (store / "zarr.json").read_bytes()
    monkeypatch.setattr("napari_kikuchi.untrusted.MOST_VALUES", 10)
    with pytest.raises(ValueError, match="at most 10 values"):
        update_regions(store, [])
    assert (store / "zarr.json").read_bytes() == before


# ---------------------------------------------------------------- maps that are to be gone on with

BLOCK = Block(slice(0, 2), slice(0, 4))


@pytest.fixture
def begun(tmp_path):
    writer = MapWriter.open(tmp_path / "maps.zarr", SHAPE, {"scan": "weld"})
    writer.confirm(BLOCK, writer.maps.write(BLOCK, np.ones((2, 2, 4))))
    return writer.unfinished.folder


def test_unfinished_maps_are_gone_on_with_from_where_one_is(begun, monkeypatch):
    monkeypatch.chdir(begun.parent)
    assert go_on(begun.relative_to(begun.parent))


def go_on(partial):
    writer = MapWriter.open(partial.with_suffix(""), SHAPE, {"scan": "weld"})
    done = writer.is_done(BLOCK)
    writer.confirm(BLOCK, writer.maps.write(BLOCK, np.full((2, 2, 4), 2)))
    return done


@pytest.mark.parametrize("named", ["../{}", "{folder}/{}", "store-/../../{}", None, 3])
def test_a_manifest_does_not_lead_out_of_its_folder(begun, named):
    (inner,) = begun.glob("store-*")
    outside = begun.parent / "store-outside"
    inner.rename(outside)
    before = (outside / "0" / "c" / "0" / "0" / "0").read_bytes()
    if isinstance(named, str):
        named = named.format(outside.name, folder=outside.parent)
    change(begun / "manifest.json", "store", to=named)
    assert not go_on(begun)
    assert (outside / "0" / "c" / "0" / "0" / "0").read_bytes() == before


@needs_links
@pytest.mark.parametrize("inner", ["done.jsonl", "manifest.json", "store"])
def test_unfinished_maps_with_a_link_among_them_are_not_ours(begun, inner):
    inner = next(begun.glob(f"{inner}*"))
    outside = begun.parent / "outside"
    inner.rename(outside)
    inner.symlink_to(outside)
    with pytest.raises(FileExistsError, match=r"partial: unfinished maps go here.*Move it away"):
        go_on(begun)
    assert outside.exists()


@needs_links
def test_unfinished_maps_do_not_grow_where_a_link_leads(begun):
    values = next(begun.glob("store-*")) / "0" / "c" / "0" / "0" / "0"
    outside = begun.parent / "outside"
    values.rename(outside)
    values.symlink_to(outside)
    before = outside.read_bytes()
    assert not go_on(begun)
    assert outside.read_bytes() == before


@needs_links
def test_a_folder_elsewhere_is_not_filled_with_maps(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "maps.zarr.partial").symlink_to(tmp_path / "outside")
    with pytest.raises(FileExistsError, match="Move it away"):
        MapWriter.open(tmp_path / "maps.zarr", SHAPE, {})
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize(
    "line", ["[0, 9, 0, 4, 1]", "[0, 2, -4, 4, 1]", "[[], 2, 0, 4, 1]", "\xff"]
)
def test_a_line_that_names_no_block_is_left_out(begun, line):
    with (begun / "done.jsonl").open("a", encoding="latin-1") as file:
        file.write(f"\n{line}")
    assert go_on(begun)
