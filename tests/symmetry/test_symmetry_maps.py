"""Symmetry maps of simulated scans whose truth is known, and of a real one."""

import importlib.util
import shutil
from itertools import product
from pathlib import Path

import h5py
import numpy as np
import pytest

from napari_kikuchi.explore.misorientations import misorientation_angles
from napari_kikuchi.geometry import Geometry
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.journal import ResumeError
from napari_kikuchi.io.known_geometry import known_geometry
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.jobs import finish
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.scan import Scan
from napari_kikuchi.symmetry import find_centre as centres
from napari_kikuchi.symmetry import maps as symmetry
from napari_kikuchi.symmetry.classes import SIX_GROUPS
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.find_centre import find_scan_centre
from napari_kikuchi.symmetry.maps import symmetry_maps
from napari_kikuchi.symmetry.places import default_symmetry_path
from napari_kikuchi.symmetry.summary import partners_told, symmetry_told

KIKUCHIPY = Path(importlib.util.find_spec("kikuchipy").origin).parent / "data"


def by_name(stack):
    return dict(zip(stack.names, np.asarray(stack.values[:]), strict=True))


def quaternions(stack):
    maps = by_name(stack)
    return np.stack([maps[f"quaternion {part}"] for part in "abcd"], axis=-1)


def off_the_truth(stack, truth):
    """Misorientations to the truth, in degrees."""
    from orix.quaternion.symmetry import Oh

    one, other = (quaternions(each).reshape(-1, 4) for each in (stack, truth))
    return misorientation_angles(one, other, Oh)


@pytest.fixture(scope="module")
def wrought(untrained, tmp_path_factory):
    """Of many grains, with twins."""
    path = sample_folder() / "wrought.up1"
    scan = open_scan(path)
    target = tmp_path_factory.mktemp("maps") / "wrought.symmetry.zarr"
    return finish(symmetry_maps(scan, untrained, known_geometry(scan).geometry, target))


def test_crystals_that_nobody_has_named_stand_as_they_do(wrought):
    truth = read_maps(sample_folder() / "wrought.truth.zarr")
    off = off_the_truth(wrought, truth)
    assert np.median(off) < 0.3
    assert (off < 2).mean() > 0.97
    maps = by_name(wrought)
    assert (maps["agreement"] > 0.9).mean() > 0.97
    assert wrought.provenance["symmetry"]["background"] == "grains"


def test_the_patterns_of_a_grain_vote_together(wrought, untrained):
    maps = by_name(wrought)
    for number in np.unique(maps["grain"])[1:]:
        inside = maps["grain"] == number
        for name in ("symmetry", "confidence", "compatible groups", "agreement"):
            assert np.unique(maps[name][inside]).size == 1
    largest = maps["grain"] == np.bincount(maps["grain"].astype(int).ravel())[1:].argmax() + 1
    alone = np.stack([maps[f"probability {one}"][largest] for one in untrained.groups], axis=1)
    np.testing.assert_allclose(alone.sum(axis=1), 1, rtol=1e-4)
    # As the untrained classifier trusts itself: the mean of the logarithms, as it is.
    mean = np.exp(np.log(alone).mean(axis=0))
    assert maps["confidence"][largest][0] == pytest.approx(mean.max() / mean.sum(), rel=1e-3)
    assert maps["symmetry"][largest][0] == untrained.groups[mean.argmax()]
    least = untrained.trust.least
    assert maps["compatible groups"][largest][0] == (mean / mean.sum() >= least).sum()


def test_what_is_told_of_a_map(wrought):
    lines = symmetry_told(wrought)
    maps = by_name(wrought)
    number, count = (one[-1] for one in sorted_counts(maps["symmetry"]))
    assert lines[0].startswith(f"{count / maps['symmetry'].size:.1%} {number}")
    assert "confidence" in lines[0]
    assert partners_told(wrought.provenance, 225) == (
        "Patterns of some phases of 221 (Pm-3m) look the same"
    )
    assert partners_told(wrought.provenance, 229) == ""
    assert partners_told({"symmetry": "spoilt"}, 225) == ""


def sorted_counts(values):
    numbers, counts = np.unique(values.astype(int), return_counts=True)
    order = np.argsort(counts)
    return numbers[order], counts[order]


def test_a_few_grains_are_told_from_the_screen(untrained, tmp_path):
    """Of whose mean nobody could tell: it has the bands of the largest."""
    scan = open_scan(sample_folder() / "additive.up1")
    geometry = known_geometry(scan).geometry
    stack = finish(symmetry_maps(scan, untrained, geometry, tmp_path / "maps.zarr"))
    off = off_the_truth(stack, read_maps(sample_folder() / "additive.truth.zarr"))
    assert np.median(off) < 0.4
    assert (off < 2).mean() > 0.95


def test_noise_and_an_empty_detector_are_unlike_anything_known(untrained, tmp_path):
    rng = np.random.default_rng(0)
    patterns = rng.normal(1000, 30, (5, 6, 60, 60)).astype(np.uint16)
    patterns[2:] = 0
    scan = Scan(ArraySource(patterns), name="noise")
    stack = finish(symmetry_maps(scan, untrained, Geometry((0.5, 0.3, 0.6)), tmp_path / "m.zarr"))
    maps = by_name(stack)
    assert (maps["symmetry"] == 0).mean() >= 0.95
    assert symmetry_told(stack)[0].endswith("unlike cubic crystals")
    assert (maps["confidence"][maps["symmetry"] == 0] == 0).all()


def test_real_nickel_is_told_by_the_classifier_that_comes_with_the_package(tmp_path):
    path = Path(shutil.copy(KIKUCHIPY / "kikuchipy_h5ebsd/patterns.h5", tmp_path))
    scan = open_scan(path, scan="Scan 1")
    target = default_symmetry_path(path, scan.options)
    classifier = SymmetryClassifier.shipped()
    stack = finish(symmetry_maps(scan, classifier, known_geometry(scan).geometry, target))
    assert stack.provenance["symmetry"]["background"] == "recorded"
    maps = by_name(stack)
    np.testing.assert_array_equal(maps["grain"], [[1, 2, 2]] * 3)
    assert (maps["symmetry"] == 225).all()
    assert maps["confidence"].mean() > 0.35
    # Groups that go with nothing are not listed.
    listed = {stack.names[i] for i in stack.listed()}
    assert "probability 225" in listed
    assert len([name for name in listed if name.startswith("probability")]) < 12
    # Every pattern is read, however noisy.
    assert maps["explained"].min() > 0.15
    with h5py.File(path) as file:
        angles = [
            file[f"Scan 1/EBSD/CrystalMap/crystal_map/data/{name}"][()]
            for name in ("phi1", "Phi", "phi2")
        ]
    from orix.quaternion import Orientation
    from orix.quaternion.symmetry import Oh

    known = Orientation.from_euler(np.stack(angles, axis=1)).data
    found = quaternions(stack).reshape(-1, 4)
    # The frames of both are not the same; misorientations of positions are.
    ours = misorientation_angles(found, np.tile(found[:1], (9, 1)), Oh)
    theirs = misorientation_angles(known, np.tile(known[:1], (9, 1)), Oh)
    np.testing.assert_allclose(ours, theirs, atol=1.5)


def test_who_knows_the_usual_groups_is_surer_of_real_nickel(tmp_path):
    path = Path(shutil.copy(KIKUCHIPY / "kikuchipy_h5ebsd/patterns.h5", tmp_path))
    scan = open_scan(path, scan="Scan 1")
    geometry, classifier = known_geometry(scan).geometry, SymmetryClassifier.shipped()
    target = tmp_path / "maps.zarr"
    stack = finish(symmetry_maps(scan, classifier, geometry, target, among=SIX_GROUPS))
    assert stack.provenance["symmetry"]["groups"] == list(SIX_GROUPS)
    maps = by_name(stack)
    assert (maps["symmetry"] == 225).all()
    assert maps["confidence"].mean() > 0.6
    alone = np.stack([maps[f"probability {group}"] for group in SIX_GROUPS])
    np.testing.assert_allclose(alone.sum(axis=0), 1, rtol=1e-4)


def test_a_map_goes_on_where_it_was_stopped(untrained, tmp_path, monkeypatch):
    monkeypatch.setattr(symmetry, "_SIDE", 4)
    scan = open_scan(sample_folder() / "wrought.up1")
    scan = Scan(ArraySource(np.asarray(scan.patterns[:6, :8])), name="cut")
    geometry = Geometry((0.42, 0.22, 0.5))
    whole = finish(symmetry_maps(scan, untrained, geometry, tmp_path / "a.zarr", workers=1))
    job = symmetry_maps(scan, untrained, geometry, tmp_path / "b.zarr", workers=1)
    for progress in job:
        if progress.message == "Reading patterns" and progress.done >= 24:
            break
    job.close()
    reader, read = symmetry.PatternReader, []
    call = reader.__call__

    def counted(self, patterns, met):
        read.append(len(patterns))
        return call(self, patterns, met)

    monkeypatch.setattr(reader, "__call__", counted)
    stack = finish(symmetry_maps(scan, untrained, geometry, tmp_path / "b.zarr", workers=1))
    assert 0 < sum(read) <= 24
    np.testing.assert_array_equal(stack.values[:], whole.values[:])
    # Another geometry is another map.
    job = symmetry_maps(scan, untrained, geometry, tmp_path / "c.zarr", workers=1)
    next(progress for progress in job if progress.message == "Reading patterns")
    job.close()
    with pytest.raises(ResumeError):
        finish(symmetry_maps(scan, untrained, Geometry((0.5, 0.2, 0.5)), tmp_path / "c.zarr"))


def test_the_projection_centre_is_found_from_patterns(untrained, monkeypatch):
    tried = [*product((0.4, 0.5), (0.1, 0.2, 0.3), (0.5, 0.6))]
    monkeypatch.setattr(centres, "_tried_centres", lambda: tried)
    scan = open_scan(sample_folder() / "wrought.up1")
    found = finish(find_scan_centre(scan, untrained.modes, sample_tilt=68.0))
    np.testing.assert_allclose(found.geometry.pc, known_geometry(scan).geometry.pc, atol=0.01)
    assert found.geometry.sample_tilt == 68
    assert found.explained > 0.4
