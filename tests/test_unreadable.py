"""What is noted of patterns that cannot be read."""

import numpy as np

from napari_kikuchi.unreadable import unreadable_record


def test_a_drive_with_bad_places_everywhere_fits_into_a_note():
    everywhere = np.argwhere(np.indices((200, 200)).sum(axis=0) % 2 == 0)
    record = unreadable_record(everywhere)["unreadable"]
    assert record["count"] == 20_000
    assert len(record["runs"]) == 10_000
    assert record["runs"][:3] == [[0, 0, 0], [0, 2, 2], [0, 4, 4]]
