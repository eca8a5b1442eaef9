"""Adapting to patterns without labels: what is done, when, and that it helps."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.crystals.kinematical_master import kinematical_intensities
from napari_kikuchi.jobs import finish
from napari_kikuchi.symmetry.adaptation import METHODS, AdaptationSettings, adapt
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.comparison import compare
from napari_kikuchi.symmetry.features import FallingEdges
from napari_kikuchi.symmetry.lessons import SymmetryLessons
from napari_kikuchi.symmetry.network import SymmetryArchitecture, SymmetryNetwork
from napari_kikuchi.symmetry.sector import (
    as_square,
    at_nodes,
    sector_directions,
    standardised,
)

GROUPS = (225, 229)
ALWAYS = {"strange": 0, "various": 2}


@pytest.fixture(scope="module")
def masters():
    """Face- and body-centred metals, 24 of each, by their bands alone."""
    made = []
    for name in ("cu", "fe"):
        for voltage in (12, 18, 24):
            for cell in np.linspace(1, 1.3, 8):
                settings = Crystal.built_in(name).settings()
                settings["lattice"] = [cell * side for side in settings["lattice"][:3]] + [90] * 3
                crystal = Crystal.from_settings(settings)
                made.append(kinematical_intensities(crystal, sector_directions(), voltage=voltage))
    return standardised(np.array(made))


@pytest.fixture(scope="module")
def shown():
    return np.repeat(GROUPS, 24)


@pytest.fixture(scope="module")
def source(masters, shown):
    """Every other phase, with its group."""
    return lessons(masters[::2], seed=1), shown[::2]


@pytest.fixture(scope="module")
def alike(masters):
    """The other phases, as the source has its own."""
    return lessons(masters[1::2], seed=2)


@pytest.fixture(scope="module")
def strange(masters):
    """The other phases, with bright edges, dark bands and other brightness."""
    square = as_square(masters[1::2])
    sharp = square - 0.9 * gaussian_filter(square, (0, 3, 3), mode="mirror")
    return lessons(standardised(np.tanh(2 * at_nodes(sharp))), seed=3)


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    return SymmetryClassifier(SymmetryNetwork(SymmetryArchitecture(GROUPS, width=8)).eval())


def lessons(masters, seed, patterns=3):
    """As if each pattern saw the whole square, some nodes better than others."""
    rng = np.random.default_rng(seed)
    counts = rng.uniform(2, 8, (len(masters), patterns, masters.shape[1]))
    noise = rng.normal(0, 0.3, counts.shape)
    totals = counts * (masters[:, None] + noise)
    half = totals.astype(np.float16), counts.astype(np.float16)
    signal = np.full(counts.shape[:2], 0.5, np.float32)
    return SymmetryLessons(*half, signal[..., None].repeat(3, axis=2), signal)


def right(classifier, target, shown):
    summed = (one.sum(axis=1, dtype=np.float32) for one in (target.totals, target.counts))
    found = classifier.log_probabilities(*summed).argmax(axis=1)
    return (found == np.searchsorted(GROUPS, shown)).mean()


def weights(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_edges_are_where_profiles_fall():
    rng = np.random.default_rng(0)
    profiles = rng.normal(size=(2, 15, 56)).cumsum(axis=-1)
    found = FallingEdges()(torch.from_numpy(profiles).float()).numpy()
    smooth = gaussian_filter1d(profiles, 0.7, axis=-1, mode="nearest", radius=2)
    falls = np.maximum(-5 * np.gradient(smooth, axis=-1), 0)
    expected = np.sqrt(falls + 0.01) - 0.1
    np.testing.assert_allclose(found[..., 3:-3], expected[..., 3:-3], atol=1e-4)
    rising = torch.arange(56.0).expand(1, 15, 56)
    assert FallingEdges()(rising).abs().max() < 1e-6


def test_a_network_that_reads_edges_comes_back_from_its_file(tmp_path, alike):
    torch.manual_seed(1)
    network = SymmetryNetwork(SymmetryArchitecture(GROUPS, width=8, reads="edges")).eval()
    path = tmp_path / "edges.safetensors"
    SymmetryClassifier(network).save(path)
    again = SymmetryClassifier.load(path, "cpu")
    assert again.network.architecture.reads == "edges"
    one = alike.totals[:, 0], alike.counts[:, 0]
    np.testing.assert_array_equal(
        again.log_probabilities(*one), SymmetryClassifier(network).log_probabilities(*one)
    )


def test_an_architecture_reads_what_it_says():
    settings = SymmetryArchitecture(GROUPS).settings()
    assert SymmetryArchitecture.from_settings(settings).reads == "both"
    with pytest.raises(ValueError, match="bands"):
        SymmetryArchitecture.from_settings(settings | {"reads": "tea leaves"})


def test_what_is_strange_and_how_many_phases_there_are_is_told(
    classifier, source, alike, strange, masters
):
    network, phases = classifier.network, source[0]
    assert compare(network, phases, alike).strangeness < 0.7
    assert compare(network, phases, strange).strangeness > 0.95
    for count in (1, 2):
        some = masters[[0, 47][:count]]
        crystals = lessons(np.repeat(some, 6, axis=0), seed=4, patterns=1)
        assert compare(network, phases, crystals).variety == pytest.approx(count, abs=0.3)


def test_a_target_that_needs_nothing_leaves_the_classifier_as_it_is(classifier, source, alike):
    found = finish(adapt(classifier, *source, alike))
    assert found.provenance["adapted"]["method"] == "none"
    one = alike.totals[:, 0], alike.counts[:, 0]
    np.testing.assert_array_equal(found.log_probabilities(*one), classifier.log_probabilities(*one))


def test_few_phases_are_read_by_edges_alone(classifier, source, strange, shown):
    settings = AdaptationSettings(steps=60, batch=24)
    one = strange.part(slice(1))
    found = [finish(adapt(classifier, *source, target, settings)) for target in (one, strange)]
    for adapted in found:
        assert adapted.network.architecture.reads == "edges"
        assert adapted.provenance["adapted"]["method"] == "none"
        assert adapted.provenance["adapted"]["edges"]
    # Nothing is asked of the target: what is learned is the same for each.
    first, second = (weights(adapted.network) for adapted in found)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert right(found[0], strange, shown[1::2]) > 0.9


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("edges", [True, False])
def test_methods_leave_the_classifier_alone_and_repeat_themselves(
    classifier, source, strange, method, edges
):
    before = weights(classifier.network)
    settings = AdaptationSettings(method, edges=edges, steps=4, batch=16, seed=3, **ALWAYS)
    updates = list(adapt(classifier, *source, strange, settings))
    assert all(update.total for update in updates)
    first, again = (
        weights(finish(adapt(classifier, *source, strange, settings)).network) for _ in range(2)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    after = classifier.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    if not edges:
        kept = all(torch.equal(before[name], first[name]) for name in first)
        assert kept == (method == "none")
    assert torch.equal(first["fine_modes"], before["fine_modes"])


def test_statistics_are_those_of_the_target(classifier, source, strange):
    alone = strange.part((slice(None), slice(1)))
    settings = AdaptationSettings("statistics", steps=4, batch=64, **ALWAYS)
    network = finish(adapt(classifier, *source, alone, settings)).network
    one = (
        torch.from_numpy(value[:, 0].astype(np.float32)) for value in (alone.totals, alone.counts)
    )
    falls = FallingEdges()(network.profiles(*one)).flatten(1)
    torch.testing.assert_close(
        network.features[0][2].running_mean, falls.mean(dim=0), atol=1e-4, rtol=1e-3
    )
    torch.testing.assert_close(
        network.features[0][2].running_var, falls.var(dim=0), atol=1e-4, rtol=1e-2
    )


@pytest.mark.parametrize("method", ["discrepancy", "teacher"])
def test_methods_tell_the_target_and_do_not_forget_the_source(
    classifier, source, strange, shown, method
):
    settings = AdaptationSettings(method, steps=80, batch=24, **ALWAYS)
    found = finish(adapt(classifier, *source, strange, settings))
    assert found.provenance["adapted"]["method"] == method
    assert right(found, strange, shown[1::2]) > 0.9
    assert right(found, *source) > 0.9


def test_what_is_wrong_is_told(classifier, source, alike):
    phases, groups = source
    with pytest.raises(ValueError, match="found 3 for 24"):
        finish(adapt(classifier, phases, groups[:3], alike))
    with pytest.raises(ValueError, match=r"groups \(225, 229\), found \[227\]"):
        finish(adapt(classifier, phases, np.full(24, 227), alike))
    nothing = alike.part(slice(0))
    with pytest.raises(ValueError, match="at least one crystal"):
        finish(adapt(classifier, phases, groups, nothing))
    with pytest.raises(ValueError, match="'prayer'"):
        AdaptationSettings("prayer")
    with pytest.raises(ValueError, match="various must be at least 2, not 1"):
        AdaptationSettings(various=1)
