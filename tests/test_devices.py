import pytest
import torch

from napari_kikuchi.devices import (
    DeviceMemoryError,
    Launched,
    helps_another,
    launched,
    memory_told,
    pick_device,
)


def test_the_processor_is_always_there():
    assert pick_device("cpu") == "cpu"
    assert pick_device("auto") in ("cuda", "mps", "cpu")
    with pytest.raises(ValueError, match=r"device 'tpu' is not available to torch here; .*cpu"):
        pick_device("tpu")


def test_a_device_without_memory_says_what_to_do():
    with pytest.raises(DeviceMemoryError) as told, memory_told("cpu", "to train", "wait"):
        torch.empty(10**15)
    expected = "cpu has too little memory to train. Close other programs that use it or wait."
    assert str(told.value) == expected
    told = pytest.raises(DeviceMemoryError, match=r"use it, choose another device .* or wait\.")
    with told, memory_told("cuda", "to train", "wait"):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")


def test_other_errors_of_torch_stay_as_they_are():
    with pytest.raises(RuntimeError, match="must match"), memory_told("cpu", "to train", "wait"):
        torch.ones(2) + torch.ones(3)


# What the launchers put into the environment of the process with rank 5 of 2 nodes with 4 devices.
TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "none",
    "RANK": "5",
    "LOCAL_RANK": "1",
    "WORLD_SIZE": "8",
    "LOCAL_WORLD_SIZE": "4",
}
BATCH = {"SLURM_NTASKS": "8", "SLURM_NNODES": "2", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}
SRUN = BATCH | {
    "SLURM_STEP_NUM_TASKS": "8",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        (TORCHRUN, Launched("torchrun", 5, 4, 2)),
        (SRUN, Launched("slurm", 5, 4, 2)),
        # The script that calls srun, and a step of one task, as for the workers of a cluster.
        (BATCH, None),
        (SRUN | {"SLURM_STEP_NUM_TASKS": "1", "SLURM_STEP_NUM_NODES": "1"}, None),
    ],
)
def test_what_a_launcher_has_started_is_known(monkeypatch, environment, expected):
    for name in {*TORCHRUN, *SRUN}:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert launched() == expected
    assert helps_another() == (expected is not None)
