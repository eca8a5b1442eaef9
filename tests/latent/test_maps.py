import multiprocessing
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_kikuchi import __version__, open_scan, streaming
from napari_kikuchi.explore.ranking import rank_features
from napari_kikuchi.images import bin_to
from napari_kikuchi.io import Up2Writer, places
from napari_kikuchi.io.journal import ResumeError
from napari_kikuchi.io.map_store import read_maps, update_regions
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent import tasks
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.latent.maps import default_maps_path, encode_scan, preprocessor_of
from napari_kikuchi.latent.neighbours import compare_neighbours
from napari_kikuchi.maps import Channel, MapStack, Region
from napari_kikuchi.preprocess import prepare
from napari_kikuchi.recipe import Recipe, RecipeMismatchError
from napari_kikuchi.samples import sample_folder

RECIPE = Recipe((12, 12))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(streaming, "_BLOCK_PATTERNS", 20)


@pytest.fixture
def scan(make_scan):
    return replace(make_scan(corner=4), step=(0.5, 0.25))


@pytest.fixture
def encoder(scan):
    return finish(fit_linear([scan], RECIPE, latent=4))


@pytest.fixture
def scan_file(scan, tmp_path):
    rows, cols, *pattern = scan.shape
    with Up2Writer(tmp_path / "weld.up2", (rows, cols), tuple(pattern), step=scan.step) as file:
        file.append(np.asarray(scan.patterns).reshape(-1, *pattern))
    return tmp_path / "weld.up2"


def expected_maps(scan, encoder):
    preprocess = finish(prepare(scan, encoder.recipe))
    patterns = np.asarray(scan.patterns).reshape(-1, *scan.pattern_shape)
    prepared, mask = preprocess(patterns), preprocess.mask
    features = encoder.encode(prepared)
    inside = bin_to(patterns, encoder.recipe.size)[:, mask].astype(float)
    behind = preprocess.background[mask] / preprocess.background[mask].mean()
    contrast = (inside / inside.mean(axis=1, keepdims=True) - behind).std(axis=1)
    error = np.sqrt(((encoder.decode(features) - prepared)[:, mask] ** 2).mean(axis=1))
    found = np.vstack([features.T, contrast, error]).reshape(-1, *scan.map_shape)
    decoded = encoder.decode(features)[:, mask].reshape(*scan.map_shape, -1)
    rows = range(len(decoded))
    compared = compare_neighbours(lambda row: decoded[row], rows, len(decoded))
    kept, unlike = map(np.stack, zip(*compared, strict=True))
    return np.concatenate([found, [found[-2] / kept, unlike]])


def test_each_map_holds_one_feature_of_every_pattern_or_what_features_leave_out(
    scan, encoder, tmp_path
):
    stack = finish(encode_scan(scan, encoder, tmp_path / "maps.zarr"))
    np.testing.assert_allclose(stack.values[:], expected_maps(scan, encoder), atol=1e-4)
    features = ["feature 1", "feature 2", "feature 3", "feature 4"]
    assert stack.names == [
        *features,
        "pattern contrast",
        "reconstruction error",
        "contrast without overlap",
        "unlike its neighbours",
    ]
    assert stack.step == (0.5, 0.25)
    np.testing.assert_array_equal(read_maps(tmp_path / "maps.zarr").values[:], stack.values[:])


def test_features_are_scored(scan, encoder, tmp_path):
    stack = finish(encode_scan(scan, encoder, tmp_path / "maps.zarr"))
    scores = [channel.score for channel in stack.channels]
    values = stack.values[:]
    np.testing.assert_allclose(scores[:4], rank_features(values[:4]))
    # What is no feature has another unit: it counts as if it varied as much as the strongest one.
    spread = values.std(axis=(1, 2))
    alike = values[4:] * (spread[:4].max() / spread[4:])[:, None, None]
    np.testing.assert_allclose(scores[4:], rank_features(alike), rtol=1e-3, atol=1e-6)
    assert stack.ranking()[0] == np.argmax(scores)


def test_progress_goes_through_preparing_encoding_comparing_and_writing(scan, encoder, tmp_path):
    seen = []
    finish(encode_scan(scan, encoder, tmp_path / "maps.zarr"), seen.append)
    messages = list(dict.fromkeys(update.message for update in seen))
    assert messages[-3:] == ["Encoding patterns", "Comparing neighbours", "Ranking the maps"]
    assert [u.done for u in seen if u.message == "Encoding patterns"][-1] == scan.count


def test_the_maps_say_where_they_come_from(scan_file, encoder, tmp_path):
    model = tmp_path / "model.safetensors"
    encoder.save(model)
    scan = open_scan(scan_file, flip=True)
    read = load_encoder(model)
    stack = finish(encode_scan(scan, read, tmp_path / "maps.zarr", model=model))
    found = read_maps(tmp_path / "maps.zarr").provenance
    assert found == stack.provenance
    assert found["scan"] == {
        "path": str(scan_file),
        "name": scan.name,
        "options": {"flip": True},
        "grid": "square",
        "technique": "EBSD",
        "fingerprint": scan.fingerprint(),
    }
    again = open_scan(found["scan"]["path"], **found["scan"]["options"])
    assert again.fingerprint() == found["scan"]["fingerprint"]
    assert found["model"]["path"] == str(model)
    assert (found["model"]["kind"], found["model"]["latent"]) == ("linear", 4)
    assert found["model"]["provenance"] == dict(encoder.provenance)
    assert found["recipe"] == encoder.recipe.settings()
    assert found["version"] == __version__


def test_the_preprocessing_can_be_redone_from_the_maps_alone(scan, encoder, tmp_path):
    finish(encode_scan(scan, encoder, tmp_path / "maps.zarr"))
    preprocess = preprocessor_of(read_maps(tmp_path / "maps.zarr"))
    fitted = finish(prepare(scan, encoder.recipe))
    pattern = scan.read(2, 3)
    np.testing.assert_array_equal(preprocess(pattern), fitted(pattern))
    assert preprocess.recipe.settings() == encoder.recipe.settings()


def test_maps_of_another_kind_do_not_say_how_patterns_were_prepared():
    assert preprocessor_of(MapStack(np.zeros((1, 2, 2)), [Channel("grain")])) is None


def test_an_encoding_that_was_stopped_goes_on(scan, encoder, tmp_path):
    job = encode_scan(scan, encoder, tmp_path / "maps.zarr", workers=1)
    while not ((update := next(job)).message == "Encoding patterns" and update.done):
        pass
    job.close()
    assert not (tmp_path / "maps.zarr").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["maps.zarr.partial"]
    seen = []
    stack = finish(encode_scan(scan, encoder, tmp_path / "maps.zarr"), seen.append)
    assert next(u for u in seen if u.message == "Encoding patterns").done > 0
    np.testing.assert_allclose(stack.values[:], expected_maps(scan, encoder), atol=1e-4)


@pytest.mark.parametrize("row", [0, 2, 4])
def test_an_encoding_killed_while_neighbours_are_compared_computes_nothing_twice(
    scan, encoder, tmp_path, monkeypatch, row
):
    monkeypatch.setattr(tasks, "_BAND", 2)
    rows, cols = scan.map_shape
    killed, path = tmp_path / "killed", tmp_path / "whole" / "maps.zarr"
    for update in encode_scan(scan, encoder, path, workers=1):
        here = update.message == "Comparing neighbours" and update.done >= row * cols
        if here and not killed.exists():
            shutil.copytree(path.parent, killed)
            kept = update.done // cols
    assert kept < rows
    (array,) = killed.rglob("0/c/0/0/0")
    with array.open("r+b") as file:  # A part of a band that has not been confirmed.
        file.seek(4 * ((encoder.latent + 2) * rows + kept) * cols)
        file.write(bytes(range(8)))
    seen = []
    monkeypatch.setattr(tasks.PatternMeasures, "__call__", _never)
    finish(encode_scan(scan, encoder, killed / "maps.zarr"), seen.append)
    compared = [update.done for update in seen if update.message == "Comparing neighbours"]
    assert (compared[0], compared[-1]) == (kept * cols, rows * cols)
    np.testing.assert_array_equal(
        read_maps(killed / "maps.zarr").values[:], read_maps(path).values[:]
    )


def _never(*_):
    raise AssertionError("measured again")


def begin(scan, encoder, path, **options):
    job = encode_scan(scan, encoder, path, workers=1, **options)
    while next(job).message != "Encoding patterns":
        pass
    next(job)
    job.close()


def test_only_maps_of_the_same_scan_and_model_are_gone_on_with(make_scan, scan, encoder, tmp_path):
    path = tmp_path / "maps.zarr"
    begin(scan, encoder, path)
    other_scan = make_scan(seed=1, corner=4)
    with pytest.raises(ResumeError, match="scan crc32 was"):
        begin(other_scan, encoder, path)
    other_model = replace(encoder, components=-encoder.components)
    with pytest.raises(ResumeError, match="model weights was"):
        begin(scan, other_model, path)
    begin(scan, other_model, path, resume=False)


def test_maps_of_fewer_positions_are_not_gone_on_with(scan, encoder, tmp_path):
    path = tmp_path / "maps.zarr"
    plain = replace(encoder, recipe=replace(encoder.recipe, background="none"))
    present = np.ones(scan.map_shape, bool)
    present[5:] = False
    begin(replace(scan, present=present), plain, path)
    present = present.copy()
    present[5] = True
    with pytest.raises(ResumeError, match="positions was"):
        begin(replace(scan, present=present), plain, path)


def test_the_maps_tell_the_model_that_made_them_and_not_its_file(scan, encoder, tmp_path):
    file = tmp_path / "model.safetensors"
    replace(encoder, components=-encoder.components).save(file)  # trained on, meanwhile
    stack = finish(encode_scan(scan, encoder, tmp_path / "maps.zarr", model=file))
    assert stack.provenance["model"]["weights"] == encoder.stored().digest()
    assert load_encoder(file).stored().digest() != encoder.stored().digest()


def test_a_model_saved_again_is_still_the_same_model(scan, encoder, tmp_path):
    path = tmp_path / "maps.zarr"
    begin(scan, encoder, path)
    model = tmp_path / "copy.safetensors"
    replace(encoder, provenance={"date": "later"}).save(model)
    begin(scan, load_encoder(model), path, model=model)


def test_other_processes_encode_alike(scan_file, encoder, tmp_path):
    scan = open_scan(scan_file)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        job = encode_scan(scan, encoder, tmp_path / "maps.zarr", executor=pool, workers=1)
        stack = finish(job)
    np.testing.assert_allclose(stack.values[:], expected_maps(scan, encoder), atol=1e-4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["maps.zarr", "weld.up2"]


def test_a_scan_that_the_model_cannot_take_is_refused(make_scan, encoder, tmp_path):
    with pytest.raises(RecipeMismatchError, match="aspect ratio"):
        finish(encode_scan(make_scan(size=(24, 30)), encoder, tmp_path / "maps.zarr"))
    assert list(tmp_path.iterdir()) == []


def test_patterns_prepared_for_another_model_are_refused(scan, encoder, tmp_path):
    fitted = finish(prepare(scan, encoder.recipe))
    wrongly_prepared = {
        "background none instead of sample": replace(encoder.recipe, background="none"),
        "another signal mask": replace(encoder.recipe, mask=np.ones((12, 12), bool)),
    }
    for message, recipe in wrongly_prepared.items():
        with pytest.raises(RecipeMismatchError, match=message):
            finish(
                encode_scan(
                    scan,
                    encoder,
                    tmp_path / "maps.zarr",
                    preprocessor=replace(fitted, recipe=recipe),
                )
            )
    stack = finish(encode_scan(scan, encoder, tmp_path / "maps.zarr", preprocessor=fitted))
    np.testing.assert_allclose(stack.values[:], expected_maps(scan, encoder), atol=1e-4)


def test_what_is_no_map_store_is_refused_before_the_scan_is_read(scan, encoder, tmp_path):
    (tmp_path / "maps.zarr").write_text("mine")
    with pytest.raises(FileExistsError, match="no map store"):
        next(encode_scan(scan, encoder, tmp_path / "maps.zarr"))


def test_maps_go_beside_the_scan():
    scan = Path("data") / "weld.up2"
    places_of = {"quick-32": "weld.quick-32.zarr", "weld.quick-32": "weld.quick-32.zarr"}
    for name, file in places_of.items():
        assert default_maps_path(scan, name).name == file


def test_maps_go_to_the_users_data_where_the_scan_is_read_only(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "user_folder", lambda: tmp_path / "user")
    monkeypatch.setattr(places, "_is_open", lambda folder: folder != tmp_path / "archive")
    scan = tmp_path / "archive" / "weld.up2"
    path = default_maps_path(scan, "linear-32")
    assert path.name == "weld.linear-32.zarr"
    assert path.is_relative_to(tmp_path / "user")
    other = tmp_path / "mine" / "weld.up2"
    assert default_maps_path(other, "linear-32") == tmp_path / "mine" / "weld.linear-32.zarr"


def test_what_is_made_of_the_samples_does_not_go_into_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "user_folder", lambda: tmp_path / "user")
    path = default_maps_path(sample_folder() / "additive.up1", "quick-32")
    assert path.is_relative_to(tmp_path / "user")


def test_a_folder_is_open_if_a_file_can_be_made_in_it(tmp_path):
    assert places._is_open(tmp_path)
    assert not places._is_open(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


def test_no_two_scans_share_a_place_for_their_maps(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "user_folder", lambda: tmp_path / "user")
    monkeypatch.setattr(places, "_is_open", lambda folder: "archive" not in folder.parts)
    maps = [
        default_maps_path(tmp_path / "mine" / "welds.oh5", "quick-32", options)
        for options in (None, {"scan": "Scan 1"}, {"scan": "Scan 2"}, {"crop": True})
    ]
    maps += [
        default_maps_path(tmp_path / "archive" / day / "weld.up2", "quick-32")
        for day in ("monday", "tuesday")
    ]
    (tmp_path / "mine").mkdir()
    for file in ("weld.up1", "weld.up2"):
        (tmp_path / "mine" / file).touch()
    maps += [
        default_maps_path(tmp_path / "mine" / file, "quick-32") for file in ("weld.up1", "weld.up2")
    ]
    assert len(set(maps)) == 8
    (tmp_path / "theirs").mkdir()
    for file in ("weld.UP1", "weld.UP2", "alone.up2", "alone.oh5"):
        (tmp_path / "theirs" / file).touch()
    theirs = [default_maps_path(tmp_path / "theirs" / f"weld.UP{i}", "quick-32") for i in (1, 2)]
    assert theirs[0] != theirs[1]
    # What another program exports of a scan does not change what its maps are called.
    alone = default_maps_path(tmp_path / "theirs" / "alone.up2", "quick-32")
    assert alone.name == "alone.quick-32.zarr"
    assert maps[1] == tmp_path / "mine" / "welds Scan 1.quick-32.zarr"
    assert maps[3] == tmp_path / "mine" / "welds cropped.quick-32.zarr"


def test_a_scan_may_be_called_what_no_file_may(tmp_path):
    path = default_maps_path(tmp_path / "welds.oh5", "quick-32", {"scan": "Site: 1/2"})
    assert path == tmp_path / "welds Site_ 1_2.quick-32.zarr"


def test_what_was_drawn_on_a_scan_stays_when_it_is_encoded_again(
    scan, make_scan, encoder, tmp_path
):
    path = tmp_path / "maps.zarr"
    finish(encode_scan(scan, encoder, path))
    drawn = Region("weld seam", "line", ((0.0, 0.0), (1.0, 2.0)))
    update_regions(path, [drawn])
    assert finish(encode_scan(scan, encoder, path)).regions == [drawn]
    other = replace(make_scan(corner=4, seed=9), step=scan.step)
    assert finish(encode_scan(other, encoder, path)).regions == []
