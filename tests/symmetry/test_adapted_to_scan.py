"""A classifier adapted to the scan that it is to map: to which patterns, from what, and kept."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_kikuchi.geometry import Geometry
from napari_kikuchi.io.journal import ResumeError
from napari_kikuchi.jobs import finish
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan
from napari_kikuchi.symmetry import adapted_to_scan as under_test
from napari_kikuchi.symmetry import maps
from napari_kikuchi.symmetry.adaptation import AdaptationSettings, adapt
from napari_kikuchi.symmetry.adapted_to_scan import ScanAdaptation
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.lessons import symmetry_lessons
from napari_kikuchi.symmetry.maps import symmetry_maps
from napari_kikuchi.symmetry.phase_library import make_library
from napari_kikuchi.symmetry.references import References
from napari_kikuchi.symmetry.sector import NODES
from napari_kikuchi.symmetry.summary import adaptation_told

GEOMETRY, SIZE = Geometry((0.48, 0.25, 0.58)), (60, 60)
# Columns of the scan in which there is nothing but noise.
NOISE = 2


@pytest.fixture(scope="module")
def classifier():
    return SymmetryClassifier.shipped()


@pytest.fixture
def quick(monkeypatch):
    """Few patterns, few steps."""
    monkeypatch.setattr(under_test, "_OF_PHASE", 2)
    usual = ScanAdaptation.settings.fget
    found = []

    def few(asked):
        found.append(usual(asked))
        always = {"strange": 0, "various": 2}
        return AdaptationSettings(asked.method, edges=False, steps=4, seed=asked.seed, **always)

    monkeypatch.setattr(ScanAdaptation, "settings", property(few))
    return found


def scan_of(phases, columns, seed=0):
    """A scan with a row for each phase, each pattern of another crystal; the last are noise."""
    rng = np.random.default_rng(seed)
    shipped = References.shipped()
    directions = GEOMETRY.detector(SIZE).directions(SIZE)
    patterns = 1000 + 10 * rng.standard_normal((len(phases), columns + NOISE, *SIZE))
    for row, name in enumerate(phases):
        number = shipped.names.index(name)
        for col, rotation in enumerate(Rotation.random(columns, rng=rng).as_matrix()):
            patterns[row, col] += 50 * shipped.pattern(number, rotation, directions).reshape(SIZE)
    return Scan(ArraySource(patterns.astype(np.uint16)), name="phases")


@pytest.fixture(scope="module")
def few_phases():
    return scan_of(("Ni", "Fe-α"), 12)


@pytest.fixture(scope="module")
def many_phases():
    names = ("Ni Pb Fe-α Zr-β Si Ge NaCl UO2 NiAl CsCl Ni3Al SrTiO3 LaB6 Cr3Si Nb3Sn MgCu2 LaAl2 "
             "MgAl2O4 Fe3O4 Y2Ti2O7 Cr23C6 Ca3Al2Si3O12 Y3Fe5O12 LiAl")  # fmt: skip
    return scan_of(names.split(), 2)


def mapped(scan, classifier, path, adaptation=None, **options):
    job = symmetry_maps(
        scan, classifier, GEOMETRY, path, adaptation=adaptation, workers=1, **options
    )
    return finish(job)


def adapted(stack):
    return stack.provenance["symmetry"]["classifier"]["adapted"]


def test_few_phases_leave_all_as_it_is(classifier, few_phases, tmp_path):
    plain = mapped(few_phases, classifier, tmp_path / "plain.zarr")
    stack = mapped(few_phases, classifier, tmp_path / "adapted.zarr", ScanAdaptation())
    told = adapted(stack)
    assert told["method"] == "none"
    # Patterns of noise are none of a crystal.
    assert told["patterns"] == 24
    assert told["variety"] == pytest.approx(2, abs=0.4)
    shipped = References.shipped()
    assert told["source"] == f"{np.isin(shipped.shown, classifier.groups).sum()} known phases"
    np.testing.assert_array_equal(stack.values[:], plain.values[:])
    assert adaptation_told(plain.provenance) == ""
    assert adaptation_told(stack.provenance).startswith("Nothing ")


def test_many_phases_are_adapted_to(classifier, many_phases, quick, tmp_path):
    plain = mapped(many_phases, classifier, tmp_path / "plain.zarr")
    stack = mapped(many_phases, classifier, tmp_path / "adapted.zarr", ScanAdaptation(seed=3))
    told = adapted(stack)
    assert (told["method"], told["seed"], told["asked"]["seed"]) == ("statistics", 3, 3)
    # Some are alike.
    assert 5 < told["variety"] < 40
    assert 40 <= told["patterns"] <= 48
    sentence = adaptation_told(stack.provenance)
    assert sentence == (
        f"Adapted to the scan by its statistics, on {told['patterns']} patterns of "
        f"about {told['variety']:.0f} phases."
    )
    first, count = stack.names.index("probability 198"), len(classifier.groups)
    after, before = (one.values[first : first + count] for one in (stack, plain))
    assert np.abs(after - before).max() > 0.05
    np.testing.assert_allclose(after.sum(axis=0), 1, rtol=1e-4)
    # How crystals stand does not change.
    place = stack.names.index("quaternion a")
    np.testing.assert_array_equal(stack.values[place], plain.values[place])
    # A classifier that has learned of many phases does not learn anew from few.
    usual = quick[0]
    assert (usual.edges, usual.strange) == (False, 0.9)


def test_patterns_adapted_to_are_those_of_the_scan(
    classifier, many_phases, quick, tmp_path, monkeypatch
):
    seen = []

    def watched(classifier, source, shown, target, settings):
        seen.append((source, shown, target))
        return (yield from adapt(classifier, source, shown, target, settings))

    monkeypatch.setattr(under_test, "adapt", watched)
    stack = mapped(many_phases, classifier, tmp_path / "maps.zarr", ScanAdaptation())
    source, shown, target = seen[0]
    assert target.totals.shape == (adapted(stack)["patterns"], 1, NODES)
    # What the classifier made of them before is what a plain map has, in the order of the scan.
    found = classifier.log_probabilities(target.totals[:, 0], target.counts[:, 0])
    plain = mapped(many_phases, classifier, tmp_path / "plain.zarr")
    first, count = plain.names.index("probability 198"), len(classifier.groups)
    maps = np.asarray(plain.values[first : first + count])[:, :, :-NOISE].reshape(count, -1).T
    distances = np.abs(np.exp(found)[:, None] - maps).max(axis=2)
    assert np.median(distances.min(axis=1)) < 0.02
    assert (np.diff(distances.argmin(axis=1)) > 0).mean() > 0.9
    # The known phases, each at one voltage, with the groups that they show.
    shipped = References.shipped()
    told = np.flatnonzero(np.isin(shipped.shown, classifier.groups))
    np.testing.assert_array_equal(shown, shipped.shown[told])
    at = np.random.default_rng(0).integers(3, size=len(told))
    again = finish(symmetry_lessons(shipped.masters[at, told], 2, seed=0, workers=1))
    np.testing.assert_array_equal(source.totals, again.totals)


def test_a_stopped_map_goes_on_with_its_classifier(
    classifier, many_phases, quick, tmp_path, monkeypatch
):
    monkeypatch.setattr(maps, "_SIDE", 4)
    whole = mapped(many_phases, classifier, tmp_path / "whole.zarr", ScanAdaptation())

    def stopped(path):
        job = symmetry_maps(
            many_phases, classifier, GEOMETRY, path, adaptation=ScanAdaptation(), workers=1
        )
        next(one for one in job if one.message == "Reading patterns" and one.done >= 24)
        job.close()

    for name in ("gone on.zarr", "another.zarr", "not adapted.zarr"):
        stopped(tmp_path / name)
    with pytest.raises(ResumeError):
        mapped(many_phases, classifier, tmp_path / "another.zarr", ScanAdaptation(seed=1))
    with pytest.raises(ResumeError):
        mapped(many_phases, classifier, tmp_path / "not adapted.zarr")

    def never(*arguments):
        raise AssertionError("adapted once more")

    monkeypatch.setattr(under_test, "adapt", never)
    stack = mapped(many_phases, classifier, tmp_path / "gone on.zarr", ScanAdaptation())
    np.testing.assert_array_equal(stack.values[:], whole.values[:])
    assert adapted(stack) == adapted(whole)
    assert not (tmp_path / "gone on.zarr.partial").exists()


def test_phases_of_a_library_are_learned_from(classifier, many_phases, tmp_path, monkeypatch):
    monkeypatch.setattr(under_test, "_OF_PHASE", 2)
    with pytest.raises(FileNotFoundError, match="expected a library of phases"):
        mapped(many_phases, classifier, tmp_path / "a.zarr", ScanAdaptation(phases=tmp_path / "no"))
    library = tmp_path / "phases.zarr"
    finish(make_library(library, 1, groups=(225, 229), workers=1))
    asked = ScanAdaptation(phases=library)
    assert asked.settings.edges
    monkeypatch.setattr(
        ScanAdaptation,
        "settings",
        AdaptationSettings(edges=False, strange=0, various=2, steps=2, batch=2),
    )
    stack = mapped(many_phases, classifier, tmp_path / "maps.zarr", asked)
    assert adapted(stack)["source"] == "2 phases of phases.zarr"
    assert adapted(stack)["asked"]["phases"] == str(library)


def test_where_no_crystal_is_clear_nothing_is_done(classifier, tmp_path):
    stack = mapped(scan_of(("Ni", "Ni"), 0), classifier, tmp_path / "maps.zarr", ScanAdaptation())
    assert adapted(stack)["patterns"] == 0
    assert adaptation_told(stack.provenance).startswith("Nothing was adapted: of no pattern")


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"strangeness": 0.5}, "Nothing had to be adapted: the patterns are like those that were"),
        ({"variety": 1.2}, "Nothing was adapted: the patterns are of about one phase, too few"),
        ({"variety": 3.4, "edges": True}, "The patterns are of about 3 phases, too few to adapt"),
        *(
            ({"variety": 20.0, "method": method}, f"Adapted to the scan by {way}, on 90 patterns")
            for method, way in (
                ("discrepancy", "maximum classifier discrepancy"),
                ("teacher", "a teacher"),
                ("statistics", "its statistics"),
            )
        ),
        ({"method": ["teacher"]}, "Nothing was adapted: the patterns are of about 2 phases"),
        ({"patterns": "many"}, ""),
        ({"variety": None}, ""),
    ],
)
def test_what_was_done_is_told_in_a_sentence(told, sentence):
    usual = {"patterns": 90, "strangeness": 0.9, "strange": 0.75, "variety": 2.0, "method": "none"}
    provenance = {"symmetry": {"classifier": {"adapted": {**usual, **told}}}}
    found = adaptation_told(provenance)
    assert found.startswith(sentence)
    assert bool(found) == bool(sentence)


@pytest.mark.parametrize("spoilt", [{}, {"symmetry": 3}, {"symmetry": {"classifier": "none"}}])
def test_a_map_that_tells_nothing_of_it_is_let_be(spoilt):
    assert adaptation_told(spoilt) == ""
