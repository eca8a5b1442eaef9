import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from napari.utils.colormaps import ensure_colormap
from orix.quaternion.symmetry import Oh

from napari_kikuchi import __version__, streaming
from napari_kikuchi.explore.inverse_pole_figures import ipf_colours
from napari_kikuchi.explore.misorientations import misorientation_angles
from napari_kikuchi.explore.orientations import (
    OrientationMap,
    find_grains,
    grain_reference_orientation_deviation,
    kernel_average_misorientation,
)
from napari_kikuchi.geometry import Geometry
from napari_kikuchi.images import bin_to, smooth_background
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.journal import ResumeError
from napari_kikuchi.io.map_store import read_maps, update_regions
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Region
from napari_kikuchi.physics import maps as physics
from napari_kikuchi.physics.indexing import HoughIndexing, Indexed
from napari_kikuchi.physics.maps import KINDS, default_physics_path, physics_maps
from napari_kikuchi.physics.quality import (
    image_quality,
    mean_intensity,
    pattern_contrast,
    sharpness,
)
from napari_kikuchi.preprocess import prepare
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.simulate.detector import Detector

PER_PATTERN = ["quality", "sharpness", "contrast", "intensity"]
INDEXED = [
    "confidence",
    "indexed bands",
    "pattern quality (Hough)",
    "fit",
    *(f"quaternion {part}" for part in "abcd"),
    *(f"IPF {colour}" for colour in ("red", "green", "blue")),
    "KAM",
    "GROD",
    "grain",
]
HOUGH = HoughIndexing(Geometry(Detector().pc))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(streaming, "_BLOCK_PATTERNS", 12)


@pytest.fixture
def quick_indexing(monkeypatch, known_orientations, scan):
    """Indexing that looks the truth up, by a piece of the pattern."""
    known = np.asarray(scan.patterns, np.float32)[..., 25:35, 20:40].reshape(36, -1)
    known -= known.mean(axis=1, keepdims=True)

    def look_up(patterns, settings):
        assert settings == HOUGH
        pieces = patterns[:, 25:35, 20:40].reshape(len(patterns), -1)
        pieces = pieces - pieces.mean(axis=1, keepdims=True)
        found = np.argmin(np.abs(pieces[:, None] - known).sum(axis=2), axis=1)
        ones = np.ones(len(patterns), np.float32)
        quaternions = known_orientations.reshape(-1, 4)[found]
        return Indexed(quaternions, 0.5 * ones, (9 * ones).astype(int), 200 * ones, 0.1 * ones)

    monkeypatch.setattr(physics, "index_patterns", look_up)


def by_name(stack):
    return dict(zip(stack.names, np.asarray(stack.values[:]), strict=True))


def test_each_kind_is_mapped_from_the_right_patterns(scan, tmp_path):
    recipe = Recipe(size=(30, 30))
    stack = finish(physics_maps(scan, PER_PATTERN, tmp_path / "maps.zarr", recipe=recipe))
    assert stack.names == [
        "image quality (FFT)",
        "sharpness",
        "pattern contrast",
        "mean intensity",
    ]
    prepared = finish(prepare(scan, recipe))
    recorded = bin_to(np.asarray(scan.patterns).reshape(-1, 60, 60), (30, 30))
    brightness, level = (x[..., prepared.mask].mean(-1) for x in (recorded, prepared.background))
    corrected = recorded / brightness[:, None, None] - prepared.background / level
    expected = [
        image_quality(
            recorded - smooth_background(prepared.background, prepared.mask), prepared.mask
        ),
        sharpness(recorded, prepared.mask),
        pattern_contrast(corrected, prepared.mask),
        mean_intensity(recorded, prepared.mask),
    ]
    np.testing.assert_allclose(stack.values[:], np.reshape(expected, (4, 6, 6)), rtol=1e-4)


def test_hough_indexing_finds_the_orientations_of_a_simulated_scan(
    scan, known_orientations, tmp_path
):
    stack = finish(physics_maps(scan, ["indexing"], tmp_path / "maps.zarr", indexing=HOUGH))
    assert stack.names == INDEXED
    found = by_name(stack)
    quaternions = np.stack([found[f"quaternion {part}"] for part in "abcd"], axis=-1)
    error = misorientation_angles(quaternions.reshape(-1, 4), known_orientations.reshape(-1, 4), Oh)
    assert np.median(error) < 0.3
    assert error.max() < 1.2
    assert (found["confidence"] > 0.3).all()
    assert (found["indexed bands"] >= 5).all()
    assert (found["fit"] < 1).all()
    assert (found["pattern quality (Hough)"] > 0).all()
    known = OrientationMap(known_orientations, [Oh])
    truth = find_grains(known)
    np.testing.assert_array_equal(found["grain"], truth)
    assert found["GROD"].max() < 1.2


def test_maps_of_orientations_are_those_of_the_whole_map(
    scan, known_orientations, quick_indexing, tmp_path
):
    stack = finish(physics_maps(scan, ["indexing"], tmp_path / "maps.zarr", indexing=HOUGH))
    found = by_name(stack)
    known = OrientationMap(known_orientations, [Oh])
    grain = find_grains(known)
    expected = {
        "KAM": kernel_average_misorientation(known),
        "GROD": grain_reference_orientation_deviation(known, grain),
        "grain": grain,
    }
    colours = ipf_colours(known)
    expected |= dict(zip(("IPF red", "IPF green", "IPF blue"), colours, strict=True))
    for name, values in expected.items():
        # Stored in float32, a quaternion is sure to some 1e-5°.
        np.testing.assert_allclose(found[name], values, atol=2e-4, err_msg=name)
    np.testing.assert_allclose(found["KAM"][0], 0.25, atol=1e-4)
    np.testing.assert_allclose(found["KAM"][2:], 0, atol=1e-4)
    units = {channel.name: channel.unit for channel in stack.channels}
    assert {name for name, unit in units.items() if unit == "°"} == {"fit", "KAM", "GROD"}
    # Seen at once, in the colours that they are.
    assert [stack.names[i] for i in stack.shown_first()] == ["IPF red", "IPF green", "IPF blue"]
    assert {stack.channels[i].limits for i in stack.picture()} == {(0.0, 1.0)}
    for channel in stack.channels:
        assert ensure_colormap(channel.colormap), channel.name


def test_the_maps_say_where_they_come_from(scan, quick_indexing, tmp_path):
    stack = finish(physics_maps(scan, KINDS, tmp_path / "maps.zarr", indexing=HOUGH))
    found = read_maps(tmp_path / "maps.zarr").provenance
    assert found == stack.provenance
    assert found["method"] == "physics"
    assert found["version"] == __version__
    assert found["kinds"] == list(KINDS)
    assert found["scan"]["path"] == str(scan.path)
    assert found["scan"]["fingerprint"] == scan.fingerprint()
    assert found["indexing"] == HOUGH.settings()
    assert found["orientations"] == {"grain_threshold": 5.0, "kam_limit": 5.0}
    assert found["recipe"]["size"] == [60, 60]
    assert stack.step == scan.step
    assert stack.arrays.keys() == {"background", "mask"}


class Elsewhere(ThreadPoolExecutor):
    """Hands on what it is given as other processes do."""

    def submit(self, function, /, *arguments):
        return super().submit(*pickle.loads(pickle.dumps((function, *arguments))))


def test_workers_elsewhere_make_the_same_maps(scan, quick_indexing, tmp_path):
    here = finish(physics_maps(scan, KINDS, tmp_path / "here.zarr", indexing=HOUGH))
    with Elsewhere(2) as executor:
        job = physics_maps(
            scan, KINDS, tmp_path / "there.zarr", indexing=HOUGH, executor=executor, workers=2
        )
        np.testing.assert_array_equal(finish(job).values[:], here.values[:])


def test_a_position_without_a_pattern_has_no_values(scan, quick_indexing, tmp_path):
    present = np.ones((6, 6), bool)
    present[2, 3] = False
    partial = replace(scan, present=present)
    job = physics_maps(partial, KINDS, tmp_path / "maps.zarr", indexing=HOUGH)
    found = by_name(finish(job))
    assert found.pop("grain")[2, 3] == 0
    for name, values in found.items():
        assert np.isnan(values[2, 3]), name
        assert np.isfinite(np.delete(values.ravel(), 15)).all(), name


@pytest.mark.parametrize("convention", ["bruker", "edax", "oxford"])
def test_hough_indexing_agrees_with_kikuchipy_on_real_patterns_of_two_grains(tmp_path, convention):
    """The mean of so few patterns shows their bands; subtracted as it is, it would mislead."""
    from kikuchipy.data import nickel_ebsd_small

    published = nickel_ebsd_small()
    scan = open_scan(sample_folder() / "nickel_3x3.up2")
    x, y, z = map(float, published.detector.pc_average)
    centre = (x, y if convention == "bruker" else 1 - y, z)
    indexing = HoughIndexing(Geometry(centre, convention))
    found = by_name(finish(physics_maps(scan, KINDS, tmp_path / "maps.zarr", indexing=indexing)))
    quaternions = np.stack([found[f"quaternion {part}"] for part in "abcd"], axis=-1)
    expected = published.xmap.rotations.data.reshape(-1, 4)
    assert misorientation_angles(quaternions.reshape(-1, 4), expected, Oh).max() < 1
    np.testing.assert_array_equal(found["grain"], [[1, 2, 2]] * 3)


def test_a_mask_that_is_given_is_taken_though_it_is_dark_and_tells_maps_apart(scan, tmp_path):
    frame = Recipe(size=(60, 60), mask=np.ones((60, 60), bool))
    stack = finish(physics_maps(scan, ["intensity"], tmp_path / "maps.zarr", recipe=frame))
    patterns = np.asarray(scan.patterns, np.float32)
    np.testing.assert_allclose(stack.map(0), patterns.mean(axis=(2, 3)), rtol=1e-5)
    begin(scan, tmp_path / "other.zarr", ["intensity"], recipe=frame)
    with pytest.raises(ResumeError, match="mask was"):
        finish(physics_maps(scan, ["intensity"], tmp_path / "other.zarr"))


def begin(scan, path, kinds=("indexing",), **options):
    """Stops when some blocks are done."""
    job = physics_maps(scan, kinds, path, indexing=HOUGH, workers=1, **options)
    stages = ("Indexing patterns", "Measuring patterns")
    while not ((update := next(job)).message.startswith(stages) and update.done):
        pass
    job.close()


def test_maps_that_were_stopped_go_on(scan, quick_indexing, tmp_path):
    path = tmp_path / "maps.zarr"
    whole = finish(physics_maps(scan, ["indexing"], tmp_path / "whole.zarr", indexing=HOUGH))
    begin(scan, path)
    assert not path.exists()
    seen = []
    stack = finish(physics_maps(scan, ["indexing"], path, indexing=HOUGH), seen.append)
    assert next(u for u in seen if u.message.startswith("Indexing")).done > 0
    np.testing.assert_array_equal(stack.values[:], whole.values[:])
    assert [file.name for file in tmp_path.iterdir() if "partial" in file.name] == []


def test_only_maps_of_the_same_kind_and_geometry_are_gone_on_with(scan, quick_indexing, tmp_path):
    path = tmp_path / "maps.zarr"
    begin(scan, path)
    other = HoughIndexing(replace(HOUGH.geometry, sample_tilt=60))
    tilted = physics_maps(scan, ["indexing"], path, indexing=other)
    with pytest.raises(ResumeError, match="indexing sample tilt was 70"):
        finish(tilted)
    with pytest.raises(ResumeError, match="kinds was"):
        finish(physics_maps(scan, ["contrast"], path))
    assert finish(physics_maps(scan, ["contrast"], path, resume=False)).names == [
        "pattern contrast"
    ]


def test_what_was_drawn_on_a_scan_stays_when_it_is_mapped_again(scan, tmp_path):
    path = tmp_path / "maps.zarr"
    finish(physics_maps(scan, ["contrast"], path))
    drawn = Region("weld seam", "line", ((0.0, 0.0), (1.0, 2.0)))
    update_regions(path, [drawn])
    assert finish(physics_maps(scan, ["contrast"], path)).regions == [drawn]


def test_what_cannot_be_mapped_is_refused_before_the_scan_is_read(scan, tmp_path):
    path = tmp_path / "maps.zarr"
    for kinds, told in {(): "not none", ("beauty",): "not beauty"}.items():
        with pytest.raises(ValueError, match=told):
            next(physics_maps(scan, kinds, path))
    with pytest.raises(ValueError, match="--pc"):
        next(physics_maps(scan, ["indexing"], path))
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="no map store"):
        next(physics_maps(scan, ["contrast"], path))


def test_maps_go_beside_the_scan():
    assert default_physics_path(Path("data") / "weld.up2").name == "weld.physics.zarr"
    several = default_physics_path(Path("data") / "welds.oh5", {"scan": "Scan 1"})
    assert several.name == "welds Scan 1.physics.zarr"
