"""Files that others may have written: a few of what benchmarks/fuzz.py tries by the thousand."""

import numpy as np
import pytest
from formats import FORMATS
from trial import Trials

_MOST_BYTES = 200e6
_INPUTS = {
    "up2": 300,
    "stem": 200,
    "signals": 120,
    "maps": 120,
    "models": 150,
    "recipes": 100,
    "spots": 150,
    "libraries": 100,
    "crystals": 100,
}


@pytest.mark.parametrize("name", FORMATS)
def test_spoilt_files_give_a_result_or_an_error_that_names_them(name, tmp_path):
    trials = Trials(name, tmp_path)
    outcomes = [trials.run(seed) for seed in range(_INPUTS[name])]
    assert {one.seed: one.problem for one in outcomes if one.problem} == {}
    assert {one.seed: one.growth for one in outcomes if one.growth > _MOST_BYTES} == {}
    # Some of both: else nothing would be spoilt, or nothing used.
    assert 0.1 < np.mean([one.refused for one in outcomes]) < 0.9


def test_what_is_wrong_is_noticed(tmp_path, monkeypatch):
    trials = Trials("up2", tmp_path)
    kind = FORMATS["up2"]
    (refusal,) = kind.refusals

    def outcome(use):
        monkeypatch.setattr(kind, "use", use)
        return trials.run(0)

    def fail(error):
        raise error

    assert not outcome(lambda path: None).problem
    assert not outcome(lambda path: fail(refusal(f"{path}: is damaged"))).problem
    assert "does not name" in outcome(lambda path: fail(refusal("is damaged"))).problem
    assert "characters" in outcome(lambda path: fail(refusal(f"{path}{'x' * 9999}"))).problem
    assert "KeyError: 'a'" in outcome(lambda path: {}["a"]).problem
    assert outcome(lambda path: np.ones(2**25).sum()).growth > 2**27
    outside = tmp_path / "outside" / "new"
    assert "outside" in outcome(lambda path: outside.touch()).problem


@pytest.mark.parametrize("name", FORMATS)
def test_a_seed_makes_the_same_file_again(name, tmp_path):
    trials = Trials(name, tmp_path)
    for seed in range(5):
        made = []
        for place in ("one", "two"):
            (tmp_path / f"{seed}" / place).mkdir(parents=True)
            trials.make(seed, tmp_path / f"{seed}" / place)
            files = sorted((tmp_path / f"{seed}" / place).rglob("*"))
            made.append([file.read_bytes() for file in files if file.is_file()])
        assert made[0] == made[1]
