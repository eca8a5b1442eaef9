"""Orientation maps of scans whose truth is known."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from known_spots import COARSE, KnownSpots, known_spots
from napari.utils.colormaps import ensure_colormap
from scipy.spatial.transform import Rotation

from napari_kikuchi import __version__
from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.explore.inverse_pole_figures import ipf_colours
from napari_kikuchi.explore.misorientations import misorientation_angles
from napari_kikuchi.explore.orientations import (
    find_grains,
    grain_reference_orientation_deviation,
    kernel_average_misorientation,
    orientations_in,
)
from napari_kikuchi.io.journal import ResumeError
from napari_kikuchi.io.map_store import read_maps, update_regions
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Region
from napari_kikuchi.orientation import scan_indexing
from napari_kikuchi.orientation.dynamical import DynamicalSpots
from napari_kikuchi.orientation.indexing import Solutions
from napari_kikuchi.orientation.map_solutions import quaternions_of
from napari_kikuchi.orientation.maps import orientation_maps
from napari_kikuchi.orientation.network import SpotArchitecture, SpotTransformer
from napari_kikuchi.orientation.places import default_orientations_path
from napari_kikuchi.orientation.spot_calibration import SpotCalibration
from napari_kikuchi.orientation.spot_model import SpotModel

OWN = ["phase", "confidence", "margin", "spots", *(f"quaternion {part}" for part in "abcd")]
DERIVED = [
    *(f"IPF {axis} {colour}" for axis in "xyz" for colour in ("red", "green", "blue")),
    *("KAM", "GROD", "grain"),
]


@pytest.fixture(scope="module")
def metals():
    return [Crystal.built_in("cu"), Crystal.built_in("ti")]


@pytest.fixture(scope="module")
def spots(metals):
    return known_spots(metals)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("libraries")


@pytest.fixture(scope="module", autouse=True)
def small_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan_indexing, "_BLOCK_PATTERNS", 32)
        yield


@pytest.fixture(scope="module")
def usual(cache):
    return {"library": COARSE, "libraries": cache, "workers": 2, "step": (0.2, 0.3)}


@pytest.fixture
def mapped(spots, metals, usual):
    """Begins a job; what is not told is as usual."""

    def begin(path, known=spots, crystals=metals, **changes):
        options = usual | changes
        return orientation_maps(known, known.truth.calibration, crystals, path, **options)

    return begin


@pytest.fixture(scope="module")
def maps(spots, metals, usual, tmp_path_factory):
    path = tmp_path_factory.mktemp("maps") / "all.zarr"
    return finish(orientation_maps(spots, spots.truth.calibration, metals, path, **usual))


def by_name(stack):
    return dict(zip(stack.names, np.asarray(stack.values[:]), strict=True))


def quaternions_in(found):
    return np.stack([found[f"quaternion {part}"] for part in "abcd"], axis=-1)


def test_phases_and_orientations_are_those_of_the_sample(maps, spots, metals):
    found = by_name(maps)
    assert maps.names == OWN + DERIVED
    truth = np.where(spots.present, spots.truth.phases + 1, np.nan)
    assert np.nanmean(found["phase"] == truth) > 0.75
    hole = spots.truth.phases < 0
    assert (found["phase"][hole] == 0).all()
    assert (found["confidence"][hole] == 0).all()
    quaternions, true = quaternions_in(found), quaternions_of(spots.truth.rotations)
    for number, crystal in enumerate(metals, 1):
        both = (truth == number) & (found["phase"] == number)
        errors = misorientation_angles(quaternions[both], true[both], crystal.laue_group)
        assert np.median(errors) < 1
        assert np.mean(errors < 3) > 0.75


@pytest.fixture(scope="module")
def ignorant():
    """A spot transformer of copper that has learned nothing."""
    torch.manual_seed(0)
    network = SpotTransformer(SpotArchitecture(width=16, layers=1, heads=2, hypotheses=2, spots=8))
    return SpotModel(network.eval(), "Cu", 300.0)


def test_a_model_proposes_orientations_of_its_crystal(maps, mapped, ignorant, spots, tmp_path):
    """One that knows nothing finds little of it, and all is found of the other phase."""
    told = finish(mapped(tmp_path / "a.zarr", models=[ignorant]))
    truth = np.where(spots.present, spots.truth.phases, -1)
    shares = [
        [(by_name(stack)["phase"][truth == number] == number + 1).mean() for number in (0, 1)]
        for stack in (maps, told)
    ]
    assert shares[1][0] < 0.5 * shares[0][0]
    assert shares[1][1] > 0.9 * shares[0][1]
    (model,) = told.provenance["indexing"]["models"]
    assert (model["crystal"], model["crc32"]) == ("Cu", ignorant.checksum)


@pytest.mark.parametrize("changes", [{"crystal": "Ni"}, {"voltage": 200.0}])
def test_a_model_of_something_else_is_refused(mapped, ignorant, changes, tmp_path):
    with pytest.raises(ValueError, match=r"expected models of Cu, Ti at 300 kV, found one of"):
        finish(mapped(tmp_path / "a.zarr", models=[replace(ignorant, **changes)]))


def test_positions_without_a_pattern_or_an_orientation_are_told_apart(maps, spots):
    found = by_name(maps)
    for name in OWN:
        assert np.isnan(found[name][~spots.present]).all(), name
    there = spots.present
    np.testing.assert_array_equal(found["spots"][there], spots.counts[there])
    known = np.isfinite(quaternions_in(found)).all(axis=-1)
    np.testing.assert_array_equal(known, found["phase"] > 0)
    assert np.isfinite(found["confidence"][there]).all()
    assert (found["margin"][there] >= 0).all()
    assert (found["margin"][there] <= found["confidence"][there]).all()


def test_what_follows_from_orientations_is_that_of_the_whole_map(maps):
    found = by_name(maps)
    orientations = orientations_in(maps)
    np.testing.assert_array_equal(orientations.numbers, np.nan_to_num(found["phase"]))
    np.testing.assert_allclose(orientations.quaternions, quaternions_in(found), atol=1e-6)
    grain = find_grains(orientations)
    expected = {
        "KAM": kernel_average_misorientation(orientations),
        "GROD": grain_reference_orientation_deviation(orientations, grain),
        "grain": grain,
    }
    for axis in "xyz":
        colours = ipf_colours(orientations, axis)
        names = (f"IPF {axis} {colour}" for colour in ("red", "green", "blue"))
        expected |= dict(zip(names, colours, strict=True))
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=2e-4, err_msg=name)
    shown = [maps.names[i] for i in maps.shown_first()]
    assert shown == ["IPF z red", "IPF z green", "IPF z blue"]


def test_maps_tell_where_they_come_from_and_how_they_are_shown(maps, spots):
    provenance = maps.provenance
    assert (provenance["method"], provenance["version"]) == ("orientations", __version__)
    assert provenance["scan"] == spots.provenance["scan"]
    assert maps.step == (0.2, 0.3)
    copper, titanium = provenance["indexing"]["phases"]
    assert (copper["name"], copper["space_group"], copper["source"]) == ("Cu", 225, "built in")
    assert titanium["lattice"] == [2.951, 2.951, 4.684, 90, 90, 120]
    assert provenance["indexing"]["library"]["kinematical"] is True
    assert provenance["indexing"]["calibration"]["scale"] == spots.truth.calibration.scale
    for channel in maps.channels:
        ensure_colormap(channel.colormap)
    assert maps.channels[0].limits == (0, 2)


def test_a_stopped_job_goes_on_where_it_was(mapped, maps, monkeypatch, tmp_path):
    path = tmp_path / "maps.zarr"
    job = mapped(path, workers=1)
    for update in job:
        if update.message == "Finding orientations" and update.done > 30:
            break
    job.close()
    assert not path.exists()
    seen = []
    stack = finish(mapped(path), seen.append)
    first = next(update for update in seen if update.message == "Finding orientations")
    assert 0 < first.done < first.total == 190
    # With another number of threads sums are rounded otherwise.
    np.testing.assert_allclose(stack.values[:], maps.values[:], rtol=1e-5, atol=1e-5)
    assert [file.name for file in tmp_path.iterdir()] == ["maps.zarr"]


def test_what_was_begun_is_not_mixed_with_something_else(mapped, maps, metals, spots, tmp_path):
    path = tmp_path / "maps.zarr"
    job = mapped(path, workers=1)
    next(update for update in job if update.message == "Finding orientations")
    job.close()
    for change in (
        {"library": replace(COARSE, voltage=200.0)},
        {"crystals": metals[:1]},
        {"crystals": [replace(metals[0], debye_waller=metals[0].debye_waller * 2), metals[1]]},
        {"least_spots": 7},
        {"known": replace(spots, provenance={"scan": {"fingerprint": {"seed": 5}}})},
        {"known": Shifted(spots.truth, spots.present, spots.provenance)},
    ):
        with pytest.raises(ResumeError, match="something else"):
            finish(mapped(path, **change))
    alone = finish(mapped(path, crystals=metals[:1], resume=False))
    assert set(np.unique(alone.map(0)[spots.present])) <= {0, 1}
    assert len(alone.provenance["indexing"]["phases"]) == 1


class Shifted(KnownSpots):
    """As many spots in each pattern, elsewhere."""

    def rows(self, start, stop):
        rows = super().rows(start, stop)
        return rows + np.where(rows[..., 2:] > 0, [6, 0, 0], 0).astype(np.float32)


class OnDetector(KnownSpots):
    """Tells of its detector, too."""

    pattern_shape, path = (128, 128), "known.spots"


def test_a_direct_beam_far_beside_the_detector_is_an_error(mapped, spots, tmp_path):
    beside = replace(spots.truth, calibration=SpotCalibration((500.0, 60.0), 0.02))
    known = OnDetector(beside, spots.present, spots.provenance)
    with pytest.raises(ValueError, match=r"known\.spots: .* at row 500 .* Correct the calibration"):
        finish(mapped(tmp_path / "beside.zarr", known))
    assert not list(tmp_path.iterdir())


def test_a_confidence_that_is_asked_for_and_a_number_of_spots(mapped, maps, spots, tmp_path):
    strict = by_name(finish(mapped(tmp_path / "strict.zarr", least_confidence=0.6)))
    lax = by_name(maps)
    np.testing.assert_array_equal(strict["confidence"], lax["confidence"])
    np.testing.assert_array_equal(
        strict["phase"] > 0, (lax["phase"] > 0) & (lax["confidence"] >= 0.6)
    )
    assert 0 < (strict["phase"] > 0).sum() < (lax["phase"] > 0).sum()
    many = by_name(finish(mapped(tmp_path / "many.zarr", least_spots=20)))
    assert not many["confidence"][spots.present & (spots.counts < 20)].any()
    assert many["confidence"][spots.counts >= 20].all()


def test_thick_crystals_are_found_by_bloch_waves(metals, cache, random_rotations, tmp_path):
    copper, shape = metals[0], (4, 5)
    rotations = random_rotations(20, seed=2)
    simulated = DynamicalSpots(copper, k_max=1.5)(rotations, 300.0)
    truth = SimpleNamespace(
        phases=np.zeros(shape, int),
        rotations=rotations.reshape(*shape, 3, 3),
        calibration=SpotCalibration((64.0, 64.0), 0.025),
        spots=lambda positions: simulated.values,
    )
    known = KnownSpots(truth, np.ones(shape, bool))
    library = replace(COARSE, kinematical=False, thicknesses=(200.0, 300.0, 400.0))
    job = orientation_maps(
        known, truth.calibration, [copper], tmp_path / "maps.zarr", library=library, libraries=cache
    )
    stack = finish(job)
    errors = misorientation_angles(
        quaternions_in(by_name(stack)).reshape(-1, 4),
        quaternions_of(rotations),
        copper.laue_group,
    )
    assert np.sum(errors < 3) >= 12
    assert stack.provenance["indexing"]["library"]["thicknesses"] == [200, 300, 400]


@pytest.fixture
def ambiguous(monkeypatch):
    """Each pattern is one crystal or another, both in doubt; some know better."""
    turns = Rotation.random(40, rng=np.random.default_rng(1)).as_matrix()

    class Ambiguous:
        def __init__(self, libraries, **options):
            pass

        def __call__(self, spots):
            n = len(spots)
            rng = np.random.default_rng(n)
            other = turns[rng.integers(1, 40, n)]
            rotations = np.stack([np.broadcast_to(turns[0], (n, 3, 3)), other], axis=1)
            right_first = rng.random(n) < 0.4
            rotations[~right_first] = rotations[~right_first][:, ::-1]
            probabilities = np.tile([0.5, 0.45], (n, 1)).astype(np.float32)
            phases = np.zeros((n, 2), np.int64)
            return Solutions(*map(torch.from_numpy, (probabilities, phases, rotations)))

    monkeypatch.setattr(scan_indexing, "Indexer", Ambiguous)
    return turns[0]


def test_neighbours_decide_where_patterns_leave_a_doubt(mapped, spots, metals, ambiguous, tmp_path):
    job = mapped(tmp_path / "maps.zarr", crystals=metals[:1], least_confidence=0.0)
    found = by_name(finish(job))
    indexed = found["phase"] > 0
    assert indexed.sum() == (spots.counts >= scan_indexing.LEAST_SPOTS).sum()
    quaternions = quaternions_in(found)[indexed]
    truth = np.broadcast_to(quaternions_of(ambiguous), quaternions.shape)
    right = misorientation_angles(quaternions, truth, metals[0].laue_group) < 1
    assert right.mean() > 0.95
    assert np.median(found["confidence"][indexed]) > 0.8


def test_grains_of_a_larger_threshold_are_fewer(mapped, maps, tmp_path):
    coarse = by_name(finish(mapped(tmp_path / "maps.zarr", grain_threshold=40)))
    assert coarse["grain"].max() < by_name(maps)["grain"].max()


def test_new_maps_take_over_what_was_drawn_on_the_same_scan(mapped, spots, tmp_path):
    path = tmp_path / "maps.zarr"
    finish(mapped(path))
    drawn = Region("grain", "polygon", ((0.0, 0.0), (0.5, 0.0), (0.5, 0.8)))
    update_regions(path, [drawn])
    assert finish(mapped(path)).regions == [drawn]
    other = replace(spots, provenance={"scan": {"fingerprint": {"seed": 5}}})
    assert not finish(mapped(path, other)).regions
    assert not read_maps(path).regions


def test_what_cannot_be_mapped_is_told_at_once(mapped, metals, tmp_path):
    for crystals, found in (([], "none"), ([metals[0], metals[0]], "Cu, Cu")):
        with pytest.raises(ValueError, match=f"different names, found {found}"):
            next(mapped(tmp_path / "maps.zarr", crystals=crystals))
    (tmp_path / "maps.zarr").write_text("mine")
    with pytest.raises(FileExistsError):
        next(mapped(tmp_path / "maps.zarr"))
    assert (tmp_path / "maps.zarr").read_text() == "mine"


def test_maps_lie_beside_the_scan(tmp_path):
    assert default_orientations_path(tmp_path / "scan.mib") == tmp_path / "scan.orientations.zarr"
