"""Whether an encoder knows the patterns of a scan: those it has learned from, and others."""

from dataclasses import replace

import numpy as np
import pytest

from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.familiarity import familiarity
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.preprocess import prepare
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan

RECIPE = Recipe(size=(24, 24))
PIXELS = 24
# Of the variance of a pattern: grain and noise are as strong as each other, but the background, the
# mean of five grains, takes a fifth of the grain.
SHARED = 0.8 / (0.8 + 1)


def grains(seed, columns=40, rows=6, width=8, noise=1.0):
    """A scan of grains, each some columns wide and of a pattern of its own, with noise."""
    rng = np.random.default_rng(seed)
    kinds = rng.normal(size=(columns // width + 1, PIXELS, PIXELS))
    patterns = np.stack([kinds[col // width] for col in range(columns)])
    patterns = patterns + noise * rng.normal(size=(rows, columns, PIXELS, PIXELS))
    return Scan(ArraySource((1000 + 40 * patterns).astype(np.uint16)))


def ask(scan, encoder):
    return familiarity(scan, encoder, finish(prepare(scan, encoder.recipe)))


@pytest.fixture(scope="module")
def scan():
    return grains(1)


@pytest.fixture(scope="module")
def encoder(scan):
    return finish(fit_linear([scan], RECIPE, latent=6))


def test_an_encoder_knows_what_it_has_learned_and_leaves_the_noise_out(scan, encoder):
    found = ask(scan, encoder)
    assert found.known
    # What a pattern shares with the one beside it; a perfect reconstruction is all of that.
    assert found.recorded == pytest.approx(SHARED, abs=0.03)
    assert found.reconstructed == pytest.approx(SHARED**0.5, abs=0.03)


def test_an_encoder_of_other_patterns_does_not_know_these(encoder):
    found = ask(grains(2), encoder)
    assert not found.known
    assert found.recorded == pytest.approx(SHARED, abs=0.03)
    assert abs(found.reconstructed) < 0.2


def test_the_same_is_found_each_time(scan, encoder):
    assert ask(scan, encoder) == ask(scan, encoder)


def test_one_column_is_compared_downwards(encoder):
    patterns = np.asarray(grains(1).patterns)
    column = Scan(ArraySource(np.ascontiguousarray(patterns[:, :8].reshape(48, 1, 24, 24))))
    assert ask(column, encoder).known


def test_positions_without_a_pattern_beside_them_do_not_count(scan, encoder):
    present = np.zeros(scan.map_shape, bool)
    present[:, ::2] = True
    found = ask(replace(scan, present=present), encoder)
    assert np.isnan(found.recorded)
    assert not found.known


def test_one_position_has_nothing_beside_it(encoder):
    one = Scan(ArraySource(np.asarray(grains(1).patterns)[:1, :1]))
    assert not ask(one, encoder).known
