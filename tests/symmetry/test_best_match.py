"""The phase that is most like the patterns of a grain, and how its pattern would look there."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_kikuchi.geometry import Geometry
from napari_kikuchi.jobs import finish
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan
from napari_kikuchi.symmetry.best_match import BestMatches
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.frames import cubic_operators
from napari_kikuchi.symmetry.map_readings import SymmetryReadings
from napari_kikuchi.symmetry.maps import symmetry_maps
from napari_kikuchi.symmetry.references import References
from symmetry_maps import GEOMETRY, SIZE, Masters, symmetry_scan, symmetry_stack


@pytest.fixture(scope="module")
def sample():
    masters = Masters()
    scan, rotations = symmetry_scan(masters)
    return masters, scan, rotations, symmetry_stack(scan, rotations)


@pytest.fixture
def matches(sample):
    masters, scan, _, stack = sample
    masters.asked.clear()
    return BestMatches(scan, stack, SymmetryReadings.of(stack), masters)


def test_the_phase_of_each_grain_is_found_among_those_of_its_groups(sample, matches):
    masters = sample[0]
    first = matches.at(3, 2)
    assert (first.match.name, first.match.group) == ("faces", 225)
    assert first.match.correlation > 0.8
    assert matches.at(6, 5).match.name == "body"
    assert [set(one) for one in masters.asked] == [{225, 221}, {229}]


def test_a_grain_is_compared_once(sample, matches):
    masters = sample[0]
    assert {matches.at(row, 1).match.name for row in range(8)} == {"faces"}
    assert len(masters.asked) == 1


def test_phases_are_compared_at_the_voltage_of_the_scan(sample, tmp_path):
    masters, scan, _, stack = sample
    path = tmp_path / "steel.h5"
    with h5py.File(path, "w") as file:
        file["manufacturer"], file["version"] = b"kikuchipy", b"0.11"
        for group in ("Scan 1/EBSD/Data", "Scan 1/EBSD/Header"):
            file.create_group(group)
        file["Scan 1/SEM/Header/beam_energy"] = 15.0
    masters.voltages.clear()
    there = replace(scan, path=path)
    assert BestMatches(there, stack, SymmetryReadings.of(stack), masters).at(3, 2) is not None
    assert masters.voltages == {15.0}


def test_the_simulated_pattern_is_what_was_rendered(sample, matches):
    masters, scan, rotations, _ = sample
    image = matches.at(2, 6).image
    directions = GEOMETRY.detector(SIZE).directions(SIZE)
    truth = masters.pattern(2, rotations[1], directions).reshape(SIZE)
    np.testing.assert_allclose(image, truth, atol=0.02)
    measured = scan.read(2, 6)
    assert np.corrcoef(image.ravel(), measured.ravel())[0, 1] > 0.7


def test_where_there_is_no_grain_or_no_phase_there_is_no_match(sample, matches):
    assert matches.at(2, 9) is None
    assert matches.at(2, 11) is None
    _, scan, _, stack = sample
    none = Masters()
    none.masters, none.groups = none.masters[:1], none.groups[:1]
    without = BestMatches(scan, stack, SymmetryReadings.of(stack), none)
    assert without.at(2, 6) is None


def test_outside_the_mask_nothing_is_shown(sample):
    masters, scan, _, stack = sample
    mask = np.ones(SIZE, bool)
    mask[40:] = False
    masked = replace(stack, arrays={**stack.arrays, "mask": mask})
    image = BestMatches(scan, masked, SymmetryReadings.of(masked), masters).at(2, 6).image
    np.testing.assert_array_equal(np.isnan(image), ~mask)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"arrays": {}}, "screen and mask"),
        ({"arrays": {"screen": np.ones((4, 4)), "mask": np.ones((4, 5))}}, "one shape"),
        ({"provenance": {"symmetry": {"geometry": {"pc": [1, 2]}}}}, "projection centre"),
        ({"provenance": {"symmetry": 3}}, "JSON object"),
    ],
)
def test_maps_that_lack_something_are_refused(sample, changed, told):
    masters, scan, _, stack = sample
    readings = SymmetryReadings.of(stack)
    with pytest.raises(ValueError, match=told):
        BestMatches(scan, replace(stack, **changed), readings, masters)


@pytest.fixture(scope="module")
def iron_silicide():
    """FeSi, of Laue class m-3, in six grains, and its patterns without noise."""
    phases, geometry = References.shipped(), Geometry((0.5, 0.3, 0.6))
    rng = np.random.default_rng(2)
    directions = geometry.detector(SIZE).directions(SIZE)
    truth = np.stack(
        [
            phases.pattern(phases.names.index("FeSi"), one, directions).reshape(SIZE)
            for one in Rotation.random(6, rng=rng).as_matrix()
        ]
    )
    patterns = np.repeat(np.repeat(truth, 3, axis=0)[None], 3, axis=0)  # Columns of three.
    patterns = 1000 + 30 * patterns + 12 * rng.standard_normal(patterns.shape)
    scan = Scan(ArraySource(patterns.astype(np.uint16)), name="FeSi")
    return scan, geometry, phases, truth


def test_a_crystal_without_fourfold_axes_is_matched_in_either_setting(iron_silicide, tmp_path):
    scan, geometry, phases, truth = iron_silicide
    classifier = SymmetryClassifier.shipped()
    stack = finish(symmetry_maps(scan, classifier, geometry, tmp_path / "maps.zarr", workers=1))
    maps = dict(zip(stack.names, np.asarray(stack.values[:]), strict=True))
    assert (maps["symmetry"] == 198).all()
    assert (maps["agreement"] > 0.8).all()
    assert (maps["repeated in m-3"] > 1.1 * maps["repeated"]).mean() > 0.9
    assert SymmetryReadings.of(stack).at(0, 0).compatible[0] == 198
    # Each pattern described by any of the axes that m-3m takes for alike.
    names = [f"quaternion {part}" for part in "abcd"]
    found = np.stack([maps[name] for name in names], axis=-1)
    rotations = Rotation.from_quat(found.reshape(-1, 4), scalar_first=True)
    drawn = np.random.default_rng(0).integers(24, size=len(rotations))
    others = Rotation.from_matrix(cubic_operators()[drawn]) * rotations
    for name, values in zip(names, others.as_quat(scalar_first=True).T, strict=True):
        maps[name] = values.reshape(scan.map_shape)
    redescribed = replace(stack, values=np.stack([maps[name] for name in stack.names]))
    for described in (stack, redescribed):
        matches = BestMatches(scan, described, SymmetryReadings.of(described), phases)
        for row, col in np.ndindex(*scan.map_shape):
            matched = matches.at(row, col)
            assert matched.match.name == "FeSi"
            expected = truth[col // 3]
            assert np.corrcoef(matched.image.ravel(), expected.ravel())[0, 1] > 0.95
