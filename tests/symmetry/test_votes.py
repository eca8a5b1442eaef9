"""Votes, on classifiers that are made up: how sure they may be is known."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import log_softmax

from napari_kikuchi.symmetry.votes import COVERAGE, LEAST_AGREEMENT, Trust, vote

GROUPS = (221, 225, 227, 229)


def made_up(phases, patterns, rng, overconfidence=1.0, common=1.0, groups=4):
    """Logarithms of probabilities and labels that were drawn by them.

    What a phase shows is common to its patterns, beside noise of each.
    """
    shared = common * rng.normal(size=(phases, 1, groups))
    honest = log_softmax(2 * shared, axis=-1)
    draws = rng.random((phases, 1))
    labels = (np.exp(honest[:, 0]).cumsum(axis=1) < draws).sum(axis=1).clip(0, groups - 1)
    noise = rng.normal(size=(phases, patterns, groups))
    return log_softmax(overconfidence * (2 * shared + noise), axis=-1), labels


def alike(phases, patterns):
    """Patterns in which m-3 and m-3m repeat the same."""
    return np.full((phases, patterns, 3), 0.3), np.full((phases, patterns), 0.3)


@pytest.mark.parametrize("overconfidence", [0.4, 1.0, 3.0])
def test_what_is_given_so_probable_is_right_so_often(overconfidence):
    rng = np.random.default_rng(0)
    logarithms, labels = made_up(4000, 20, rng, overconfidence)
    trust = Trust.measured(logarithms[:2000], *alike(2000, 20), labels[:2000], GROUPS)
    for n in (1, 20):
        means = logarithms[2000:, :n].mean(axis=1)
        found = trust.probabilities(means, np.full(2000, n))
        np.testing.assert_allclose(found.sum(axis=1), 1)
        told, right = found.max(axis=1), found.argmax(axis=1) == labels[2000:]
        for low, high in ((0.4, 0.6), (0.6, 0.8), (0.8, 0.95)):
            inside = (told >= low) & (told < high)
            assert right[inside].mean() == pytest.approx(told[inside].mean(), abs=0.06)
        covered = trust.compatible(found)[np.arange(2000), labels[2000:]].mean()
        assert covered == pytest.approx(COVERAGE, abs=0.03)


def test_more_patterns_make_surer():
    rng = np.random.default_rng(1)
    logarithms, labels = made_up(2000, 20, rng)
    trust = Trust.measured(logarithms, *alike(2000, 20), labels, GROUPS)
    assert trust.growth > 0.1
    mean = np.log([[0.5, 0.3, 0.2]])
    alone, together = (trust.probabilities(mean, np.array([n]))[0, 0] for n in (1, 20))
    assert together > alone


def test_what_repeats_tells_the_laue_class_as_far_as_it_can():
    """Two classes, alike but for what repeats: of one it is more in m-3, beside noise."""
    rng = np.random.default_rng(2)
    labels = np.arange(3000) % 2
    logarithms = np.log(np.full((3000, 20, 2), 0.5))
    repeated, signal = alike(3000, 20)
    more = np.where(labels == 0, 0.03, 0.0)[:, None]
    repeated[..., 1] += more + 0.03 * rng.normal(size=(3000, 20))
    groups = (205, 225)
    trust = Trust.measured(logarithms[:1500], repeated[:1500], signal[:1500], labels[:1500], groups)
    assert trust.offset == pytest.approx(0.05, abs=0.02)  # Half of 0.03 of a signal of 0.3.
    assert trust.gain > 0.5
    classifier = SimpleNamespace(groups=groups, trust=trust)
    for n, expected in ((1, 0.69), (20, 0.985)):  # As the normal distribution has it.
        found = vote(
            np.repeat(np.arange(1500), n),
            logarithms[1500:, :n].reshape(-1, 2),
            repeated[1500:, :n].reshape(-1, 3),
            signal[1500:, :n].ravel(),
            classifier,
        )
        right = found.probabilities.argmax(axis=1) == labels[1500:]
        assert right.mean() == pytest.approx(expected, abs=0.03)
        told = found.probabilities.max(axis=1)
        assert told.mean() == pytest.approx(right.mean(), abs=0.04)
    # Where no group is of m-3, nothing is to be told by it.
    assert Trust.measured(logarithms, repeated, signal, labels, (225, 229)).slope == 0


def test_one_group_at_least_is_compatible():
    trust = Trust(least=0.9)
    found = trust.compatible(np.array([[0.5, 0.3, 0.2], [0.05, 0.95, 0.0]]))
    np.testing.assert_array_equal(found, [[True, False, False], [False, True, False]])
    assert Trust(least=0.25).compatible(np.array([[0.5, 0.3, 0.2]])).sum() == 2


def test_patterns_of_each_crystal_vote_together():
    crystals = np.array([1, 0, 1, 2, 1])
    logarithms = np.log([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.5, 0.5], [0.9, 0.1]])
    repeated = np.array([0.1, 0.3, 0.3, 0.001, 0.2])[:, None] * [1, 2, 3]
    signal = np.array([0.3, 0.3, 0.3, 0.001, 0.3])
    classifier = SimpleNamespace(groups=(225, 229), trust=Trust())
    found = vote(crystals, logarithms, repeated, signal, classifier)
    np.testing.assert_array_equal(found.patterns, [1, 3, 1])
    of_three = np.exp(logarithms[[0, 2, 4]].mean(axis=0))
    np.testing.assert_allclose(found.probabilities[1], of_three / of_three.sum())
    np.testing.assert_allclose(found.probabilities[0], [0.4, 0.6])
    np.testing.assert_allclose(found.agreement[:2], [1, 2 / 3])
    # Where there is no signal, nothing agrees, though it be alike.
    assert found.agreement[2] < LEAST_AGREEMENT
    np.testing.assert_array_equal(found.cubic, [True, False, False])
    # Told to be of m-3, it need not be alike in m-3m.
    classifier.groups = (205, 229)
    found = vote(crystals, logarithms, repeated, signal, classifier)
    np.testing.assert_allclose(found.agreement[:2], [1, 4 / 3])
    # But by threefold axes alone it must be alike too.
    repeated[:, 2] = [0.1, 0.3, 0.1, 0.1, 0.1]
    found = vote(crystals, logarithms, repeated, signal, classifier)
    np.testing.assert_allclose(found.agreement[:2], [1, 1 / 3])
    np.testing.assert_array_equal(found.cubic, [True, False, False])
