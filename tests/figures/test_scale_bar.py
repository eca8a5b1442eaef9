import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.figures.scale_bar import length_text, round_length


@given(st.floats(1e-4, 1e7))
def test_a_scale_bar_has_a_round_length_that_suits_the_map(width):
    length = round_length(width)
    assert 0.12 * width * (1 - 1e-12) <= length <= 0.3 * width
    digits = length / 10 ** math.floor(math.log10(length) + 1e-9)
    assert min(abs(digits - digit) for digit in (1, 2, 5)) < 1e-9


@pytest.mark.parametrize(
    ("length", "text"),
    [(0.5, "500 nm"), (1, "1 µm"), (20, "20 µm"), (500, "500 µm"), (1000, "1 mm"), (0.002, "2 nm")],
)
def test_lengths_are_written_in_the_unit_that_suits_them(length, text):
    assert length_text(length) == text
