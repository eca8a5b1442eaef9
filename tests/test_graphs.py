import numpy as np

from napari_kikuchi.graphs import connected


def test_what_pairs_join_has_one_number_and_what_none_joins_its_own():
    part = connected(np.array([0, 5, 2]), np.array([2, 4, 1]), 7)
    alike = part[:, None] == part
    expected = np.eye(7, dtype=bool)
    expected[np.ix_([0, 1, 2], [0, 1, 2])] = expected[np.ix_([4, 5], [4, 5])] = True
    np.testing.assert_array_equal(alike, expected)
