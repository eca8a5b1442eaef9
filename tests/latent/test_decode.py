"""Patterns decoded from the maps of a scan, and from features drawn at random."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from napari_kikuchi import streaming
from napari_kikuchi.io import open_scan, write_scan
from napari_kikuchi.io.journal import ResumeError
from napari_kikuchi.io.map_store import MapStoreError
from napari_kikuchi.io.output import OutputInUseError
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.decode import random_scan, reconstructed_scan, write_decoded
from napari_kikuchi.latent.linear import fit_linear
from napari_kikuchi.latent.maps import encode_scan
from napari_kikuchi.preprocess import prepare
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Block


@pytest.fixture(scope="module")
def scan(make_scan):
    return make_scan(rows=5, cols=7, corner=3, noise=1)


@pytest.fixture(scope="module")
def encoder(scan):
    return finish(fit_linear([scan], Recipe(size=(12, 12)), latent=6))


@pytest.fixture(scope="module")
def maps(scan, encoder, tmp_path_factory):
    path = tmp_path_factory.mktemp("maps") / "maps.zarr"
    finish(encode_scan(scan, encoder, path))
    return path


def everything(scan):
    rows, cols = scan.map_shape
    return scan.read_block(Block(slice(0, rows), slice(0, cols)))


def expected(scan, encoder, most):
    prepared = finish(prepare(scan, encoder.recipe))(everything(scan))
    decoded = encoder.decode(encoder.encode(prepared.reshape(-1, 12, 12)))
    levels = (np.clip(decoded, -1, 1) + 1) / 2 * most * encoder.recipe.mask
    return levels.reshape(5, 7, 12, 12)


@pytest.mark.parametrize(("name", "most"), [("r.up1", 255), ("r.up2", 65535)])
def test_a_scan_is_reconstructed_from_its_maps_into_a_file(
    scan, encoder, maps, tmp_path, name, most
):
    dtype = {255: np.uint8, 65535: np.uint16}[most]
    finish(write_scan(tmp_path / name, reconstructed_scan(maps, encoder, dtype=dtype)))
    again = open_scan(tmp_path / name)
    assert again.shape == (5, 7, 12, 12)
    found = everything(again).astype(float)
    # Half a level of rounding, and the float32 of the maps.
    np.testing.assert_allclose(found, expected(scan, encoder, most), atol=0.5 + 1e-5 * most)
    assert (found[..., ~encoder.recipe.mask] == 0).all()


class Counting:
    """An encoder that counts the patterns it decodes."""

    def __init__(self, encoder):
        self.encoder, self.decoded = encoder, []

    def __getattr__(self, name):
        return getattr(self.encoder, name)

    def decode(self, features):
        self.decoded.append(len(features))
        return self.encoder.decode(features)


def test_patterns_are_decoded_when_they_are_read(encoder, maps):
    counting = Counting(encoder)
    lazy = reconstructed_scan(maps, counting)
    assert counting.decoded == []
    pattern = lazy.read(3, 4)
    assert counting.decoded == [1]
    np.testing.assert_array_equal(pattern, everything(reconstructed_scan(maps, encoder))[3, 4])


def test_positions_without_a_pattern_stay_without(scan, encoder, tmp_path):
    present = np.ones(scan.map_shape, bool)
    present[4, 2:] = False
    finish(encode_scan(replace(scan, present=present), encoder, tmp_path / "maps.zarr"))
    again = reconstructed_scan(tmp_path / "maps.zarr", encoder)
    np.testing.assert_array_equal(again.present, present)
    patterns = everything(again)
    assert (patterns[~present] == 0).all()
    assert patterns[present].any(axis=(1, 2)).all()


@pytest.mark.parametrize("latent", [4, 6])
def test_maps_of_another_model_are_refused(scan, maps, latent):
    other = finish(fit_linear([scan], Recipe(size=(12, 12)), latent=latent, sample=20))
    with pytest.raises(
        MapStoreError, match=r"expected features of this encoder .* another made \(linear, 6"
    ):
        reconstructed_scan(maps, other)


def test_random_patterns_are_those_of_the_unit_normal(encoder):
    scan = random_scan(encoder, (30, 50), seed=5)
    whole = everything(scan)
    np.testing.assert_array_equal(scan.read(7, 9), whole[7, 9])
    np.testing.assert_array_equal(everything(random_scan(encoder, (30, 50), seed=5)), whole)
    assert (everything(random_scan(encoder, (30, 50), seed=6)) != whole).any()
    # Features of a linear encoder can be found again where nothing was clipped.
    features = np.concatenate(
        [
            scan.source.features.read(Block(slice(r, r + 1), slice(0, 50))).reshape(6, -1)
            for r in range(30)
        ],
        axis=1,
    )
    np.testing.assert_allclose(features.mean(axis=1), 0, atol=0.1)
    np.testing.assert_allclose(np.cov(features), np.eye(6), atol=0.12)
    assert scan.name == "random"


def decode(maps, encoder, out, report=None, **options):
    finish(write_decoded(out, reconstructed_scan(maps, encoder), **options), report)
    return out.read_bytes()


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(streaming, "_BLOCK_PATTERNS", 3)  # 7 columns: blocks of 3, 3 and 1


@pytest.mark.parametrize("workers", [1, 3])
def test_decoded_patterns_are_those_of_the_scan(encoder, maps, tmp_path, small_blocks, workers):
    expected = everything(reconstructed_scan(maps, encoder))
    seen = []
    decode(maps, encoder, tmp_path / "r.up2", seen.append, workers=workers)
    np.testing.assert_array_equal(everything(open_scan(tmp_path / "r.up2")), expected)
    done = [update.done for update in seen]
    assert done[0] == 0
    assert done == sorted(done)
    assert (done[-1], seen[-1].total) == (35, 35)
    assert [path.name for path in tmp_path.iterdir()] == ["r.up2"]


def kill_after(maps, encoder, folder, patterns):
    """What lies on the disk when so many patterns are decoded, and how many they are."""
    out = folder / "killed" / "r.up2"
    out.parent.mkdir()
    job = write_decoded(out, reconstructed_scan(maps, encoder), workers=2)
    while (done := next(job).done) < patterns:
        pass
    shutil.copytree(out.parent, folder / "left")
    job.close()
    assert not out.exists()
    return folder / "left" / "r.up2", done


@pytest.mark.parametrize("patterns", [0, 3, 7, 34, 35])
def test_a_killed_decoding_goes_on_where_it_stopped(
    encoder, maps, tmp_path, small_blocks, patterns
):
    whole = decode(maps, encoder, tmp_path / "whole.up2")
    out, done = kill_after(maps, encoder, tmp_path, patterns)
    seen, counting = [], Counting(encoder)
    assert decode(maps, counting, out, seen.append) == whole
    assert seen[0].done == done
    assert sum(counting.decoded) == 35 - done
    assert [path.name for path in out.parent.iterdir()] == ["r.up2"]


@pytest.mark.parametrize("lost", ["pattern", "line", "journal", "manifest", "file", "end of file"])
def test_what_did_not_reach_the_disk_is_decoded_again(encoder, maps, tmp_path, small_blocks, lost):
    whole = decode(maps, encoder, tmp_path / "whole.up2")
    out, done = kill_after(maps, encoder, tmp_path, 10)
    folder = out.with_name("r.up2.partial")
    journal = folder / "done.jsonl"
    (patterns,) = folder.glob("store-*")
    _, _, top, _, left, right, _ = json.loads(journal.read_text().splitlines()[-1])
    kept = 0
    match lost:
        case "pattern":
            content = bytearray(patterns.read_bytes())
            content[42 + (top * 7 + left) * 12 * 12 * 2 + 12 * 12] ^= 1
            patterns.write_bytes(content)
            kept = done - (right - left)
        case "line":
            journal.write_text(journal.read_text()[:-3])
            kept = done - (right - left)
        case "journal":
            journal.unlink()
        case "manifest":
            (folder / "manifest.json").write_text("{")
        case "file":
            patterns.unlink()
        case "end of file":
            patterns.write_bytes(patterns.read_bytes()[:-1])
    seen = []
    assert decode(maps, encoder, out, seen.append) == whole
    assert seen[0].done == kept


def test_only_the_same_patterns_are_gone_on_with(encoder, maps, tmp_path, small_blocks):
    out, _ = kill_after(maps, encoder, tmp_path, 10)
    other = random_scan(encoder, (5, 7))
    with pytest.raises(ResumeError, match=r"unfinished patterns .* features was .*, now .*Begin"):
        finish(write_decoded(out, other))
    seen = []
    finish(write_decoded(out, other, resume=False), seen.append)
    assert seen[0].done == 0
    # Of how many patterns at a time are decoded the last bit depends.
    found, expected = (everything(scan).astype(int) for scan in (open_scan(out), other))
    np.testing.assert_allclose(found, expected, atol=1)


def test_two_decodings_of_one_file_are_never_at_work(encoder, maps, tmp_path, small_blocks):
    first = write_decoded(tmp_path / "r.up2", reconstructed_scan(maps, encoder))
    next(first)
    with pytest.raises(OutputInUseError, match=r"r.up2: another job is writing this"):
        decode(maps, encoder, tmp_path / "r.up2")
    finish(first)
    assert [path.name for path in tmp_path.iterdir()] == ["r.up2"]
