"""Simulating phases and learning from them as a user does it."""

import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.symmetry import adapted_to_scan, find_centre
from napari_kikuchi.symmetry import phase_library as under_test
from napari_kikuchi.symmetry.classes import CLASSES, SIX_GROUPS, class_of
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.known_phases import known_phases
from napari_kikuchi.symmetry.phase_library import open_library
from napari_kikuchi.symmetry.sector import NODES
from napari_kikuchi.symmetry.simulated_phase import SimulatedPhase
from napari_kikuchi.symmetry.summary import adaptation_told


def run(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Patterns that take no time; each group has its own."""

    def simulate(phase, seed):
        rng = np.random.default_rng([phase.space_group, seed % 2])
        values = rng.normal(size=NODES).astype(np.float32)
        return SimulatedPhase(values, -values, 20.0, class_of(phase.space_group), 0.0)

    monkeypatch.setattr(under_test, "simulate_phase", simulate)


def test_phases_are_simulated_and_learned_from(tmp_path):
    path, folder = tmp_path / "phases.zarr", tmp_path / "run"
    result = run("phases", path, "--per-group", 9, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["result"] == str(path)
    assert len(open_library(path)) == 9 * 6
    small = ["--minutes", 0.02, "--patterns", 2, "--width", 4, "--batch", 16, "--device", "cpu"]
    result = run("train-symmetry", path, "--out", folder, *small, "--json")
    assert result.exit_code == 0, result.output
    classifier = SymmetryClassifier.load(json.loads(result.stdout)["result"], "cpu")
    assert classifier.groups == SIX_GROUPS
    assert "right by 2" in classifier.provenance["metrics"]
    assert classifier.provenance["identity"]["lessons"][1]["known phases"] == 0
    known = tmp_path / "known.zarr"
    assert run("phases", known, "--groups", "known", "--per-group", 2).exit_code == 0
    result = run("train-symmetry", path, known, "--out", tmp_path / "known", *small, "--json")
    assert result.exit_code == 0, result.output
    classifier = SymmetryClassifier.load(json.loads(result.stdout)["result"], "cpu")
    common = [one for one in known_phases() if class_of(one.space_group) in SIX_GROUPS]
    assert classifier.provenance["identity"]["lessons"][0][0] == 9 * 6 + 2 * len(common)
    others = tmp_path / "others.zarr"
    assert run("phases", others, "--per-group", 2, "--groups", "others").exit_code == 0
    assert len(open_library(others)) == 2 * 30
    result = run("train-symmetry", path, others, "--out", tmp_path / "all", *small, "--json")
    assert result.exit_code == 0, result.output
    classifier = SymmetryClassifier.load(json.loads(result.stdout)["result"], "cpu")
    assert classifier.groups == tuple(CLASSES)
    # It is the best model there that is gone on with, not another.
    result = run("train-symmetry", path, "--out", folder, *small)
    assert result.exit_code == 1
    assert "run" in result.output


def test_what_is_missing_is_told(tmp_path):
    result = run("train-symmetry", tmp_path / "none.zarr", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "expected a library of phases" in result.output
    assert not (tmp_path / "run").exists()
    path = tmp_path / "few.zarr"
    assert run("phases", path, "--per-group", 1).exit_code == 0
    assert run("phases", path, "--per-group", 1, "--seed", 1).exit_code == 1


def test_a_scan_is_mapped(untrained, tmp_path):
    model, target = tmp_path / "model.safetensors", tmp_path / "maps.zarr"
    untrained.save(model)
    scan = sample_folder() / "wrought.up1"
    result = run("symmetry", scan, "--model", model, "--out", target, "--workers", 2)
    assert result.exit_code == 0, result.output
    assert "% " in result.output
    assert "Projection centre 0.420, 0.220, 0.500 of" in result.output
    stack = read_maps(target)
    assert stack.map_shape == (40, 48)
    assert stack.provenance["symmetry"]["groups"] == list(untrained.groups)
    assert "adapted" not in result.output
    few = tmp_path / "few.zarr"
    asked = ["--among", "229, 216", "--workers", 2]
    result = run("symmetry", scan, "--model", model, "--out", few, *asked)
    assert result.exit_code == 0, result.output
    assert read_maps(few).provenance["symmetry"]["groups"] == [225, 229]
    result = run("symmetry", scan, "--model", model, "--out", few, "--among", "194")
    assert result.exit_code == 1
    assert "195 to 230" in " ".join(result.output.split())
    result = run("symmetry", scan, "--model", tmp_path / "none.safetensors", "--out", target)
    assert result.exit_code == 1
    assert "none.safetensors" in result.output


def test_what_was_adapted_is_told_with_the_map(untrained, tmp_path, monkeypatch):
    monkeypatch.setattr(adapted_to_scan, "_DRAWN", 32)
    monkeypatch.setattr(adapted_to_scan, "_OF_PHASE", 1)
    model, target = tmp_path / "model.safetensors", tmp_path / "maps.zarr"
    untrained.save(model)
    scan = ("symmetry", sample_folder() / "wrought.up1", "--model", model, "--out", target)
    result = run(*scan, "--adapt", "--adapt-phases", tmp_path / "none.zarr")
    assert result.exit_code == 1
    assert "none.zarr" in result.output
    (tmp_path / "other").mkdir()
    result = run(*scan, "--adapt", "--adapt-phases", tmp_path / "other")
    assert result.exit_code == 1
    assert "expected a library of phases" in result.output
    result = run(*scan, "--adapt-method", "teacher")
    assert result.exit_code == 1
    assert "leave out --adapt-method" in result.output
    result = run(*scan, "--adapt", "--adapt-method", "teacher", "--workers", 2)
    assert result.exit_code == 0, result.output
    provenance = read_maps(target).provenance
    assert adaptation_told(provenance) in " ".join(result.output.split())
    told = provenance["symmetry"]["classifier"]["adapted"]
    assert "threads" not in told
    assert told["asked"]["method"] == "teacher"
    assert 24 <= told["patterns"] <= 32


def test_where_nothing_tells_the_projection_centre_it_is_found(untrained, tmp_path, monkeypatch):
    monkeypatch.setattr(find_centre, "_tried_centres", lambda: [(0.4, 0.2, 0.5)])
    model = tmp_path / "model.safetensors"
    untrained.save(model)
    scan = tmp_path / "scan.up1"
    shutil.copy(sample_folder() / "wrought.up1", scan)
    given = ("--shape", "40x48", "--model", model, "--out", tmp_path / "maps.zarr", "--tilt", 70)
    result = run("symmetry", scan, *given)
    assert result.exit_code == 0, result.output
    found = read_maps(tmp_path / "maps.zarr").provenance["symmetry"]["geometry"]["pc"]
    np.testing.assert_allclose(found, (0.42, 0.22, 0.5), atol=0.01)
