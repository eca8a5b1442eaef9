"""The command line, run as a user and as the window run it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.cli.export import names_in
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.io.weights import read_model
from napari_kikuchi.samples import sample_folder, shipped_encoder

ADDITIVE = sample_folder() / "additive.up1"
QUICK = ["--patterns", "400", "--device", "cpu", "--threads", "1"]


@pytest.fixture
def run():
    def invoke(*arguments, code=0):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        return result

    return invoke


@pytest.fixture(scope="module")
def small_scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "small.up2"
    arguments = ["simulate", "additive", str(path), "--rows", "12", "--cols", "16", "--seed", "3"]
    result = CliRunner().invoke(app, [*arguments, "--device", "cpu"])
    assert result.exit_code == 0, result.output
    return path


def start(*arguments):
    """The child process that the window talks to."""
    return subprocess.Popen(
        [sys.executable, "-m", "napari_kikuchi", *map(str, arguments), "--events"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def events_of(output):
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def test_info_tells_a_program_what_a_scan_holds(run):
    told = json.loads(run("info", ADDITIVE, "--json").stdout)
    scan = open_scan(ADDITIVE)
    assert (told["rows"], told["columns"]) == scan.map_shape
    assert (told["pattern height"], told["pattern width"]) == scan.pattern_shape
    assert told["patterns"] == scan.count


def test_info_knows_models_and_maps(run, small_scan, tmp_path):
    assert json.loads(run("info", shipped_encoder(), "--json").stdout)["latent features"] == 32
    maps = tmp_path / "maps.zarr"
    run("encode", small_scan, "--linear", "--latent", 4, "--out", maps)
    told = json.loads(run("info", maps, "--json").stdout)
    # Contrast, reconstruction error and what neighbours tell come with the features.
    assert told["channels"] == 4 + 4
    assert len(told["first in rank"]) == 4 + 4


def test_a_broken_file_is_told_without_a_traceback(run, tmp_path):
    broken = tmp_path / "broken.up2"
    broken.write_bytes(b"not a pattern file")
    result = run("info", broken, code=1)
    assert "broken.up2" in result.stderr
    assert "Traceback" not in result.output


def test_simulated_scan_and_its_truth(small_scan):
    assert open_scan(small_scan).shape == (12, 16, 60, 60)
    truth = read_maps(small_scan.with_name("small.truth.zarr"))
    assert {"grain", "cell", "wall", "particle"} <= set(truth.names)


def test_a_model_that_does_not_know_the_patterns_is_told_of(run, small_scan, tmp_path):
    told = run("encode", small_scan, "--out", tmp_path / "shipped.zarr").output
    assert "does not know patterns like these" in told
    own = run("encode", small_scan, "--linear", "--out", tmp_path / "linear.zarr").output
    assert "does not know" not in own


def test_linear_maps_equal_those_of_the_encoder(run, small_scan, tmp_path):
    from napari_kikuchi.jobs import finish
    from napari_kikuchi.latent.encoder import load_encoder
    from napari_kikuchi.preprocess import prepare

    folder, maps = tmp_path / "model", tmp_path / "maps.zarr"
    run("train", small_scan, "--out", folder, "--linear", "--latent", 5)
    run("encode", small_scan, "--model", folder / "model.safetensors", "--out", maps)
    encoder = load_encoder(folder / "model.safetensors")
    scan = open_scan(small_scan)
    prepared = finish(prepare(scan, encoder.recipe))(scan.patterns.compute())
    expected = encoder.encode(prepared.reshape(-1, 60, 60)).T.reshape(5, 12, 16)
    np.testing.assert_allclose(np.asarray(read_maps(maps).values[:5]), expected, atol=1e-4)


def test_train_adapts_the_shipped_model_and_resumes(run, small_scan, tmp_path):
    folder = tmp_path / "run"
    adapt = ["train", small_scan, "--out", folder, "--init", shipped_encoder(), *QUICK]
    run(*adapt, "--epochs", 1)
    first = (folder / "model.safetensors").read_bytes()
    assert first
    assert "holds a training already" in run(*adapt, "--epochs", 2, code=1).stderr
    run(*adapt, "--epochs", 2, "--resume")
    steps = [json.loads(line)["step"] for line in (folder / "log.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)
    assert steps[-1] == 2 * steps[-2]


def test_the_objective_is_a_choice_that_the_model_tells_and_a_resumed_training_keeps(
    run, small_scan, tmp_path
):
    weights = ["--beta", 4, "--kl-warm-up", 7, "--likelihood", "unit"]
    command = ["train", small_scan, "--out", tmp_path, *weights, *QUICK]
    run(*command, "--objective", "contrastive", "--epochs", 1)
    settings = read_model(tmp_path / "model.safetensors").provenance["settings"]
    names = ("objective", "beta", "kl_warm_up", "likelihood")
    assert [settings[name] for name in names] == ["contrastive", 4, 7, "unit"]
    result = run(*command, "--objective", "vae", "--epochs", 2, "--resume", code=1)
    assert "objective was 'contrastive', is 'vae'" in result.stderr


def test_decode_writes_what_a_model_keeps_and_what_it_imagines(run, small_scan, tmp_path):
    out = tmp_path / "kept.up2"
    maps = tmp_path / "maps.zarr"
    run("encode", small_scan, "--out", maps)
    assert json.loads(run("decode", maps, "--out", out, "--json").stdout) == {"result": str(out)}
    assert open_scan(out).shape == (*open_scan(small_scan).map_shape, 60, 60)
    assert "this exists" in run("decode", maps, "--out", out, code=1).stderr
    imagined = tmp_path / "imagined.up1"
    run("decode", "--random", "3,4", "--model", shipped_encoder(), "--out", imagined)
    assert open_scan(imagined).shape == (3, 4, 60, 60)
    assert "--random" in run("decode", "--out", tmp_path / "a.up2", code=1).stderr
    assert "--model" in run("decode", "--random", "1,1", "--out", tmp_path / "a.up2", code=1).stderr


def test_maps_of_classical_methods_go_beside_the_scan(run, small_scan):
    told = json.loads(run("maps", small_scan, "--maps", "contrast,quality", "--json").stdout)
    assert told == {"result": str(small_scan.with_name("small.physics.zarr"))}
    assert read_maps(told["result"]).names == ["image quality (FFT)", "pattern contrast"]
    assert "leave out --tilt" in run("maps", small_scan, "--tilt", 60, code=1).stderr
    assert "leave out --grain" in run("maps", small_scan, "--grain-threshold", 2, code=1).stderr
    assert "not beauty" in run("maps", small_scan, "--maps", "beauty", code=1).stderr


def test_maps_count_within_the_mask_that_is_given(run, small_scan, tmp_path):
    mask = np.zeros((30, 30), bool)
    mask[:, :12] = True
    np.save(tmp_path / "mask.npy", mask)
    out, settings = tmp_path / "maps.zarr", ["--maps", "intensity", "--size", "30x30"]
    run("maps", small_scan, *settings, "--mask", tmp_path / "mask.npy", "--out", out)
    stack = read_maps(out)
    np.testing.assert_array_equal(stack.arrays["mask"], mask)
    patterns = np.asarray(open_scan(small_scan).patterns, np.float32)
    expected = patterns[..., :24].mean(axis=(2, 3))
    np.testing.assert_allclose(stack.map(0), expected, rtol=1e-5)


def test_indexing_takes_the_projection_centre_that_files_tell(run, tmp_path):
    scan = Path(shutil.copy(sample_folder() / "nickel_3x3.up2", tmp_path))
    assert "--pc X,Y,Z" in run("maps", scan, "--maps", "indexing", code=1).stderr
    ang = scan.with_suffix(".ang")
    ang.write_text("# x-star 0.42\n# y-star 0.78\n# z-star 0.5\n# GRID: SqrGrid\n# XSTEP: 1.5\n")
    ask = ["maps", scan, "--maps", "indexing", "--size", "60x60", "--out"]
    result = run(*ask, tmp_path / "told.zarr", "--tilt", 69)
    assert f"Projection centre of {ang}" in result.stderr.replace("\n", "")
    given = run(*ask, tmp_path / "given.zarr", "--pc", "0.42,0.22,0.5", "--tilt", 69)
    assert "Projection centre" not in given.stderr
    told, given = (read_maps(tmp_path / f"{name}.zarr") for name in ("told", "given"))
    assert told.provenance["indexing"]["convention"] == "edax"
    index = told.names.index("confidence")
    np.testing.assert_allclose(told.map(index), given.map(index), atol=1e-3)
    refused = run(*ask, tmp_path / "no.zarr", "--convention", "edax", code=1)
    assert "leave out --convention" in refused.stderr


def test_maps_are_exported_for_other_programs(run, small_scan, tmp_path):
    run("encode", small_scan, "--linear", "--latent", 3, "--out", tmp_path / "maps.zarr")
    run("maps", small_scan, "--maps", "quality", "--out", tmp_path / "physics.zarr")
    names = ["feature 3", "image quality (FFT)"]
    out = tmp_path / "maps.h5"
    ask = ["export", tmp_path / "maps.zarr", out, "--with", tmp_path / "physics.zarr"]
    told = json.loads(run(*ask, "--maps", ",".join(names), "--json").stdout)
    assert told == {"result": str(out)}
    with h5py.File(out) as file:
        assert list(file["maps"]) == names
        expected = read_maps(tmp_path / "maps.zarr")
        found = np.asarray(file["maps/feature 3"])
        np.testing.assert_array_equal(found, expected.map(expected.names.index("feature 3")))
    assert "is not overwritten" in run(*ask, code=1).stderr
    oriented = run("export", tmp_path / "maps.zarr", tmp_path / "scan.ang", code=1)
    assert "--maps indexing" in oriented.stderr
    assert not (tmp_path / "scan.ang").exists()


def test_names_with_commas_are_read_as_one():
    there = ["feature 1, contrast", "contrast", "feature 1", "a"]
    assert names_in("a, feature 1, contrast,contrast", there) == ["a", there[0], "contrast"]
    assert names_in("feature 1,a, b", there) == ["feature 1", "a", "b"]


def test_without_pyebsdindex_indexing_names_the_line_that_installs_it(run, small_scan, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyebsdindex", None)
    asked = ["maps", small_scan, "--maps", "indexing", "--pc", "0.42,0.22,0.5"]
    told = run(*asked, "--grain-threshold", 2, code=1).stderr
    line = 'Error Hough indexing needs PyEBSDIndex: pip install "napari-kikuchi[index]"'
    assert told.strip() == line  # and no traceback


def test_mismatched_scan_says_what_differs(run, small_scan, tmp_path):
    result = run("train", small_scan, "--out", tmp_path, "--preset", "published-16", *QUICK, code=1)
    assert "120 x 120" in result.stderr
    assert "60 x 60" in result.stderr


def test_events_lead_from_training_to_its_result(small_scan, tmp_path):
    with start(
        "train", small_scan, "--out", tmp_path, "--epochs", 1, "--watch", "0,6,0,8", *QUICK
    ) as child:
        events = events_of(child.stdout.read())  # its input stays open: the window is still there
    assert child.returncode == 0
    validated = [e for e in events if e["event"] == "training" and e["validation_loss"] is not None]
    assert validated[-1]["active_features"] <= validated[-1]["latent"] == 32
    assert np.load(validated[-1]["live"]).shape == (32, 6, 8)
    assert events[-1] == {"event": "done", "result": str(tmp_path / "model.safetensors")}


def test_a_window_that_is_gone_ends_the_training(small_scan, tmp_path):
    child = start("train", small_scan, "--out", tmp_path, "--epochs", 10_000, *QUICK)
    child.communicate(timeout=240)  # closes its input
    assert child.returncode == 3


def test_stop_on_request_keeps_model_and_checkpoint(small_scan, tmp_path):
    with start("train", small_scan, "--out", tmp_path, "--epochs", 10_000, *QUICK) as child:
        for line in child.stdout:
            event = json.loads(line)
            if event["event"] == "training" and event["validation_loss"] is not None:
                break
        child.stdin.write("stop\n")
        child.stdin.flush()
        rest = events_of(child.stdout.read())
    assert child.returncode == 3
    assert rest[-1]["event"] == "stopped"
    assert (tmp_path / "model.safetensors").exists()
    assert (tmp_path / "checkpoint.safetensors").exists()


def test_error_event_for_a_missing_scan(tmp_path):
    child = start("encode", tmp_path / "gone.up2", "--linear")
    output, _ = child.communicate(timeout=120)
    assert child.returncode == 1
    (event,) = events_of(output)
    assert event["event"] == "error"
    assert "gone.up2" in event["message"]


def test_a_linear_encoder_does_not_replace_the_model_of_a_training(run, small_scan, tmp_path):
    run("train", small_scan, "--out", tmp_path, "--epochs", 1, *QUICK)
    trained = (tmp_path / "model.safetensors").read_bytes()
    result = run("train", small_scan, "--out", tmp_path, "--linear", "--latent", 3, code=1)
    assert "holds the training of a network" in result.stderr
    assert (tmp_path / "model.safetensors").read_bytes() == trained


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--linear", "--epochs", 3, "--resume"], "leave out --epochs, --resume"),
        (["--init", shipped_encoder(), "--background", "none"], "leave out --background"),
    ],
)
def test_options_that_would_change_nothing_are_refused(run, small_scan, tmp_path, options, told):
    assert told in run("train", small_scan, "--out", tmp_path, *options, code=1).stderr


def test_what_is_no_mask_is_named(run, small_scan, tmp_path):
    (tmp_path / "mask.npy").write_text("no mask")
    for command in (["train", "--linear"], ["maps"]):
        arguments = [*command, small_scan, "--out", tmp_path / "made", "--mask"]
        told = run(*arguments, tmp_path / "mask.npy", code=1).stderr
        assert "mask.npy: expected a signal mask" in told
        np.save(tmp_path / "small.npy", np.ones((30, 30), bool))
        told = run(*arguments, tmp_path / "small.npy", code=1).stderr
        assert "mask has 30 x 30 pixels, but it bins patterns to 60 x 60" in told


def test_paths_are_told_as_they_are(run, small_scan, tmp_path):
    folder = tmp_path / ("a long folder name " * 5).strip() / "[red] welds [/old]"
    folder.mkdir(parents=True)
    scan = Path(shutil.copy(small_scan, folder / "[bold]1.up2"))
    told = run("encode", scan, "--linear", "--latent", 3).stderr
    assert str(folder / "[bold]1.linear-3.zarr") in told


def test_maps_in_a_folder_of_any_name_are_described(run, small_scan, tmp_path):
    run("encode", small_scan, "--linear", "--latent", 3, "--out", tmp_path / "maps")
    assert json.loads(run("info", tmp_path / "maps", "--json").stdout)["channels"] == 3 + 4
