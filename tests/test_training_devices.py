"""One training on several devices: processes that share every batch."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from napari_kikuchi.jobs import finish
from napari_kikuchi.training import TrainingData, train
from regression import RegressionTask, assert_same_files, files, settings

WINDOWS = sys.platform == "win32"
several_devices = pytest.mark.skipif(WINDOWS, reason="does not run on Windows")


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return TrainingData(
        rng.normal(size=(70, 3)).astype(np.float16), rng.normal(size=(20, 3)).astype(np.float32)
    )


def together(folder, devices, mode):
    """Run a training on several devices; what it told, once its last process has ended."""
    script = Path(__file__).with_name("together.py")
    command = [sys.executable, script, folder, str(devices), mode]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@several_devices
def test_two_devices_learn_what_one_does(tmp_path):
    for devices in (1, 2):
        assert together(tmp_path / str(devices), devices, "whole").returncode == 0
    one, two = (files(tmp_path / str(devices)) for devices in (1, 2))
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-4, atol=1e-6, err_msg=name)
    logs = [(tmp_path / devices / "log.jsonl").read_text() for devices in "12"]
    assert [log.count("\n") for log in logs] == [5, 5]  # the first device alone writes


@several_devices
def test_processes_that_torchrun_has_started_do_what_ours_do(tmp_path):
    script = Path(__file__).with_name("together.py")
    assert together(tmp_path / "ours", 2, "whole").returncode == 0
    started = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    told = subprocess.run(
        [*started, script, tmp_path / "theirs", "1", "whole"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert_same_files(tmp_path / "ours", tmp_path / "theirs")


@several_devices
def test_a_training_on_two_devices_is_stopped_and_resumed(tmp_path):
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    told = [
        together(folder, 2, mode)
        for folder, mode in ((whole, "whole"), (parted, "stopped"), (parted, "resumed"))
    ]
    assert [(one.returncode, one.stderr) for one in told] == [(0, "")] * 3
    assert_same_files(whole, parted)


@several_devices
def test_when_the_first_device_fails_the_others_end(tmp_path):
    told = together(tmp_path, 2, "failing")
    assert told.returncode == 1
    assert told.stderr.count("Traceback") == 1
    assert "no space left" in told.stderr


def test_more_devices_than_there_are_cannot_be_had(data, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match="Windows" if WINDOWS else "3 devices .* cuda has 2 here"):
        finish(train(RegressionTask(), data, settings(device="cuda", devices=3), tmp_path))


def test_a_batch_must_be_enough_for_all_devices(data, tmp_path):
    fabric = SimpleNamespace(device=torch.device("cpu"))
    workers = SimpleNamespace(count=3, first=True, fabric=fabric)
    with pytest.raises(ValueError, match="3 devices cannot share a batch of 2"):
        finish(train(RegressionTask(), data, settings(batch=2), tmp_path, workers=workers))
