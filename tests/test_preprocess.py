"""From recorded patterns to what a model reads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.images import bin_to, find_signal_mask
from napari_kikuchi.jobs import finish
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.preprocess import Preprocessor, prepare
from napari_kikuchi.recipe import Recipe, RecipeMismatchError, check_size
from napari_kikuchi.scan import Block, Scan


def random_scan(rows=4, cols=6, size=(20, 20), dtype="u2", seed=0, **options):
    patterns = np.random.default_rng(seed).integers(100, 4000, (rows, cols, *size)).astype(dtype)
    return Scan(ArraySource(patterns), **options)


class TestPreprocessing:
    @given(
        dtype=st.sampled_from(["u1", "u2", "f4"]),
        size=st.integers(1, 20),
        gain=st.floats(0.01, 10),
        seed=st.integers(0, 5),
    )
    def test_every_pattern_fills_minus_one_to_one_inside_the_mask(self, dtype, size, gain, seed):
        mask = np.random.default_rng(seed).random((size, size)) < 0.8
        mask[0, 0] = True
        background = np.zeros((size, size), np.float32)
        patterns = (np.random.default_rng(seed).random((5, 20, 20)) * 200 * gain).astype(dtype)
        recipe = Recipe(size=(size, size), mask=mask, rescale="range")
        out = Preprocessor(recipe, background)(patterns)
        assert out.dtype == np.float32
        assert (out[:, ~mask] == 0).all()
        binned = bin_to(patterns, (size, size))[:, mask]
        for pattern, before in zip(out[:, mask], binned, strict=True):
            if before.min() == before.max():
                assert (pattern == 0).all()
            else:
                np.testing.assert_allclose([pattern.min(), pattern.max()], [-1, 1], atol=1e-4)
                np.testing.assert_allclose(
                    pattern, np.interp(before, [before.min(), before.max()], [-1, 1]), atol=1e-3
                )

    def test_batches_do_not_show(self):
        patterns = np.random.default_rng(0).random((3, 50, 12, 12))
        preprocess = Preprocessor(
            Recipe(size=(6, 6), mask=np.ones((6, 6), bool), rescale="deviation"),
            np.zeros((6, 6), np.float32),
        )
        whole = preprocess(patterns)
        assert whole.shape == (3, 50, 6, 6)
        np.testing.assert_array_equal(whole[2, 49], preprocess(patterns[2, 49]))

    def test_binning_and_subtraction_commute(self):
        scan = random_scan(size=(24, 24))
        recipe = Recipe(size=(6, 6), background="exact", rescale="range")
        preprocess = finish(prepare(scan, recipe))
        patterns = scan.patterns.compute().astype(float)
        subtracted = patterns - patterns.mean(axis=(0, 1))
        expected = subtracted.reshape(4, 6, 6, 4, 6, 4).mean(axis=(3, 5))
        assert preprocess.mask.all()
        low, high = (edge(axis=(2, 3), keepdims=True) for edge in (expected.min, expected.max))
        np.testing.assert_allclose(
            preprocess(patterns), 2 * (expected - low) / (high - low) - 1, atol=1e-4
        )

    def test_a_static_background_disappears(self):
        y, x = np.mgrid[-1:1:40j, -1:1:40j]
        screen = 3000 * np.exp(-2 * (y**2 + x**2))
        grains = np.random.default_rng(0).normal(0, 50, (10, 10, 40, 40))
        scan = Scan(ArraySource((screen + grains + 500).astype("u2")))
        preprocess = finish(prepare(scan, Recipe(size=(20, 20))))
        inside = preprocess.mask
        prepared = preprocess(scan.read(3, 4))[inside]
        screen, grain = (bin_to(a[None], (20, 20))[0, inside] for a in (screen, grains[3, 4]))
        assert abs(np.corrcoef(prepared, screen)[0, 1]) < 0.2
        assert np.corrcoef(prepared, grain)[0, 1] > 0.98


class TestBackground:
    def test_exact_is_the_mean_of_every_pattern(self):
        scan = random_scan(rows=20, cols=20, size=(8, 8))
        recipe = Recipe(size=(4, 4), background="exact", background_sample=10)
        expected = bin_to(scan.patterns.mean(axis=(0, 1)).compute()[None], (4, 4))[0]
        np.testing.assert_allclose(finish(prepare(scan, recipe)).background, expected, rtol=1e-5)

    def test_sampled_is_the_mean_of_the_drawn_patterns(self):
        scan = random_scan(rows=20, cols=20, size=(8, 8))
        recipe = Recipe(size=(4, 4), background="sample", background_sample=100, seed=3)
        drawn = scan.read_positions(scan.draw(100, 3))
        expected = bin_to(drawn, (4, 4)).mean(axis=0)
        sampled = finish(prepare(scan, recipe)).background
        np.testing.assert_allclose(sampled, expected, rtol=1e-5)
        exact = bin_to(scan.patterns.mean(axis=(0, 1)).compute()[None], (4, 4))[0]
        assert 0 < np.abs(sampled - exact).max() < 5 * 1126 / 2 / np.sqrt(100)

    def test_a_sample_of_the_whole_map_is_exact(self):
        scan = random_scan()
        exact, sampled = (
            finish(prepare(scan, Recipe(size=(5, 5), background=kind))).background
            for kind in ("exact", "sample")
        )
        np.testing.assert_array_equal(exact, sampled)

    def test_none_subtracts_nothing(self):
        background = finish(prepare(random_scan(), Recipe(size=(5, 5), background="none")))
        assert not background.background.any()

    @pytest.mark.parametrize("kind", ["exact", "sample"])
    def test_positions_without_a_pattern_do_not_count(self, kind):
        scan = random_scan()
        patterns = scan.patterns.compute()
        present = np.ones(scan.map_shape, bool)
        present[3, 2:] = False
        expected = bin_to(patterns[present].mean(axis=0)[None], (5, 5))[0]
        patterns[~present] = 0
        partial = Scan(ArraySource(patterns), present=present)
        recipe = Recipe(size=(5, 5), background=kind)
        np.testing.assert_allclose(finish(prepare(partial, recipe)).background, expected, rtol=1e-5)

    def test_progress_reaches_the_number_announced(self):
        updates = []
        scan = random_scan(rows=20, cols=20, size=(8, 8))
        finish(prepare(scan, Recipe(size=(4, 4), background_sample=100)), updates.append)
        assert updates[-1].done == updates[-1].total == 100


class TestRescaling:
    def rescaled(self, patterns, rescale, mask=None):
        mask = np.ones(patterns.shape[1:], bool) if mask is None else mask
        recipe = Recipe(patterns.shape[1:], "none", mask=mask, rescale=rescale)
        return Preprocessor(recipe, np.zeros(mask.shape, np.float32))(patterns)

    @given(scale=st.floats(0.1, 100), offset=st.floats(-1000, 1000))
    @pytest.mark.parametrize("rescale", ["range", "deviation"])
    def test_brightness_and_contrast_do_not_matter(self, rescale, scale, offset):
        pattern = np.random.default_rng(0).normal(size=(1, 20, 20)).astype(np.float32)
        expected = self.rescaled(pattern, rescale)
        found = self.rescaled(scale * pattern + np.float32(offset), rescale)
        np.testing.assert_allclose(found, expected, atol=2e-2)

    def test_four_deviations_about_the_mean_become_one(self):
        mask = np.zeros((30, 30), bool)
        mask[:, 5:] = True
        patterns = np.random.default_rng(0).normal(7, 3, (3, 30, 30)).astype(np.float32)
        patterns[0, 0, 9] = 500  # a hot pixel
        out = self.rescaled(patterns, "deviation", mask)
        for pattern, found in zip(patterns[1:], out[1:], strict=True):
            inside = pattern[mask].astype(float)
            expected = (inside - inside.mean()) / (4 * inside.std())
            np.testing.assert_allclose(found[mask], expected, atol=1e-5)
        assert out[0, 0, 9] == 1
        assert (out[:, ~mask] == 0).all()

    def test_an_extreme_pixel_moves_the_range_and_not_the_deviation(self):
        pattern = np.random.default_rng(0).normal(size=(1, 60, 60)).astype(np.float32)
        extreme = pattern.copy()
        extreme[0, 3, 3] = 12
        moved = {}
        for rescale in ("range", "deviation"):
            before, after = (self.rescaled(p, rescale)[0, 10:, 10:] for p in (pattern, extreme))
            moved[rescale] = np.abs(after - before).max()
        assert moved["range"] > 10 * moved["deviation"]

    @pytest.mark.parametrize("rescale", ["range", "deviation"])
    def test_a_flat_pattern_becomes_nothing(self, rescale):
        assert (self.rescaled(np.full((1, 5, 5), 3.0, np.float32), rescale) == 0).all()


class TestCommonScale:
    """Bands of 3, 4 and 5 % of a background, recorded at several brightnesses."""

    contrasts = np.array([0.03, 0.04, 0.05] * 4)

    def scan(self, brightness=1.0):
        rng = np.random.default_rng(0)
        y, x = np.mgrid[-1:1:24j, -1:1:24j]
        background = np.exp(-(x**2) - y**2)
        bands = rng.normal(size=(12, 24, 24))
        bands -= bands.mean(axis=(1, 2), keepdims=True)
        bands /= bands.std(axis=(1, 2), keepdims=True)
        patterns = background * (1 + self.contrasts[:, None, None] * bands)
        patterns *= 40_000 * np.broadcast_to(brightness, 12)[:, None, None]
        return Scan(ArraySource(np.rint(patterns).astype(np.uint16).reshape(3, 4, 24, 24)))

    def prepared(self, scan, **recipe):
        mask = np.ones((24, 24), bool)
        asked = Recipe((24, 24), "exact", mask=mask, rescale="common", **recipe)
        preprocess = finish(prepare(scan, asked, check_mask=False))
        return preprocess, preprocess(scan.read_block(next(scan.blocks()))).reshape(-1, 24, 24)

    def test_a_pattern_keeps_its_contrast_whatever_its_brightness(self):
        brightness = np.random.default_rng(1).uniform(0.5, 1.5, 12)
        _, even = self.prepared(self.scan())
        _, uneven = self.prepared(self.scan(brightness))
        kept = even.std(axis=(1, 2))
        np.testing.assert_allclose(kept / kept[0], self.contrasts / 0.03, rtol=0.15)
        # But for what bright patterns leave of their bands in a mean of twelve.
        np.testing.assert_allclose(uneven, even, atol=0.1)

    def test_eight_deviations_over_all_patterns_become_one(self):
        preprocess, out = self.prepared(self.scan())
        assert np.sqrt(out.var(axis=(1, 2)).mean()) == pytest.approx(0.125, rel=0.01)
        # Relative to the mean intensity: here bands follow the background.
        assert 8 * 0.03 < preprocess.recipe.full_scale < 8 * 0.06

    def test_a_scale_that_is_given_is_kept(self):
        preprocess, out = self.prepared(self.scan(), full_scale=0.5)
        other, doubled = self.prepared(self.scan(), full_scale=0.25)
        assert (preprocess.recipe.full_scale, other.recipe.full_scale) == (0.5, 0.25)
        np.testing.assert_allclose(np.clip(2 * out, -1, 1), doubled, atol=1e-6)

    def test_patterns_without_contrast_become_nothing(self):
        flat = Scan(ArraySource(np.full((2, 2, 8, 8), 900, np.uint16)))
        recipe = Recipe((8, 8), "none", mask=np.ones((8, 8), bool), rescale="common")
        out = finish(prepare(flat, recipe))(flat.read(0, 0))
        assert (out == 0).all()

    @pytest.mark.parametrize("value", [0, 900])
    def test_a_pattern_without_contrast_is_not_what_its_background_is(self, value):
        patterns = self.scan().read_block(Block(slice(0, 3), slice(0, 4)))
        patterns[1, 2] = value
        preprocess, out = self.prepared(Scan(ArraySource(patterns)))
        assert (out[6] == 0).all()
        assert preprocess.with_contrast(patterns[1, 2])[1] == 0


class TestRecipe:
    def test_survives_its_settings(self):
        mask = np.eye(30, dtype=bool)
        recipe = Recipe((30, 30), "exact", 77, mask, 5, "common", 0.25, 0.125)
        again = Recipe.from_settings(recipe.settings(), mask)
        assert again.settings() == recipe.settings()
        assert (again.rescale, again.dark_share, again.full_scale) == ("common", 0.25, 0.125)
        assert again.mask is mask

    def test_found_mask_is_part_of_the_fitted_recipe(self, silicon):
        preprocess = finish(prepare(silicon, Recipe()))
        assert preprocess.recipe.mask.shape == (60, 60)
        assert 0.75 < preprocess.mask.mean() < 0.87
        assert not preprocess.mask[0, 0]

    def test_a_screen_of_which_binning_leaves_nothing_is_told(self, silicon):
        with pytest.raises(RecipeMismatchError, match="no pixel has a signal after binning to 2 x"):
            finish(prepare(silicon, Recipe(size=(2, 2))))

    def test_a_binned_pixel_has_a_signal_if_all_it_averages_has(self, silicon):
        full = find_signal_mask(silicon.source.read_run(0, 0, 3).mean(axis=0))
        expected = full.reshape(60, 8, 60, 8).all(axis=(1, 3))
        np.testing.assert_array_equal(finish(prepare(silicon, Recipe())).mask, expected)

    def test_a_model_of_this_screen_takes_it(self, silicon):
        recipe = finish(prepare(silicon, Recipe())).recipe
        np.testing.assert_array_equal(finish(prepare(silicon, recipe)).mask, recipe.mask)

    def test_a_model_of_a_smaller_screen_takes_it(self, silicon):
        mask = np.hypot(*np.mgrid[-29.5:30, -29.5:30]) < 24
        np.testing.assert_array_equal(finish(prepare(silicon, Recipe(mask=mask))).mask, mask)

    def test_a_mask_chosen_for_this_scan_is_taken_as_it_is(self, silicon):
        recipe = Recipe(mask=np.ones((60, 60), bool))
        assert finish(prepare(silicon, recipe, check_mask=False)).mask.all()

    def test_a_model_of_a_larger_screen_does_not(self, silicon):
        with pytest.raises(RecipeMismatchError, match=r"signal on 100% .* dark on 1\d% .* own"):
            finish(prepare(silicon, Recipe(mask=np.ones((60, 60), bool))))

    def test_smaller_patterns_are_refused(self):
        scan = random_scan(size=(20, 20), name="steel")
        with pytest.raises(RecipeMismatchError, match=r"steel: .* 60 x 60 pixels.* only 20 x 20"):
            finish(prepare(scan, Recipe()))

    def test_another_aspect_ratio_is_refused_and_crop_named(self):
        with pytest.raises(RecipeMismatchError, match=r"64 x 80 .*crop=True"):
            check_size(random_scan(size=(64, 80)), (60, 60))

    def test_a_rounding_of_the_aspect_ratio_is_not(self):
        check_size(random_scan(size=(239, 240)), (60, 60))

    def test_an_empty_mask_is_refused(self):
        recipe = Recipe(size=(5, 5), mask=np.zeros((5, 5), bool))
        with pytest.raises(RecipeMismatchError, match="mask is empty"):
            finish(prepare(random_scan(name="steel"), recipe))

    def test_a_mask_of_another_size_is_refused(self):
        recipe = Recipe(size=(5, 5), mask=np.ones((6, 6), bool))
        with pytest.raises(RecipeMismatchError, match=r"6 x 6 .* 5 x 5"):
            finish(prepare(random_scan(), recipe))


def test_recipes_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"at least 1 x 1 pixels, not to \(0, 60\)"):
        Recipe(size=(0, 60))
    with pytest.raises(ValueError, match="at least 1 pattern, not 0"):
        Recipe(background_sample=0)
