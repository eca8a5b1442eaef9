import shutil
from itertools import chain, combinations

import numpy as np
import pytest

from napari_kikuchi.io import block_writer, map_store
from napari_kikuchi.io.journal import ResumeError
from napari_kikuchi.io.map_store import MapStoreError, is_map_store, read_maps
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.jobs import Progress, finish
from napari_kikuchi.maps import Channel
from napari_kikuchi.scan import Block

VALUES = np.random.default_rng(0).random((3, 4, 6), np.float32)
CHANNELS = [Channel(f"feature {i + 1}") for i in range(3)]
BLOCKS = [
    Block(slice(0, 2), slice(0, 6)),
    Block(slice(2, 3), slice(0, 6)),
    Block(slice(3, 4), slice(0, 4)),
    Block(slice(3, 4), slice(4, 6)),
]
IDENTITY = {"scan": {"crc32": [1, 2]}, "model": "a"}


def powerset(names):
    return chain.from_iterable(combinations(names, count) for count in range(len(names) + 1))


def begin(tmp_path, identity=IDENTITY, shape=VALUES.shape, **options):
    return MapWriter.open(tmp_path / "maps.zarr", shape, identity, **options)


def write(writer, blocks):
    for block in blocks:
        writer.confirm(block, writer.maps.write(block, VALUES[:, block.rows, block.cols]))


def done_of(writer):
    return [writer.is_done(block) for block in BLOCKS]


def test_blocks_in_any_order_make_the_maps(tmp_path):
    writer = begin(tmp_path)
    write(writer, BLOCKS[::-1])
    seen = []
    stack = finish(
        writer.finish(
            CHANNELS,
            step=(0.5, 0.25),
            provenance={"method": "test"},
            arrays={"background": np.ones((2, 2))},
            score=lambda channel, values: float(values[0, 0]),
        ),
        seen.append,
    )
    np.testing.assert_array_equal(stack.values[:], VALUES)
    assert stack.step == (0.5, 0.25)
    assert stack.provenance == {"method": "test"}
    np.testing.assert_array_equal(stack.arrays["background"], np.ones((2, 2)))
    assert [channel.score for channel in stack.channels] == VALUES[:, 0, 0].tolist()
    assert seen == [Progress(i, 3, "Ranking the maps") for i in (1, 2, 3)]
    assert [path.name for path in tmp_path.iterdir()] == ["maps.zarr"]


def test_what_was_written_is_gone_on_with(tmp_path):
    write(begin(tmp_path), BLOCKS[:2])
    again = begin(tmp_path)
    assert done_of(again) == [True, True, False, False]
    write(again, BLOCKS[2:])
    np.testing.assert_array_equal(finish(again.finish(CHANNELS)).values[:], VALUES)


def test_a_block_that_was_written_but_not_confirmed_is_written_again(tmp_path):
    writer = begin(tmp_path)
    writer.maps.write(BLOCKS[0], VALUES[:, :2])
    assert done_of(begin(tmp_path)) == [False] * 4


def test_a_block_that_did_not_reach_the_disk_is_written_again(tmp_path):
    writer = begin(tmp_path)
    write(writer, BLOCKS)
    with writer.maps.file.open("r+b") as file:  # The last row of the second map is lost.
        file.seek(VALUES[1, :3].nbytes + VALUES[0].nbytes)
        file.write(bytes(VALUES[0, 0].nbytes))
    again = begin(tmp_path)
    assert done_of(again) == [True, True, False, False]
    write(again, BLOCKS[2:])
    np.testing.assert_array_equal(finish(again.finish(CHANNELS)).values[:], VALUES)


def test_a_note_cut_short_by_a_crash_costs_its_own_block_only(tmp_path):
    write(begin(tmp_path), BLOCKS[:2])
    journal = tmp_path / "maps.zarr.partial" / "done.jsonl"
    journal.write_text(journal.read_text()[:-3])
    again = begin(tmp_path)
    assert done_of(again) == [True, False, False, False]
    write(again, BLOCKS[2:])
    assert done_of(begin(tmp_path)) == [True, False, True, True]


@pytest.mark.parametrize("left", list(powerset(["store-", "manifest.json", "done.jsonl"]))[:-1])
@pytest.mark.parametrize("resume", [True, False])
def test_remains_of_a_crash_between_two_steps_are_no_obstacle(tmp_path, left, resume):
    writer = begin(tmp_path)
    write(writer, BLOCKS[:2])
    for path in list(writer.unfinished.folder.iterdir()):
        if not path.name.startswith(tuple(left)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (writer.unfinished.folder / "manifest.json.partial").touch()
    # Of another model, too, where nothing is left that could be gone on with.
    begun = {"store-", "manifest.json"} <= set(left)
    again = begin(tmp_path, IDENTITY if begun else {"model": "b"}, resume=resume)
    write(again, BLOCKS)
    np.testing.assert_array_equal(finish(again.finish(CHANNELS)).values[:], VALUES)
    assert [path.name for path in tmp_path.iterdir()] == ["maps.zarr"]


def test_an_empty_manifest_counts_as_none(tmp_path):
    write(begin(tmp_path), BLOCKS[:1])
    (tmp_path / "maps.zarr.partial" / "manifest.json").write_text("")
    assert done_of(begin(tmp_path)) == [False] * 4


def test_values_lost_between_two_sessions_are_not_published(tmp_path):
    write(begin(tmp_path), BLOCKS)
    again = begin(tmp_path)
    with again.maps.file.open("r+b") as file:
        file.write(bytes(8))
    with pytest.raises(ValueError, match="12 of 24 positions have not been written"):
        finish(again.finish(CHANNELS))


def test_who_still_writes_what_was_begun_before_does_not_disturb_what_is_begun_anew(tmp_path):
    former = begin(tmp_path)
    newer = begin(tmp_path, resume=False)
    write(newer, BLOCKS)
    with pytest.raises(FileNotFoundError):
        former.maps.write(BLOCKS[0], np.zeros((3, *BLOCKS[0].shape)))
    np.testing.assert_array_equal(finish(newer.finish(CHANNELS)).values[:], VALUES)


def test_a_finish_that_was_stopped_is_done_again(tmp_path):
    writer = begin(tmp_path)
    write(writer, BLOCKS)
    stopped = writer.finish(CHANNELS)
    next(stopped)
    stopped.close()
    assert not is_map_store(tmp_path / "maps.zarr")
    again = begin(tmp_path)
    assert all(done_of(again))
    np.testing.assert_array_equal(finish(again.finish(CHANNELS)).values[:], VALUES)


def test_an_older_store_stays_until_the_new_one_is_finished(tmp_path):
    writer = begin(tmp_path)
    write(writer, BLOCKS)
    finish(writer.finish(CHANNELS))
    newer = begin(tmp_path, {"model": "b"})
    for block in BLOCKS:
        newer.confirm(block, newer.maps.write(block, np.zeros((3, *block.shape))))
    np.testing.assert_array_equal(read_maps(tmp_path / "maps.zarr").values[:], VALUES)
    finish(newer.finish(CHANNELS))
    assert not read_maps(tmp_path / "maps.zarr").values[:].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"identity": {"scan": {"crc32": [1, 3]}, "model": "a"}}, r"scan crc32 was \[1, 2\], now"),
        ({"identity": {"scan": {"crc32": [1, 2]}}}, "model was a, now None"),
        ({"shape": (3, 4, 7)}, "maps columns was 6, now 7"),
    ],
)
def test_maps_of_something_else_are_not_gone_on_with(tmp_path, change, message):
    write(begin(tmp_path), BLOCKS[:1])
    with pytest.raises(ResumeError, match=message):
        begin(tmp_path, **change)
    assert done_of(begin(tmp_path))[0]


def test_beginning_anew_forgets_what_was_begun(tmp_path):
    write(begin(tmp_path), BLOCKS[:1])
    assert done_of(begin(tmp_path, {"model": "b"}, resume=False)) == [False] * 4


def test_maps_with_gaps_are_not_finished(tmp_path):
    writer = begin(tmp_path)
    write(writer, BLOCKS[:1] + BLOCKS[2:])
    with pytest.raises(ValueError, match=r"6 of 24 positions.*the first at row 2, column 0"):
        finish(writer.finish(CHANNELS))


def test_what_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / "maps.zarr").mkdir()
    with pytest.raises(FileExistsError, match=r"maps\.zarr: this exists and is no map store"):
        begin(tmp_path)
    (tmp_path / "maps.zarr").rmdir()
    (tmp_path / "maps.zarr.partial").write_text("mine")
    with pytest.raises(FileExistsError, match="something else lies here"):
        begin(tmp_path)
    assert (tmp_path / "maps.zarr.partial").read_text() == "mine"


def test_unfinished_maps_say_that_they_are(tmp_path):
    write(begin(tmp_path), BLOCKS[:1])
    with pytest.raises(MapStoreError, match="this is not finished"):
        read_maps(tmp_path / "maps.zarr.partial")


def test_the_disk_keeps_up_while_blocks_come(tmp_path, monkeypatch):
    monkeypatch.setattr(block_writer, "_SYNC_BYTES", VALUES[:, :2].nbytes)
    synced = []
    monkeypatch.setattr(block_writer.BlockFile, "sync", lambda self: synced.append(True))
    writer = begin(tmp_path)
    counts = []
    for block in BLOCKS:  # of half the values, a quarter, and an eighth twice
        write(writer, [block])
        counts.append(len(synced))
    assert counts == [1, 1, 1, 2]


MEASURED, DERIVED = range(2), range(2, 3)


def test_writing_maps_of_maps_leaves_what_they_are_made_of_alone(tmp_path):
    writer = begin(tmp_path)
    for block in BLOCKS:
        measured = VALUES[MEASURED, block.rows, block.cols]
        writer.confirm(block, writer.maps.write(block, measured, MEASURED), MEASURED)
    # Killed before this is confirmed.
    writer.maps.write(BLOCKS[0], VALUES[DERIVED, :2], DERIVED)
    again = begin(tmp_path)
    assert all(again.is_done(block, MEASURED) for block in BLOCKS)
    assert not any(again.is_done(block, DERIVED) for block in BLOCKS)
    for block in BLOCKS[:3]:
        derived = VALUES[DERIVED, block.rows, block.cols]
        again.confirm(block, again.maps.write(block, derived, DERIVED), DERIVED)
    with pytest.raises(ValueError, match=r"2 of 24 positions.*row 3, column 4"):
        finish(again.finish(CHANNELS))
    last = BLOCKS[3]
    derived = VALUES[DERIVED, last.rows, last.cols]
    again.confirm(last, again.maps.write(last, derived, DERIVED), DERIVED)
    np.testing.assert_array_equal(finish(again.finish(CHANNELS)).values[:], VALUES)


def test_what_zarr_was_writing_when_it_was_killed_is_not_published(tmp_path):
    writer = begin(tmp_path)
    write(writer, BLOCKS)
    (store,) = writer.unfinished.folder.glob("store-*")
    for folder in (store, store / "0"):
        (folder / "zarr.0123abcd.partial").write_text("{")
    path = finish(begin(tmp_path).finish(CHANNELS)).path
    assert not list(path.rglob("*.partial"))


@pytest.mark.parametrize("moves", [1, 2])
def test_an_older_store_that_a_crash_left_beside_its_place_is_put_back(
    tmp_path, monkeypatch, moves
):
    writer = begin(tmp_path)
    write(writer, BLOCKS)
    finish(writer.finish(CHANNELS))
    newer = begin(tmp_path)
    write(newer, BLOCKS)
    snapshot = tmp_path / "snapshot"

    def move(source, target):
        done.append(target)
        source.replace(target)
        if len(done) == moves:
            shutil.copytree(tmp_path, snapshot)

    done = []
    monkeypatch.setattr(map_store, "move", move)
    finish(newer.finish(CHANNELS))
    monkeypatch.undo()
    assert len(list(snapshot.glob("*.former"))) == 1
    after = begin(snapshot)
    assert done_of(after) == [moves == 1] * 4  # After the second move all is done.
    assert is_map_store(snapshot / "maps.zarr")
    write(after, BLOCKS)
    np.testing.assert_array_equal(finish(after.finish(CHANNELS)).values[:], VALUES)
    assert [path.name for path in snapshot.iterdir()] == ["maps.zarr"]


def test_an_older_store_of_a_longer_name_is_left_alone(tmp_path):
    other = tmp_path / "maps.zarr.longer.0123abcd.former"
    other.mkdir()
    writer = begin(tmp_path)
    write(writer, BLOCKS)
    finish(writer.finish(CHANNELS))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["maps.zarr", other.name]


def test_what_a_system_leaves_in_a_folder_does_not_keep_a_job_from_going_on(tmp_path):
    write(begin(tmp_path), BLOCKS[:1])
    for name in (".DS_Store", ".nfs0000000000000001"):
        (tmp_path / "maps.zarr.partial" / name).touch()
    assert done_of(begin(tmp_path)) == [True, False, False, False]


def test_what_another_process_wrote_is_checked_in_the_end(tmp_path):
    writer = begin(tmp_path)
    write(writer, BLOCKS[1:])
    checksum = writer.maps.write(BLOCKS[0], VALUES[:, :2])
    writer.confirm(BLOCKS[0], checksum, elsewhere=True)
    # The file server has lost it.
    writer.maps.write(BLOCKS[0], np.zeros((3, 2, 6), np.float32))
    with pytest.raises(ValueError, match="12 of 24 positions have not been written yet"):
        finish(writer.finish(CHANNELS))
    writer = begin(tmp_path)
    assert done_of(writer) == [False, True, True, True]


def test_only_maps_of_the_same_version_are_gone_on_with(tmp_path, monkeypatch):
    write(begin(tmp_path), BLOCKS[:1])
    monkeypatch.setattr("napari_kikuchi.io.unfinished.__version__", "99.0")
    with pytest.raises(ResumeError, match=r"version was .*, now 99\.0"):
        begin(tmp_path)


def test_workers_in_other_folders_find_the_maps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    maps = MapWriter.open("maps.zarr", VALUES.shape, IDENTITY).maps
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for block in BLOCKS:
        maps.write(block, VALUES[:, block.rows, block.cols])
    np.testing.assert_array_equal(maps.read_map(0), VALUES[0])
