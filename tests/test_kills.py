"""Every command killed at random moments, as benchmarks/kills.py does it more often."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "kills.py"


def test_killed_commands_go_on_to_what_they_would_have_made():
    asked = [sys.executable, SCRIPT, "--kills", "8", "--fresh", "0", "--rows", "24"]
    ended = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Every output is whole, and as never killed." in ended.stdout
    assert ended.stdout.count("| 2 |") >= 4  # of each command
