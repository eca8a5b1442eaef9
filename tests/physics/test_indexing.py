import json
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kikuchipy.detectors import EBSDDetector
from orix.quaternion.symmetry import Oh
from scipy.spatial.transform import Rotation

from napari_kikuchi.explore.misorientations import misorientation_angles
from napari_kikuchi.geometry import Convention, Geometry
from napari_kikuchi.physics.indexing import (
    HoughIndexing,
    check_indexing,
    index_patterns,
    read_phase,
)
from napari_kikuchi.simulate.master import nickel
from napari_kikuchi.simulate.render import render

IRON = """data_iron
_symmetry_Int_Tables_number 229
_symmetry_space_group_name_H-M 'I m -3 m'
_cell_length_a 2.87
_cell_length_b 2.87
_cell_length_c 2.87
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Fe1 Fe 0 0 0
"""
WITHOUT_SPACE_GROUP = "\n".join(line for line in IRON.splitlines() if "symmetry" not in line)
OPERATIONS = """
loop_
_symmetry_equiv_pos_as_xyz
'x,y,z'
'x+1/3,y,z'
"""


def test_a_phase_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("iron.cif").write_text(IRON)
    indexing = HoughIndexing(Geometry((0.5, 0.2, 0.6)), "iron.cif").from_any_folder()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert indexing.settings()["phase"]["space_group"] == 229


def test_a_phase_is_nickel_or_what_a_cif_file_says(tmp_path):
    nickel = read_phase("ni")
    assert (nickel.space_group.number, nickel.point_group.name) == (225, "m-3m")
    file = tmp_path / "iron.cif"
    file.write_text(IRON)
    iron = read_phase(str(file))
    assert iron.space_group.number == 229
    assert iron.structure.lattice.a == 2.87


@pytest.mark.parametrize(
    ("content", "error", "told"),
    [
        (None, FileNotFoundError, "path of a CIF file"),
        ("no crystal", ValueError, "expected a CIF file"),
        (WITHOUT_SPACE_GROUP, ValueError, "unknown space group"),
        (WITHOUT_SPACE_GROUP + OPERATIONS, ValueError, "_space_group_IT_number"),
    ],
)
def test_what_is_no_phase_is_named(tmp_path, content, error, told):
    file = tmp_path / "phase.cif"
    if content is not None:
        file.write_text(content)
    with pytest.raises(error, match=told) as raised:
        read_phase(str(file))
    assert str(file) in str(raised.value)


def test_settings_say_what_the_orientations_depend_on(tmp_path):
    geometry = Geometry((0.5, 0.3, 0.6), "edax", 69.5)
    settings = [HoughIndexing(geometry).settings()]
    for name in ("a.cif", "b.cif"):
        (tmp_path / name).write_text(IRON)
        settings.append(HoughIndexing(geometry, str(tmp_path / name)).settings())
    assert json.loads(json.dumps(settings)) == settings
    assert settings[0] == {
        "pc": [0.5, 0.3, 0.6],
        "convention": "edax",
        "sample_tilt": 69.5,
        "detector_tilt": 0.0,
        "phase": {
            "name": "ni",
            "space_group": 225,
            "lattice": [3.5236, 3.5236, 3.5236, 90, 90, 90],
        },
    }
    assert settings[1]["phase"]["lattice"] == [2.87, 2.87, 2.87, 90, 90, 90]


class _SeenError(Exception):
    """What kikuchipy is asked with."""


@given(
    st.sampled_from(get_args(Convention)),
    st.tuples(st.floats(-1, 2), st.floats(-1, 2), st.floats(0.05, 3)),
    st.tuples(st.integers(1, 400), st.integers(1, 400)),
)
def test_patterns_are_indexed_with_the_detector_of_the_geometry(convention, pc, shape):
    def see(detector, *_, **__):
        raise _SeenError(detector.pc_bruker().squeeze(), detector.tilt, detector.sample_tilt)

    geometry = Geometry(pc, convention, 68.5, -4.5)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(EBSDDetector, "get_indexer", see)
        with pytest.raises(_SeenError) as raised:
            index_patterns(np.zeros((1, *shape), np.float32), HoughIndexing(geometry))
    centre, *tilts = raised.value.args
    expected = geometry.detector(shape)
    np.testing.assert_allclose(centre, expected.pc, atol=1e-9)
    assert tilts == [expected.tilt, expected.sample_tilt]


@pytest.mark.parametrize("shape", [(60, 80), (80, 60)])
@pytest.mark.parametrize("convention", get_args(Convention))
def test_orientations_of_patterns_that_are_not_square_are_those_they_were_rendered_with(
    convention, shape
):
    geometry = Geometry((0.45, 0.6, 0.6), convention, 68.0, 4.0)
    truth = Rotation.random(4, random_state=5).as_quat(scalar_first=True)
    patterns = render(truth, nickel(), geometry.detector(shape), shape).numpy()
    found = index_patterns(patterns, HoughIndexing(geometry))
    assert misorientation_angles(found.quaternions, truth, Oh).max() < 1.5


def test_a_missing_pyebsdindex_is_told_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyebsdindex", None)
    with pytest.raises(ImportError, match=r'pip install "napari-kikuchi\[index\]"'):
        check_indexing()
