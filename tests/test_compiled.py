"""No two processes compile into one place."""

import json
import os
import subprocess
import sys

import pytest

CODE = """
import json, os, subprocess, sys
from napari_kikuchi.compiled import own_compilation_cache
own_compilation_cache()
own_compilation_cache()
places = [os.environ.get("NUMBA_CACHE_DIR")]
deeper = int(sys.argv[1]) - 1
if deeper:
    command = [sys.executable, *sys.orig_argv[1:-1], str(deeper)]
    places += json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
print(json.dumps(places))
"""


@pytest.fixture
def places(tmp_path):
    """Where a process, and those that it begins, keep what they compile."""

    def ask(processes, **environment):
        taken = dict.fromkeys(("NUMBA_CACHE_DIR", "NAPARI_KIKUCHI_COMPILED"))
        wanted = os.environ | {"XDG_CACHE_HOME": str(tmp_path)} | taken | environment
        done = subprocess.run(
            [sys.executable, "-c", CODE, str(processes)],
            env={name: value for name, value in wanted.items() if value is not None},
            stdout=subprocess.PIPE,
            check=True,
        )
        return json.loads(done.stdout)

    return ask


def test_each_process_has_its_own_and_the_next_ones_find_them_again(places):
    first = places(3)
    assert len(set(first)) == 3
    assert places(2) == first[:2]


def test_a_place_that_was_given_stays(places, tmp_path):
    given = str(tmp_path / "given")
    assert places(2, NUMBA_CACHE_DIR=given) == [given, given]


@pytest.mark.skipif(sys.platform == "win32", reason="there another place is taken")
def test_where_none_can_be_taken_numba_does_as_it_always_does(places, tmp_path):
    (tmp_path / "napari-kikuchi" / "compiled" / "0.lock").mkdir(parents=True)
    assert places(2) == [None, None]
