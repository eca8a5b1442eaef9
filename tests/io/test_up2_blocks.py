"""Files written block by block are those that are written pattern after pattern."""

import numpy as np
import pytest

from napari_kikuchi.io import PatternFileError, Up2Writer, open_scan
from napari_kikuchi.io.journal import ResumeError
from napari_kikuchi.io.up2_blocks import Up2BlockWriter
from napari_kikuchi.scan import Block

PATTERNS = np.random.default_rng(0).integers(0, 255, (4, 6, 3, 5)).astype(np.uint8)
BLOCKS = [
    Block(slice(0, 2), slice(0, 6)),
    Block(slice(2, 3), slice(0, 6)),
    Block(slice(3, 4), slice(0, 4)),
    Block(slice(3, 4), slice(4, 6)),
]


def begin(folder, name="scan.up2", dtype=np.uint8, identity=None, **options):
    step = (0.5, 0.25)
    return Up2BlockWriter.open(
        folder / name, PATTERNS.shape, np.dtype(dtype), identity or {}, step=step, **options
    )


def write(writer, blocks):
    for block in blocks:
        values = PATTERNS[None, block.rows, block.cols]
        writer.confirm(block, writer.patterns.write(block, values))


@pytest.mark.parametrize("name", ["scan.up1", "scan.up2"])
def test_blocks_in_any_order_make_the_same_file(tmp_path, name):
    with Up2Writer(tmp_path / f"one-{name}", (4, 6), (3, 5), step=(0.5, 0.25)) as file:
        file.append(PATTERNS)
    writer = begin(tmp_path, name)
    write(writer, BLOCKS[::-1])
    assert writer.finish() == tmp_path / name
    assert (tmp_path / name).read_bytes() == (tmp_path / f"one-{name}").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {name, f"one-{name}"}


def test_what_was_written_is_gone_on_with(tmp_path):
    write(begin(tmp_path), BLOCKS[1:3])
    again = begin(tmp_path)
    assert [again.is_done(block) for block in BLOCKS] == [False, True, True, False]
    write(again, [BLOCKS[0], BLOCKS[3]])
    found = open_scan(again.finish())
    np.testing.assert_array_equal(found.read_block(Block(slice(0, 4), slice(0, 6))), PATTERNS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"identity": {"model": "b"}}, "unfinished patterns .* model was None, now b"),
        ({"step": (1.0, 1.0)}, r"step was \[0.5, 0.25\], now \[1.0, 1.0\]"),
        ({"shape": (4, 6, 5, 3)}, r"shape was \[4, 6, 3, 5\], now \[4, 6, 5, 3\]"),
    ],
)
def test_patterns_of_something_else_are_not_gone_on_with(tmp_path, change, message):
    write(begin(tmp_path), BLOCKS[:1])
    asked = {"shape": PATTERNS.shape, "identity": {}, "step": (0.5, 0.25), **change}
    with pytest.raises(ResumeError, match=message):
        Up2BlockWriter.open(tmp_path / "scan.up2", dtype=np.dtype(np.uint8), **asked)
    assert begin(tmp_path).is_done(BLOCKS[0])


def test_nobody_takes_an_unfinished_file_for_a_scan(tmp_path):
    writer = begin(tmp_path)
    write(writer, BLOCKS)
    copied = tmp_path / "copied.up2"
    copied.write_bytes(writer.patterns.file.read_bytes())
    with pytest.raises(PatternFileError):
        open_scan(copied, allow_partial=True)


def test_a_file_with_gaps_is_not_finished(tmp_path):
    writer = begin(tmp_path)
    write(writer, [BLOCKS[0], *BLOCKS[2:]])
    with pytest.raises(ValueError, match=r"scan.up2: 6 of 24 positions.*row 2, column 0"):
        writer.finish()
    assert not (tmp_path / "scan.up2").exists()


def test_an_earlier_file_stays_until_the_new_one_is_finished(tmp_path):
    (tmp_path / "scan.up2").write_text("earlier")
    writer = begin(tmp_path)
    write(writer, BLOCKS)
    assert (tmp_path / "scan.up2").read_text() == "earlier"
    assert open_scan(writer.finish()).map_shape == (4, 6)


@pytest.mark.parametrize(("name", "dtype"), [("a.up1", "u2"), ("a.up2", "f4"), ("a.h5", "u1")])
def test_what_does_not_fit_is_refused_before_anything_is_written(tmp_path, name, dtype):
    with pytest.raises(PatternFileError, match=r"would lose information|ends in \.up1"):
        begin(tmp_path, name, dtype)
    assert not list(tmp_path.iterdir())


def test_what_is_not_ours_is_left_alone(tmp_path):
    theirs = tmp_path / "scan.up2.partial" / "mine.txt"
    theirs.parent.mkdir()
    theirs.write_text("mine")
    for resume in (True, False):
        with pytest.raises(FileExistsError, match="unfinished patterns go here, but something"):
            begin(tmp_path, resume=resume)
    assert theirs.read_text() == "mine"
