import pytest

from napari_kikuchi.devices import Launched, helps_another, launched, pick_device


def test_the_processor_is_always_there():
    assert pick_device("cpu") == "cpu"
    assert pick_device("auto") in ("cuda", "mps", "cpu")
    with pytest.raises(ValueError, match=r"device 'tpu' is not available to torch here; .*cpu"):
        pick_device("tpu")


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
