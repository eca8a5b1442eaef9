"""The network, its lessons and its file."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.crystals.kinematical_master import kinematical_intensities
from napari_kikuchi.io.weights import ModelFileError
from napari_kikuchi.jobs import finish
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.lessons import symmetry_lessons
from napari_kikuchi.symmetry.network import SymmetryArchitecture, SymmetryNetwork
from napari_kikuchi.symmetry.recorded import Conditions, record
from napari_kikuchi.symmetry.sector import (
    NODES,
    SIDE,
    mirrored,
    sector_directions,
    sector_weights,
    standardised,
)
from napari_kikuchi.symmetry.train import SymmetryTask, training_data
from napari_kikuchi.training import TrainingSettings, train

GROUPS = (225, 229)


@pytest.fixture(scope="module")
def masters():
    """Face- and body-centred metals, some of each, by their bands alone."""
    made = []
    for name, cells in (("cu", (1.0, 1.1, 1.25)), ("fe", (1.0, 1.1, 1.25))):
        for voltage in (12, 18, 24):
            for cell in cells:
                settings = Crystal.built_in(name).settings()
                settings["lattice"] = [cell * side for side in settings["lattice"][:3]] + [90] * 3
                crystal = Crystal.from_settings(settings)
                made.append(kinematical_intensities(crystal, sector_directions(), voltage=voltage))
    return np.array(made)


@pytest.fixture(scope="module")
def lessons(masters):
    return finish(symmetry_lessons(masters, 6, workers=1))


def test_patterns_are_those_of_the_phase_as_they_are_recorded(masters):
    found = []
    for noise in (1e-4, 0.02):
        conditions = Conditions(noise=(noise, noise), blur=(0.3, 0.3), contrast=(0.03, 0.03))
        rng = np.random.default_rng(0)
        found.append(record(standardised(masters[0]), 3, conditions, rng).patterns)
    quiet, noisy = found
    assert quiet.shape == (3, 64, 64)
    np.testing.assert_allclose(quiet.mean(axis=(1, 2)), 1, atol=0.05)
    # The light is no even one: noise follows its square root.
    relative = (noisy - quiet) / np.sqrt(np.maximum(quiet, 0.01))
    assert relative.std() == pytest.approx(0.02, rel=0.05)


def test_lessons_show_the_square_of_their_phase(masters, lessons):
    weights = sector_weights()
    for number in (0, 10):
        total, count = (
            one[number].astype(np.float64).sum(axis=0) for one in (lessons.totals, lessons.counts)
        )
        assert count.min() > 0
        assert np.average(count, weights=weights) > 10
        found = spearmanr(total / count, masters[number]).statistic
        other = spearmanr(total / count, masters[(number + 9) % 18]).statistic
        assert found > 0.75
        assert other < found - 0.3


def test_lessons_are_the_same_for_the_same_seed(masters):
    one, again, other = (
        finish(symmetry_lessons(masters[:2], 2, seed=seed, workers=workers))
        for seed, workers in ((1, 1), (1, 2), (2, 1))
    )
    np.testing.assert_array_equal(one.totals, again.totals)
    assert (one.totals != other.totals).any()


def test_standardised_over_what_was_seen():
    network = SymmetryNetwork(SymmetryArchitecture(GROUPS, width=4))
    rng = np.random.default_rng(0)
    truth = rng.normal(size=NODES)
    counts = np.where(rng.random(NODES) < 0.3, 0, 50.0)
    totals = torch.tensor(counts * (3 * truth + 7))[None].float()
    found = network.standardised(totals, torch.tensor(counts)[None].float())[0].numpy()
    seen = counts > 0
    assert (found[~seen] == 0).all()
    assert np.corrcoef(found[seen], truth[seen])[0, 1] > 0.999
    assert np.average(found[seen] ** 2, weights=sector_weights()[seen]) == pytest.approx(
        1, abs=0.05
    )
    nothing = network.standardised(torch.zeros(1, NODES), torch.zeros(1, NODES))
    assert (nothing == 0).all()


def test_a_classifier_learns_what_tells_two_lattices(masters, lessons, tmp_path):
    shown = np.repeat(GROUPS, 9)
    held_out = np.arange(18) % 3 == 1
    torch.manual_seed(0)
    task = SymmetryTask(SymmetryNetwork(SymmetryArchitecture(GROUPS, width=16)), lessons)
    settings = TrainingSettings(epochs=60, batch=12, device="cpu", threads=1, learning_rate=3e-3)
    path = finish(train(task, training_data(shown, GROUPS, held_out), settings, tmp_path / "run"))
    classifier = SymmetryClassifier.load(path, "cpu")
    assert classifier.groups == GROUPS
    assert classifier.provenance["metrics"]["right by 6"] == 1
    held = (one[held_out, 0].astype(np.float32) for one in (lessons.totals, lessons.counts))
    logarithms = classifier.log_probabilities(*held)
    np.testing.assert_allclose(np.exp(logarithms).sum(axis=1), 1, rtol=1e-5)
    right = logarithms.argmax(axis=1) == np.searchsorted(GROUPS, shown[held_out])
    assert right.mean() > 0.8


def test_what_a_classifier_says_does_not_hang_on_how_many_are_asked(lessons):
    torch.manual_seed(0)
    classifier = SymmetryClassifier(SymmetryNetwork(SymmetryArchitecture(GROUPS)).eval())
    totals, counts = (one[:, 0].astype(np.float32) for one in (lessons.totals, lessons.counts))
    together = classifier.log_probabilities(totals, counts)
    alone = classifier.log_probabilities(totals[3:4], counts[3:4])
    np.testing.assert_allclose(together[3], alone[0], atol=1e-5)
    assert classifier.log_probabilities(totals[:0], counts[:0]).shape == (0, 2)


def test_in_which_setting_a_crystal_is_described_changes_nothing(lessons):
    torch.manual_seed(0)
    classifier = SymmetryClassifier(SymmetryNetwork(SymmetryArchitecture((205, 225))).eval())
    totals, counts = (one[:, 0].astype(np.float32) for one in (lessons.totals, lessons.counts))
    told = classifier.log_probabilities(totals, counts)
    other = classifier.log_probabilities(mirrored(totals), mirrored(counts))
    np.testing.assert_allclose(told, other, atol=1e-5)
    # But what differs between the settings is seen.
    rows, columns = np.divmod(np.arange(NODES), SIDE)
    both = totals + mirrored(totals)
    one_sided = np.where(rows > columns, 1.5, 0.5).astype(np.float32)
    changed = classifier.log_probabilities(both * one_sided, counts + mirrored(counts))
    same = classifier.log_probabilities(both, counts + mirrored(counts))
    assert np.abs(changed - same).max() > 1e-3


def test_who_knows_some_groups_gets_their_shares(lessons):
    torch.manual_seed(0)
    network = SymmetryNetwork(SymmetryArchitecture((205, 221, 225))).eval()
    network.shown_as.copy_(torch.tensor([[1, 0, 0], [0, 4, 0], [0, 1, 5]]))
    classifier = SymmetryClassifier(network)
    given = (one[:, 0].astype(np.float32) for one in (lessons.totals, lessons.counts))
    totals, counts = given
    among = classifier.among({225, 221})
    assert among.groups == (221, 225)
    shares = np.exp(classifier.log_probabilities(totals, counts))[:, 1:]
    expected = shares / shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.exp(among.log_probabilities(totals, counts)), expected, rtol=1e-4)
    assert among.partners(225) == classifier.partners(225) == {221: pytest.approx(1 / 6)}
    assert classifier.among({225}).partners(225) == {}
    assert classifier.among((205, 221, 225)).only is None
    with pytest.raises(ValueError, match="205, 221, 225"):
        classifier.among((225, 229))


def test_a_file_comes_back_and_a_damaged_one_is_told(tmp_path, lessons):
    torch.manual_seed(1)
    network = SymmetryNetwork(SymmetryArchitecture(GROUPS, width=8)).eval()
    classifier = SymmetryClassifier(network, {"made": "here"})
    path = tmp_path / "a.safetensors"
    classifier.save(path)
    again = SymmetryClassifier.load(path, "cpu")
    totals, counts = (one[:, 0] for one in (lessons.totals, lessons.counts))
    np.testing.assert_array_equal(
        classifier.log_probabilities(totals, counts), again.log_probabilities(totals, counts)
    )
    assert again.provenance == {"made": "here"}
    content = bytearray(path.read_bytes())
    path.write_bytes(bytes(content[: len(content) // 2]))
    with pytest.raises(ModelFileError, match=r"a\.safetensors"):
        SymmetryClassifier.load(path, "cpu")


@pytest.mark.parametrize("groups", [[], [229, 225], [225, 225], [0], ["225"]])
def test_groups_that_are_none_are_refused(groups):
    settings = SymmetryArchitecture(GROUPS).settings() | {"groups": groups}
    with pytest.raises(ValueError, match="group"):
        SymmetryArchitecture.from_settings(settings)
