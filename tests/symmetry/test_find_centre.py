"""Where a screen may stand, and that a pattern tells it."""

import numpy as np

from napari_kikuchi.jobs import finish
from napari_kikuchi.symmetry import find_centre as centres
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.find_centre import find_centre
from napari_kikuchi.symmetry.recorded import Conditions, record
from napari_kikuchi.symmetry.references import References
from napari_kikuchi.symmetry.sector import standardised


def test_near_every_place_of_a_screen_a_centre_is_tried():
    tried = np.array(centres._tried_centres())
    assert len(np.unique(tried, axis=0)) == len(tried)
    rng = np.random.default_rng(0)
    for x, y, z in rng.uniform((0.35, 0.05, 0.37), (0.65, 0.95, 1.35), (500, 3)):
        ratio = np.abs(np.log(tried[:, 2] / z))
        level = tried[ratio <= ratio.min() + 1e-9]
        # From 0.05 on near screens; four times as far where it is seen under half the angle.
        within = 0.05 * max(1, level[0, 2] / 0.5) ** 2 + 1e-4
        assert (np.abs(level[:, :2] - (x, y)).max(axis=1) <= within).any()
        assert ratio.min() < 0.12


def test_one_pattern_tells_where_a_far_screen_stood(monkeypatch):
    """Farther from all centres that are tried than most places are."""
    truth = (0.62, 0.335, 0.956)
    references = References.shipped()
    silicon = standardised(references.masters[1, list(references.names).index("Si")])
    conditions = Conditions((64, 64), *((one, one) for one in truth), noise=(0.01, 0.01))
    recorded = record(silicon, 1, conditions, np.random.default_rng(41))
    tried = [one for one in centres._tried_centres() if one[2] > 0.8]
    monkeypatch.setattr(centres, "_tried_centres", lambda: tried)
    modes = SymmetryClassifier.shipped().modes
    found = finish(find_centre(recorded.patterns, np.ones((64, 64), bool), modes))
    np.testing.assert_allclose(found.geometry.pc, truth, atol=0.015)
    assert found.explained > 0.8
