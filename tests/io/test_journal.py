"""What an unfinished output notes of itself."""

from napari_kikuchi.io.journal import note, notes
from napari_kikuchi.untrusted import MOST_BYTES


def test_a_journal_may_be_longer_than_any_other_document(tmp_path):
    journal, line = tmp_path / "done.jsonl", "\n[0, 34, 1, 2, 0, 64, 4123456789]"
    count = MOST_BYTES // len(line) + 1
    journal.write_text(line * count)
    note(journal, "the last")
    assert len(found := notes(journal)) == count + 1
    assert found[-1] == "the last"


def test_no_line_is_longer_than_any_other_document(tmp_path):
    journal = tmp_path / "done.jsonl"
    journal.write_text(f'"{"long" * MOST_BYTES}"')
    note(journal, "the next")
    assert notes(journal) == ["the next"]
