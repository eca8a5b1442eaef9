"""What goes wrong while a scan is mapped: nothing is lost, and the message says what to do."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
from typer.testing import CliRunner

from damaged import Damaged, damaged
from napari_kikuchi.cli.commands import app
from napari_kikuchi.file_state import ScanLostError
from napari_kikuchi.io import Up2Writer, open_scan
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.io.origin import unreadable_told
from napari_kikuchi.io.output import DiskFullError, OutputInUseError, sole_writer
from napari_kikuchi.io.weights import read_model
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.decode import random_scan, write_decoded
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.latent.maps import encode_scan
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Block, Scan
from napari_kikuchi.streaming import piecewise, write_block

ROWS, COLS = 24, 16
RECIPE = Recipe(size=(10, 10))
PATTERNS = np.random.default_rng(0).integers(100, 4000, (ROWS, COLS, 10, 10)).astype(np.uint16)
UNREADABLE = {(3, 5), (3, 6), (20, 0)}


@pytest.fixture
def scan_file(tmp_path):
    with Up2Writer(tmp_path / "weld.up2", (ROWS, COLS), (10, 10)) as file:
        file.append(PATTERNS)
    return tmp_path / "weld.up2"


@pytest.fixture(scope="module")
def encoder():
    return finish(fit_linear([Scan(ArraySource(PATTERNS))], RECIPE, latent=3))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr("napari_kikuchi.streaming._BLOCK_PATTERNS", 2 * COLS)


class TestUnreadablePatterns:
    def test_they_alone_are_missing_and_are_told(self, scan_file, encoder, tmp_path):
        whole = finish(encode_scan(open_scan(scan_file), encoder, tmp_path / "whole.zarr"))
        stack = finish(
            encode_scan(damaged(open_scan(scan_file), UNREADABLE), encoder, tmp_path / "maps.zarr")
        )
        missing = np.zeros((ROWS, COLS), bool)
        missing[tuple(np.transpose(sorted(UNREADABLE)))] = True
        # Maps of neighbours miss what lies beside, too.
        for channel in range(3):
            np.testing.assert_array_equal(np.isnan(stack.map(channel)), missing)
        # The background is a mean of fewer patterns.
        np.testing.assert_allclose(
            stack.map(0)[~missing], whole.map(0)[~missing], atol=0.02 * np.ptp(whole.map(0))
        )
        told = unreadable_told(read_maps(tmp_path / "maps.zarr"))
        assert "3 patterns could not be read" in told
        assert "row 3, columns 5 to 6; row 20, column 0" in told
        assert unreadable_told(whole) == ""

    def test_a_run_that_goes_on_tries_them_again(self, scan_file, encoder, tmp_path):
        job = encode_scan(
            damaged(open_scan(scan_file), UNREADABLE), encoder, tmp_path / "maps.zarr", workers=1
        )
        for update in job:
            if update.message == "Encoding patterns" and update.done == update.total:
                break
        job.close()
        read = []

        class Watched(Damaged):
            def read_run(self, row, start, stop, out=None):
                read.append(row)
                return super().read_run(row, start, stop, out)

        scan = open_scan(scan_file)
        once_more = replace(scan, source=Watched(scan.source, frozenset(UNREADABLE)))
        job = encode_scan(once_more, encoder, tmp_path / "maps.zarr")
        for update in job:
            if update.message == "Encoding patterns":
                read.clear()
                break
        stack = finish(job)
        assert set(read) == {2, 3, 20, 21}
        assert stack.provenance["unreadable"]["count"] == 3

    @pytest.mark.parametrize("background", ["exact", "sample"])
    def test_a_run_goes_on_with_the_background_that_it_began_with(
        self, scan_file, tmp_path, background
    ):
        encoder = finish(
            fit_linear([open_scan(scan_file)], replace(RECIPE, background=background), 3)
        )
        scan, path = open_scan(scan_file), tmp_path / "maps.zarr"
        job = encode_scan(damaged(scan, UNREADABLE), encoder, path, workers=1)
        for update in job:
            if update.message == "Encoding patterns" and update.done > ROWS * COLS // 2:
                break
        job.close()
        # The drive is well again.
        seen = []
        stack = finish(encode_scan(scan, encoder, path, workers=1), seen.append)
        assert "Averaging the static background" not in {update.message for update in seen}
        assert np.isfinite(stack.map(0)).all()
        assert "unreadable" not in stack.provenance
        anew = finish(encode_scan(scan, encoder, path, workers=1, resume=False), seen.append)
        assert "Averaging the static background" in {update.message for update in seen}
        np.testing.assert_allclose(stack.map(0), anew.map(0), atol=0.02 * np.ptp(anew.map(0)))

    @pytest.fixture
    def damaged_file(self, tmp_path):
        """A file in which the chunk of row 7 cannot be decompressed."""
        import h5py

        path = tmp_path / "weld.h5"
        with h5py.File(path, "w") as file:
            file["manufacturer"], file["version"] = "kikuchipy", "0.13"
            header = file.create_group("Scan 1/EBSD/Header")
            header["n_rows"], header["n_columns"] = ROWS, COLS
            header["pattern_height"] = header["pattern_width"] = 10
            stored = file.create_dataset(
                "Scan 1/EBSD/Data/patterns",
                data=PATTERNS.reshape(-1, 10, 10),
                chunks=(COLS, 10, 10),
                compression="gzip",
            )
            place = stored.id.get_chunk_info(7).byte_offset
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"\xff" * 64)
        return path

    def test_a_damaged_chunk_of_a_real_file(self, damaged_file, encoder, tmp_path):
        stack = finish(encode_scan(open_scan(damaged_file), encoder, tmp_path / "maps.zarr"))
        np.testing.assert_array_equal(np.isnan(stack.map(0)), np.indices((ROWS, COLS))[0] == 7)
        assert "16 patterns could not be read" in unreadable_told(stack)

    def test_a_training_goes_on_without_them_and_whoever_runs_it_is_told(
        self, damaged_file, tmp_path
    ):
        train = ["train", str(damaged_file), "--linear", "--latent", "3", "--size", "10x10"]
        told = CliRunner().invoke(app, [*train, "--out", str(tmp_path)])
        assert told.exit_code == 0, told.output
        assert "16 of 384 patterns could not be read" in told.output
        assert "row 7, columns 0 to 15" in told.output
        (scan,) = read_model(tmp_path / "model.safetensors").provenance["scans"]
        assert scan["patterns"] == ROWS * COLS - COLS
        assert scan["unreadable"] == {"count": COLS, "runs": [[7, 0, 15]]}


class TestScansThatChange:
    def begun(self, scan_file, encoder, path):
        """An encoding that has done something, but not all."""
        job = encode_scan(open_scan(scan_file), encoder, path, workers=1)
        for update in job:
            if update.message == "Encoding patterns" and update.done:
                assert update.done < update.total
                return job
        raise AssertionError("never began")

    def test_a_scan_that_vanishes_is_gone_on_with_when_it_is_back(
        self, scan_file, encoder, tmp_path
    ):
        expected = finish(encode_scan(open_scan(scan_file), encoder, tmp_path / "whole.zarr"))
        job = self.begun(scan_file, encoder, tmp_path / "maps.zarr")
        away = scan_file.rename(tmp_path / "away.up2")
        with pytest.raises(ScanLostError, match=r"weld.up2: is out of reach.*still connected"):
            finish(job)
        away.rename(scan_file)
        seen = []
        stack = finish(
            encode_scan(open_scan(scan_file), encoder, tmp_path / "maps.zarr"), seen.append
        )
        assert next(u.done for u in seen if u.message == "Encoding patterns") > 0
        np.testing.assert_array_equal(stack.values[:], expected.values[:])

    def test_a_scan_that_vanishes_ends_a_training(self, scan_file):
        job = fit_linear([open_scan(scan_file)], RECIPE, latent=3)
        for update in job:
            if update.message.startswith("Preparing"):
                break
        scan_file.unlink()
        with pytest.raises(ScanLostError, match=r"weld.up2: is out of reach"):
            finish(job)

    def test_a_scan_that_is_written_to_is_refused(self, scan_file, encoder, tmp_path):
        job = self.begun(scan_file, encoder, tmp_path / "maps.zarr")
        with scan_file.open("r+b") as file:
            file.seek(-10, os.SEEK_END)
            file.write(b"\0" * 10)
        os.utime(scan_file, ns=(1, 1))
        with pytest.raises(ScanLostError, match=r"weld.up2: was changed since it was opened"):
            finish(job)

    def test_a_block_that_was_read_while_something_wrote_does_not_count(self, scan_file, tmp_path):
        scan, path = open_scan(scan_file), tmp_path / "maps.zarr"
        whole = Block(slice(0, ROWS), slice(0, COLS))

        def means(patterns):
            os.utime(scan_file, ns=(1, 1))  # as whatever writes to the file does
            return patterns.mean(axis=(1, 2), dtype=np.float32)[:, None]

        writer = MapWriter.open(path, (1, ROWS, COLS), {})
        with pytest.raises(ScanLostError, match=r"weld.up2: was changed since it was opened"):
            write_block(scan, piecewise(means), writer.maps, range(1), whole)
        assert not writer.maps.read(whole).any()


class TestOneWriter:
    def test_a_second_job_on_the_same_output_is_refused(self, scan_file, encoder, tmp_path):
        scan, path = open_scan(scan_file), tmp_path / "maps.zarr"
        first = encode_scan(scan, encoder, path)
        next(first)
        with pytest.raises(OutputInUseError, match=r"maps.zarr: another job is writing this"):
            finish(encode_scan(scan, encoder, path))
        finish(encode_scan(scan, encoder, tmp_path / "others.zarr"))
        finish(first)
        finish(encode_scan(scan, encoder, path))  # It is free again.
        assert not list(tmp_path.glob("*.lock"))

    def test_so_it_is_between_processes_however_they_end(self, tmp_path):
        path = tmp_path / "run"
        code = (
            "import sys, time\nfrom napari_kikuchi.io.output import sole_writer\n"
            "with sole_writer(sys.argv[1]):\n    print('held', flush=True)\n    time.sleep(60)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout.readline() == "held\n"
            with pytest.raises(OutputInUseError) as caught, sole_writer(path):
                pass
            if sys.platform != "win32":
                assert f"(process {child.pid} on " in str(caught.value)
            child.kill()
            child.wait()
            with sole_writer(path):
                pass

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows always knows locks")
    def test_so_it_is_on_file_systems_without_locks(self, tmp_path):
        path = tmp_path / "run"
        code = (
            "import errno, fcntl, sys\n"
            "def no_locks(*_):\n    raise OSError(errno.ENOSYS, 'Function not implemented')\n"
            "fcntl.flock = no_locks\n"
            "from napari_kikuchi.io.output import sole_writer\n"
            "with sole_writer(sys.argv[1]):\n    print('held', flush=True)\n    sys.stdin.read()"
        )
        command = [sys.executable, "-W", "ignore", "-c", code, str(path)]

        def begin():
            pipe = subprocess.PIPE
            return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

        with begin() as first:
            assert first.stdout.readline() == "held\n"
            with begin() as second:
                _, told = second.communicate()
            assert f"another job is writing this ({first.pid} " in told
            assert f"If it runs no more, delete {path}.lock." in told
            first.kill()
            first.wait()
        with begin() as third:
            assert third.communicate()[0] == "held\n"
        assert not list(tmp_path.glob("*.lock"))


class TestFullDisks:
    def test_too_little_room_is_told_before_any_time_is_spent(self, tmp_path):
        most = shutil.disk_usage(tmp_path).free
        side = int(np.sqrt(most / 4)) + 1000
        with pytest.raises(DiskFullError, match=r"maps.zarr: needs [\d,]+ MB, but [\d,]+ MB are"):
            MapWriter.open(tmp_path / "maps.zarr", (1, side, side), {})

    def test_wherever_it_fills_up_the_output_can_be_gone_on_with(
        self, scan_file, encoder, tmp_path, small_disk
    ):
        expected = finish(encode_scan(open_scan(scan_file), encoder, tmp_path / "whole.zarr"))
        path = small_disk.folder / "maps.zarr"
        stack, refused = None, []
        # Page by page: each time another write finds no room.
        for kilobytes in range(4, 400, 4):
            small_disk.resize(kilobytes)
            try:
                stack = finish(encode_scan(open_scan(scan_file), encoder, path, workers=1))
                break
            except DiskFullError as error:
                refused.append(str(error))
                assert not path.exists()
        assert len(refused) >= 10
        assert all(str(path) in told and "room" in told for told in refused)
        assert stack is not None
        np.testing.assert_array_equal(stack.values[:], expected.values[:])

    def test_so_can_patterns_that_are_decoded(self, encoder, tmp_path, small_disk):
        scan = random_scan(encoder, (ROWS, COLS))
        expected = finish(write_decoded(tmp_path / "whole.up2", scan)).read_bytes()
        path = small_disk.folder / "patterns.up2"
        small_disk.resize(200)
        job = write_decoded(path, scan, workers=1)
        next(job)
        small_disk.resize(60)  # Others fill it meanwhile.
        seen = []
        with pytest.raises(DiskFullError, match=r"patterns.up2: the disk is full.* Make room"):
            finish(job, seen.append)
        assert not path.exists()
        small_disk.resize(200)
        again = write_decoded(path, scan)
        assert next(again).done >= seen[-1].done > 0
        assert finish(again).read_bytes() == expected

    def test_too_little_room_for_patterns_is_told_before_any_is_decoded(self, encoder, small_disk):
        small_disk.resize(60)
        job = write_decoded(small_disk.folder / "patterns.up2", random_scan(encoder, (ROWS, COLS)))
        with pytest.raises(DiskFullError, match=r"patterns.up2: needs 0 MB, but 0 MB are free"):
            next(job)


@dataclass
class SmallDisk:
    folder: object

    def resize(self, kilobytes):
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", self.folder], check=True)


@pytest.fixture
def small_disk(tmp_path):
    """A disk in memory whose size can be set."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = sys.platform == "linux" and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", folder], check=False
    )
    if not made or made.returncode:
        pytest.skip("needs to mount a file system, which root may do on Linux")
    yield SmallDisk(folder)
    subprocess.run(["umount", folder], check=True)
