import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.jobs import finish
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.preprocess import Preprocessor, prepare
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.pattern_views import Shift, Tone, View, tone, view_limits, view_pattern
from napari_kikuchi.ui.preparation import Model, Preparation, average, default_recipe, fit

PATTERNS = np.random.default_rng(0).integers(100, 4000, (6, 7, 20, 20), np.uint16)
SCAN = Scan(ArraySource(PATTERNS))
MEAN = PATTERNS.astype(float).mean(axis=(0, 1))


class Halving:
    """An encoder that keeps half of every pattern."""

    def encode(self, patterns):
        return patterns.reshape(len(patterns), -1)

    def decode(self, features):
        return features.reshape(-1, 10, 10) / 2


@pytest.fixture(scope="module")
def preparation():
    return fit(SCAN, Recipe(size=(10, 10)), finish(average(SCAN)))


def test_each_view_is_what_it_says(preparation):
    model = Model(Halving(), preparation.preprocessor)
    views = view_pattern(PATTERNS[2, 3], list(View), preparation, model)
    exact = finish(prepare(SCAN, Recipe(size=(10, 10), background="exact")))
    prepared = exact(PATTERNS[2, 3])
    np.testing.assert_array_equal(views[View.RAW], PATTERNS[2, 3])
    np.testing.assert_allclose(views[View.CORRECTED], PATTERNS[2, 3] - MEAN, atol=0.01)
    np.testing.assert_allclose(views[View.PREPROCESSED], prepared, atol=1e-4)
    np.testing.assert_allclose(views[View.RECONSTRUCTED], prepared / 2, atol=1e-4)
    np.testing.assert_allclose(views[View.DIFFERENCE], -prepared / 2, atol=1e-4)


def test_a_traversal_changes_one_feature_and_decodes(preparation):
    model = Model(Halving(), preparation.preprocessor)
    views = (View.RECONSTRUCTED, View.TRAVERSAL)
    still = view_pattern(PATTERNS[2, 3], views, None, model)
    np.testing.assert_array_equal(still[View.TRAVERSAL], still[View.RECONSTRUCTED])
    moved = view_pattern(PATTERNS[2, 3], views, None, model, Shift(feature=23, by=3.0))
    change = moved[View.TRAVERSAL] - moved[View.RECONSTRUCTED]
    expected = np.zeros((10, 10))
    expected[2, 3] = 1.5
    np.testing.assert_allclose(change, expected, atol=1e-6)
    # A smaller model has come meanwhile.
    beyond = view_pattern(PATTERNS[2, 3], views, None, model, Shift(feature=100, by=3.0))
    np.testing.assert_array_equal(beyond[View.TRAVERSAL], still[View.RECONSTRUCTED])


def test_views_that_cannot_be_made_yet_are_left_out(preparation):
    assert list(view_pattern(PATTERNS[0, 0], list(View))) == [View.RAW]
    views = view_pattern(PATTERNS[0, 0], (View.PREPROCESSED, View.DIFFERENCE), preparation)
    assert list(views) == [View.PREPROCESSED]


def test_a_recipe_without_background_subtracts_none():
    plain = fit(SCAN, Recipe(size=(10, 10), background="none"), finish(average(SCAN)))
    np.testing.assert_array_equal(plain.preprocessor.background, 0)
    np.testing.assert_allclose(plain.background, MEAN, rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "size"), [((480, 480), (60, 60)), ((20, 20), (20, 20)), ((480, 640), (45, 60))]
)
def test_the_default_recipe_keeps_the_shape(shape, size):
    assert default_recipe(Scan(ArraySource(np.zeros((1, 1, *shape), np.uint8)))).size == size


def test_limits_clip_few_pixels_and_centre_a_difference():
    values = np.random.default_rng(0).normal(3, 1, (60, 60))
    low, high = view_limits(View.RAW, values)
    assert low == pytest.approx(np.percentile(values, 0.5))
    assert high == pytest.approx(np.percentile(values, 99.5))
    low, high = view_limits(View.DIFFERENCE, values)
    assert low == -high < 0


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4), st.sampled_from(Tone))
def test_tone_maps_limits_to_0_and_1_and_keeps_order(low, span, scale):
    values = np.linspace(low - span, low + 2 * span, 61)
    toned = tone(values, (low, low + span), scale)
    assert toned.min() == 0
    assert toned.max() == pytest.approx(1)
    assert (np.diff(toned) >= 0).all()


def test_log_shows_equal_ratios_equally_far_apart():
    toned = tone(np.array([9.0, 99.0, 999.0]), (0.0, 9900.0), Tone.LOG)
    at = np.log1p(99 * np.array([9, 99, 999]) / 9900) / np.log(100)
    np.testing.assert_allclose(toned, at, rtol=1e-5)


def test_a_root_makes_counting_noise_even():
    weak, strong = (np.random.default_rng(0).poisson(mean, 10_000) for mean in (100, 900))
    spreads = [tone(counts, (0, 1200), Tone.ROOT).std() for counts in (weak, strong)]
    assert spreads[0] == pytest.approx(spreads[1], rel=0.1)


def test_limits_of_spots_leave_strong_ones_to_be_told_apart():
    pattern = np.random.default_rng(0).poisson(1.0, (200, 200)).astype(np.float32)
    pattern[100:110, 100:110] = 5000
    pattern[50:56, 50:56] = 1000
    assert view_limits(View.RAW, pattern, spots=True) == (0, 5000)


def test_nothing_is_shown_where_the_screen_gives_no_signal():
    mask = np.zeros(PATTERNS.shape[-2:], bool)
    mask[2:-2, 2:-2] = True
    recipe = Recipe(size=mask.shape, background="none", mask=mask, rescale="range")
    nothing = np.zeros(mask.shape, np.float32)
    preparation = Preparation(nothing, Preprocessor(recipe, nothing))
    shown = view_pattern(PATTERNS[0, 0], (View.PREPROCESSED,), preparation)[View.PREPROCESSED]
    np.testing.assert_array_equal(np.isnan(shown), ~mask)
    low, high = view_limits(View.PREPROCESSED, shown)
    assert -1 <= low < high <= 1
