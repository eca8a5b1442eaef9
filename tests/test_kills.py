"""Every command killed at random moments, as benchmarks/kills.py does it more often."""

import json
import subprocess
import sys
from pathlib import Path

import psutil

from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.decode import random_scan, write_decoded
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.samples import shipped_encoder

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "kills.py"


def test_killed_commands_go_on_to_what_they_would_have_made():
    asked = [sys.executable, SCRIPT, "--kills", "12", "--fresh", "0", "--rows", "24"]
    ended = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Every output is whole, and as never killed." in ended.stdout
    assert ended.stdout.count("| 2 |") >= 6  # of each command


def test_of_a_killed_command_with_workers_nothing_is_left(tmp_path):
    """What benchmarks/kills.py --workers does at any moment, at one."""
    shape, out = (50, 128), tmp_path / "imagined.up2"
    asked = [sys.executable, "-m", "napari_kikuchi", "decode", "--random", "50,128", "--events"]
    asked += ["--model", shipped_encoder(), "--out", out, "--scheduler", "local", "--workers", "2"]
    with subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        for line in run.stdout:
            update = json.loads(line)
            if update.get("done"):
                break
        workers = psutil.Process(run.pid).children(recursive=True)
        run.kill()
    assert update["done"] < update["total"]
    assert len(workers) >= 2
    # Nobody ends them; what they still write is no harm to who goes on at once.
    scan = random_scan(load_encoder(shipped_encoder(), device="cpu"), shape)
    seen = []
    finish(write_decoded(out, scan), seen.append)
    assert seen[0].done >= update["done"]
    whole = finish(write_decoded(tmp_path / "whole.up2", scan))
    assert out.read_bytes() == whole.read_bytes()
    assert psutil.wait_procs(workers, timeout=30)[1] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["imagined.up2", "whole.up2"]
