"""No two processes compile into one place."""

import json
import os
import subprocess
import sys

import pytest

VARIABLES = ("NUMBA_CACHE_DIR", "NUMBA_CACHE_LOCATOR_CLASSES", "NAPARI_KIKUCHI_COMPILED")
CODE = """
import json, os, subprocess, sys
from napari_kikuchi.compiled import own_compilation_cache
own_compilation_cache()
own_compilation_cache()
places = [os.environ.get("NAPARI_KIKUCHI_COMPILED")]
deeper = int(sys.argv[1]) - 1
if deeper:
    command = [sys.executable, *sys.orig_argv[1:-1], str(deeper)]
    places += json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
print(json.dumps(places))
"""


COMPILING = """
import os, pathlib, sys
if sys.argv[2] == "early":
    import numba
from napari_kikuchi.compiled import own_compilation_cache
own_compilation_cache(pathlib.Path(sys.argv[1]))
if sys.argv[2] == "moved":  # as PyEBSDIndex does
    os.environ["NUMBA_CACHE_DIR"] = sys.argv[1] + "/shared"
import compiled_here
assert compiled_here.twice(2) == 4
"""
COMPILED = """
import numba
@numba.njit(cache=True)
def twice(x):
    return 2 * x
"""


@pytest.fixture
def places(tmp_path):
    """Where a process, and those that it begins, keep what they compile."""

    def ask(processes, **environment):
        taken = dict.fromkeys(VARIABLES)
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


@pytest.mark.parametrize("when", ["first", "early", "moved"])
def test_compiled_functions_lie_there_whatever_others_do(tmp_path, when):
    (tmp_path / "compiled_here.py").write_text(COMPILED)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    for name in VARIABLES:
        environment.pop(name, None)
    subprocess.run(
        [sys.executable, "-c", COMPILING, str(tmp_path), when], env=environment, check=True
    )
    compiled = [path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*.nbi")]
    assert compiled == ["0"]


def test_a_place_that_was_given_stays(places, tmp_path):
    given = str(tmp_path / "given")
    assert places(2, NUMBA_CACHE_DIR=given) == [None, None]


@pytest.mark.skipif(sys.platform == "win32", reason="there another place is taken")
def test_where_none_can_be_taken_numba_does_as_it_always_does(places, tmp_path):
    (tmp_path / "napari-kikuchi" / "compiled" / "0.lock").mkdir(parents=True)
    assert places(2) == [None, None]
