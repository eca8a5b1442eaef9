import json
import sys
from pathlib import Path

import pytest

from napari_kikuchi.physics.indexing import HoughIndexing, check_indexing, read_phase

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
    indexing = HoughIndexing((0.5, 0.2, 0.6), phase="iron.cif").from_any_folder()
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
    settings = [HoughIndexing((0.5, 0.3, 0.6)).settings()]
    for name in ("a.cif", "b.cif"):
        (tmp_path / name).write_text(IRON)
        settings.append(HoughIndexing((0.5, 0.3, 0.6), phase=str(tmp_path / name)).settings())
    assert json.loads(json.dumps(settings)) == settings
    assert settings[0]["phase"]["lattice"] == [3.5236, 3.5236, 3.5236, 90, 90, 90]
    assert settings[1]["phase"]["lattice"] == [2.87, 2.87, 2.87, 90, 90, 90]


@pytest.mark.parametrize("distance", [0, -0.5, float("nan")])
def test_the_screen_stands_before_the_sample(distance):
    with pytest.raises(ValueError, match="distance z above 0"):
        HoughIndexing((0.5, 0.3, distance))


def test_a_missing_pyebsdindex_is_told_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyebsdindex", None)
    with pytest.raises(ImportError, match=r'pip install "napari-kikuchi\[index\]"'):
        check_indexing()
