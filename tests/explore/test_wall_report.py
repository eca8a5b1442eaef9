import numpy as np
import pytest

from napari_kikuchi.explore.label_table import label_table, middles
from napari_kikuchi.explore.wall_measures import Measure
from napari_kikuchi.explore.wall_report import in_words


@pytest.mark.parametrize(
    ("value", "error", "unit", "words"),
    [
        (2.3141, 0.0523, "µm", "2.314 ± 0.052 µm"),
        (231.41, 12.3, "µm", "231 ± 12 µm"),
        (0.26031, 0.00552, "", "26.03 ± 0.55 %"),
        (2.3141, np.nan, "µm", "2.31 µm"),
        (2.3141, 1e-16, "µm", "2.31 µm"),
        (np.nan, np.nan, "µm", "not known"),
        (163.0, 392.0, "µm", "not known"),
    ],
)
def test_figures_are_written_with_as_many_digits_as_their_error_leaves(value, error, unit, words):
    assert in_words(Measure(value, error, unit)) == words


def test_labels_that_are_missing_take_no_row():
    labels = np.array([[0, 3, 3], [1, 3, 0]])
    table = label_table(labels, (0.5, 2.0), "domain")
    assert {name: column.tolist() for name, column in table.items()} == {
        "domain": [1, 3],
        "area (µm²)": [1, 3],
        "share (%)": [25, 75],
        "positions": [1, 3],
    }
    place = middles(labels, table["domain"], (0.5, 2.0))
    np.testing.assert_allclose(place["down (µm)"], [0.5, 0.5 / 3])
    np.testing.assert_allclose(place["right (µm)"], [0, 2 * 4 / 3])
