"""Samples of patterns from one or several scans."""

from dataclasses import replace

import numpy as np
import pytest

from damaged import damaged
from napari_kikuchi.jobs import JobWarning, finish
from napari_kikuchi.latent.sample import draw_sample, prepare_alike
from napari_kikuchi.preprocess import prepare
from napari_kikuchi.recipe import Recipe, RecipeMismatchError
from napari_kikuchi.unreadable import UnreadableScanError

RECIPE = Recipe(size=(12, 12), background="exact")


def test_each_scan_is_prepared_with_its_own_background(make_scan):
    scans = [make_scan(seed=1), make_scan(seed=2, rows=5)]
    sample = finish(draw_sample(scans, RECIPE, per_scan=20, seed=7))
    assert sample.patterns.shape == (40, 12, 12)
    assert [scan["patterns"] for scan in sample.scans] == [20, 20]
    # One scale for all of them: a scan with less contrast shows it.
    scales = [finish(prepare(scan, RECIPE)).recipe.full_scale for scan in scans]
    assert sample.recipe.full_scale == max(scales) > min(scales)
    for i, scan in enumerate(scans):
        alone = finish(prepare(scan, replace(RECIPE, full_scale=max(scales))))
        expected = alone(scan.read_positions(scan.draw(20, 7 + i)))
        np.testing.assert_array_equal(sample.patterns[20 * i : 20 * (i + 1)], expected)


def test_a_small_scan_gives_all_its_patterns(make_scan):
    sample = finish(draw_sample([make_scan(rows=2, cols=3)], RECIPE, per_scan=100))
    assert len(sample.patterns) == 6


def test_half_precision_keeps_patterns_to_a_thousandth(make_scan):
    full = finish(draw_sample([make_scan()], RECIPE, 30))
    half = finish(draw_sample([make_scan()], RECIPE, 30, dtype=np.float16))
    assert half.patterns.dtype == np.float16
    np.testing.assert_allclose(half.patterns, full.patterns, atol=5e-4)


def test_scans_share_the_region_where_all_have_a_signal(make_scan):
    scans = [make_scan(corner=3), make_scan(corner=6)]
    small = finish(prepare(scans[1], RECIPE)).mask
    sample = finish(draw_sample(scans, RECIPE, 10))
    np.testing.assert_array_equal(sample.recipe.mask, small)
    assert (sample.patterns[:, ~small] == 0).all()
    assert sample.patterns[:, small].min() < -0.4


def test_a_mask_that_someone_has_chosen_is_taken_and_its_model_takes_the_same_scan(make_scan):
    given = Recipe(size=(12, 12), mask=np.ones((12, 12), bool))
    scan = make_scan(corner=4)
    bright, fitted = finish(prepare_alike([make_scan(), scan], given))
    assert fitted.mask.all()
    assert bright.recipe is fitted.recipe
    assert 0.1 < fitted.recipe.dark_share < 0.3
    carried = Recipe.from_settings(fitted.recipe.settings(), fitted.mask)  # by a model
    assert finish(prepare(scan, carried)).mask.all()
    with pytest.raises(RecipeMismatchError, match="dark on"):
        finish(prepare(make_scan(corner=8), carried))


def test_adapting_takes_from_the_mask_what_the_scan_lacks(make_scan):
    left = np.zeros((12, 12), bool)
    left[:, :9] = True
    scan = make_scan(corner=4)
    found = finish(prepare(scan, RECIPE)).mask
    recipe = Recipe(size=(12, 12), mask=left, dark_share=0.6)
    (fitted,) = finish(prepare_alike([scan], recipe, adapt_mask=True))
    np.testing.assert_array_equal(fitted.mask, found & left)
    assert fitted.recipe.dark_share == 0  # nothing dark is left


def test_signal_regions_apart_are_an_error(make_scan):
    half = np.zeros((12, 12), bool)
    half[:, :2] = True
    with pytest.raises(RecipeMismatchError, match=r"in common.*round 57%.*model 17%"):
        finish(
            prepare_alike(
                [make_scan(corner=6, name="round")], Recipe(size=(12, 12), mask=half),
                adapt_mask=True,
            )
        )  # fmt: skip


def test_no_scan_is_an_error():
    with pytest.raises(ValueError, match="no scan"):
        finish(draw_sample([], RECIPE, 10))


def test_patterns_that_cannot_be_read_are_left_out_and_noted(make_scan):
    scans = [make_scan(seed=1), make_scan(seed=2, name="weld")]
    bad = {(0, 3), (5, 4), (5, 5)}
    whole = finish(draw_sample(scans, Recipe(size=(12, 12), background="none"), 80))
    with pytest.warns(JobWarning, match="weld: 3 of 80 patterns could not be read") as told:
        sample = finish(draw_sample([scans[0], damaged(scans[1], bad)], whole.recipe, 80))
    assert "row 0, column 3; row 5, columns 4 to 5" in str(told[0].message)
    left = np.array([tuple(place) not in bad for place in whole.positions[1]])
    np.testing.assert_array_equal(sample.positions[1], whole.positions[1][left])
    kept = np.concatenate([np.ones(80, bool), left])
    np.testing.assert_array_equal(sample.patterns, whole.patterns[kept])
    assert [scan["patterns"] for scan in sample.scans] == [80, 77]
    assert "unreadable" not in sample.scans[0]
    assert sample.scans[1]["unreadable"] == {"count": 3, "runs": [[0, 3, 3], [5, 4, 5]]}


def test_a_scan_of_which_nothing_can_be_read_is_an_error_that_names_its_file(make_scan, tmp_path):
    scan = replace(make_scan(rows=3, cols=4), path=tmp_path / "weld.up2")
    nothing = damaged(scan, [(row, col) for row in range(3) for col in range(4)])
    with pytest.raises(UnreadableScanError, match=r"weld.up2: none of 12 patterns could be read"):
        finish(draw_sample([make_scan(), nothing], RECIPE, 20))
