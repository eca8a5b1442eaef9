"""Tables are read by an independent program as they were written."""

import numpy as np
import pandas
import pytest

from napari_kikuchi.io.tables import write_table


def test_a_table_is_read_as_it_was_written(tmp_path):
    table = {
        "distance (µm)": np.array([0.0, 0.25]),
        "contrast, without overlap": [1.5, np.nan],
        "name": ["a", 'b "c"'],
    }
    write_table(tmp_path / "profile.csv", table)
    found = pandas.read_csv(tmp_path / "profile.csv")
    assert list(found) == list(table)
    np.testing.assert_array_equal(found["distance (µm)"], [0, 0.25])
    assert found["contrast, without overlap"].isna().tolist() == [False, True]
    assert found["name"].tolist() == table["name"]


def test_an_older_table_stays_if_writing_fails(tmp_path):
    path = tmp_path / "profile.csv"
    write_table(path, {"a": [1]})
    with pytest.raises(ValueError, match="zip"):
        write_table(path, {"a": [1, 2], "b": [3]})
    assert pandas.read_csv(path)["a"].tolist() == [1]
