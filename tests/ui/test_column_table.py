"""A table that is sorted by a hand."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_kikuchi.ui.column_table import ColumnTable


@pytest.fixture
def table(qtbot):
    table = ColumnTable()
    qtbot.addWidget(table)
    lengths = np.array([2.0, np.nan, 3.0, 1.0, np.nan])
    table.show_table({"cell": np.arange(5), "length": lengths, "kind": np.array(list("edbca"))})
    table.show()
    return table


def sort(table, qtbot, column):
    """Click on the title of a column."""
    titles = table.horizontalHeader()
    place = titles.sectionViewportPosition(column) + 5
    position = titles.viewport().rect().center()
    position.setX(place)
    qtbot.mouseClick(titles.viewport(), Qt.MouseButton.LeftButton, pos=position)


def cells(table):
    model = table.model()
    return [int(model.index(row, 0).data()) for row in range(model.rowCount())]


def test_what_has_no_value_comes_last_in_both_directions(table, qtbot):
    sort(table, qtbot, 1)
    assert cells(table) == [3, 0, 2, 1, 4]
    sort(table, qtbot, 1)
    assert cells(table) == [2, 0, 3, 1, 4]
    sort(table, qtbot, 2)
    assert cells(table) == [4, 2, 3, 1, 0]


def test_the_row_that_is_selected_stays_so_wherever_it_comes_to_stand(table, qtbot):
    chosen = []
    table.chosen.connect(chosen.append)
    table.selectRow(2)
    for column in (1, 1, 2, 0):
        sort(table, qtbot, column)
        (row,) = table.selectionModel().selectedRows()
        assert row.data() == table.currentIndex().siblingAtColumn(0).data() == "2"
    assert chosen == [2]  # nothing else was chosen by hand
