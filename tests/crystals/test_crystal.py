"""Crystals against diffsims, orix and the rules of the textbooks."""

import json
import os
import re
from dataclasses import replace

import numpy as np
import pytest
from diffsims.crystallography import ReciprocalLatticeVector
from diffsims.structure_factor import get_atomic_scattering_parameters
from diffsims.utils.sim_utils import get_kinematical_intensities, get_scattering_params_dict

from cif_files import (
    ACROSS_A,
    IRON,
    OTHER_SETTING,
    RHOMBOHEDRAL_AXES,
    TRICLINIC,
    ZINC_BLENDE,
    ZIRCONIA,
    write_cif,
)
from napari_kikuchi.crystals.crystal import (
    Crystal,
    CrystalFileError,
    built_in_crystals,
    open_crystal,
)
from napari_kikuchi.io.indexed import laue_group


@pytest.fixture
def iron_file(tmp_path):
    return write_cif(tmp_path / "iron.cif", **IRON)


@pytest.mark.parametrize("name", built_in_crystals())
def test_structure_factors_are_those_of_diffsims(name):
    crystal = Crystal.built_in(name)
    reflections = crystal.reflections(2.0)
    expected = get_kinematical_intensities(
        crystal.phase.structure,
        reflections.hkl,
        np.linalg.norm(reflections.vectors, axis=1),
        debye_waller_factors={crystal.elements[0]: crystal.debye_waller[0]},
    )
    np.testing.assert_allclose(abs(reflections.structure_factors) ** 2, expected, rtol=1e-9)


def test_scattering_factors_are_near_those_of_another_table():
    """Doyle and Turner fitted them anew: f(s) is the sum of a exp(-b s²), s = g / 2."""
    copper = Crystal.built_in("cu")
    a, b = get_atomic_scattering_parameters("Cu")
    reflections = copper.reflections(1.5)
    squared = (reflections.vectors**2).sum(axis=1)
    factors = (a * np.exp(-b * squared[:, None] / 4)).sum(axis=1) * np.exp(-0.55 * squared / 4)
    np.testing.assert_allclose(abs(reflections.structure_factors), 4 * factors, rtol=0.02)


@pytest.mark.parametrize("name", built_in_crystals())
def test_reflections_are_those_that_the_extinction_rules_leave(name):
    hkl = np.mgrid[-12:13, -12:13, -12:13].reshape(3, -1)
    odd = hkl % 2 == 1
    allowed = {
        225: odd.all(axis=0) | ~odd.any(axis=0),
        229: hkl.sum(axis=0) % 2 == 0,
        194: ((hkl[0] + 2 * hkl[1]) % 3 != 0) | ~odd[2],
    }
    crystal = Crystal.built_in(name)
    lengths = np.linalg.norm(hkl.T @ crystal.reciprocal_base, axis=1)
    rule = allowed[crystal.phase.space_group.number]
    expected = hkl[:, rule & (lengths > 0) & (lengths <= 2.0)].T
    found = crystal.reflections(2.0).hkl
    assert set(map(tuple, found)) == set(map(tuple, expected))
    assert len(found) == len(expected)


def test_vectors_are_in_the_axes_of_orix(triclinic):
    reflections = triclinic.reflections(0.8)
    expected = ReciprocalLatticeVector(triclinic.phase, hkl=reflections.hkl)
    np.testing.assert_allclose(reflections.vectors, expected.data, atol=1e-12)
    lengths = np.linalg.norm(reflections.vectors, axis=1)
    assert (np.diff(lengths) > -1e-12).all()


def test_reflections_of_an_oblique_cell_are_complete(triclinic):
    hkl = np.mgrid[-12:13, -12:13, -12:13].reshape(3, -1).T
    lengths = np.linalg.norm(hkl @ triclinic.reciprocal_base, axis=1)
    assert len(triclinic.reflections(0.8)) == ((lengths > 0) & (lengths <= 0.8)).sum()


@pytest.mark.parametrize("which", ["zinc_blende", "triclinic"])
def test_potential_is_highest_at_the_atoms(which, request):
    """Tells the crystal from its inverse, and fails if the atoms stand in another lattice."""
    crystal = request.getfixturevalue(which)
    reflections = crystal.reflections(2.0)
    grid = np.stack(np.mgrid[0:1:0.1, 0:1:0.1, 0:1:0.1], axis=-1).reshape(-1, 3)
    places = np.concatenate([crystal.positions, grid])
    waves = np.exp(2j * np.pi * places @ reflections.hkl.T)
    potential = (waves @ reflections.structure_factors).real
    at_atoms, elsewhere = np.split(potential, [len(crystal.positions)])
    heavy = np.isin(crystal.elements, ["Zn", "Cu"])
    assert at_atoms[heavy].min() >= elsewhere.max() * 0.999
    assert at_atoms[~heavy].min() > np.percentile(elsewhere, 97)


def test_crystal_from_a_file_is_the_built_in_one(iron_file):
    built_in, read = Crystal.built_in("Fe"), open_crystal(iron_file)
    assert read.name == "iron"
    assert read.laue_group.name == "m-3m"
    assert read.volume == pytest.approx(2.866**3)
    one, other = built_in.reflections(1.5), read.reflections(1.5)
    np.testing.assert_array_equal(one.hkl, other.hkl)
    np.testing.assert_allclose(one.structure_factors, other.structure_factors)


@pytest.mark.parametrize("name", ["a b.cif", "c:iron.CIF", "Öl 100%.cif"])
def test_file_may_be_named_by_any_text(tmp_path, name):
    if ":" in name and os.name == "nt":
        pytest.skip("Windows has no such names")
    path = write_cif(tmp_path / name, **IRON)
    assert len(open_crystal(str(path)).elements) == 2


@pytest.mark.parametrize(("cell", "operators"), [(ZIRCONIA, 2), (ACROSS_A, 6)])
def test_symmetry_stands_about_the_axes_that_the_cell_has(tmp_path, cell, operators):
    """Of the two, orix has the twofold axes elsewhere."""
    crystal = Crystal.from_cif(write_cif(tmp_path / "crystal.cif", **cell))
    rotations = crystal.laue_group.laue_proper_subgroup.to_matrix()
    assert len(rotations) == operators
    reflections = crystal.reflections(1.0)
    strengths = {
        tuple(hkl): abs(f)
        for hkl, f in zip(reflections.hkl, reflections.structure_factors, strict=True)
    }
    for rotation in rotations:
        turned = reflections.vectors @ rotation.T @ np.linalg.inv(crystal.reciprocal_base)
        equivalent = [strengths[tuple(hkl)] for hkl in np.rint(turned).astype(int)]
        np.testing.assert_allclose(equivalent, list(strengths.values()), rtol=1e-6)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: "", "expected a CIF file"),
        (lambda text: "no CIF at all", "expected a CIF file"),
        (lambda text: text.replace("_cell_length_a 2.866\n", ""), "cell with lengths from 2"),
        (lambda text: text.replace("2.866", "0.2866"), "cell with lengths from 2"),
        (lambda text: text.replace("2.866", "many"), "expected a CIF file"),
        (lambda text: text.replace("Fe3+", "Xx"), "found Xx"),
        (lambda text: text.split("loop_")[0], "expected a CIF file"),
        (lambda text: text.replace("I m -3 m", "?").replace("229", "999"), "space group"),
        (lambda text: text.replace("_length_c 2.866", "_length_c 3.1"), "standard setting"),
        (lambda text: re.sub("_symmetry.*\n", "", text), "space group"),
        (lambda text: text.replace("229", "227"), "number 229 of the space group .* found 227"),
        (lambda text: text.replace("I m -3 m", "I m -3 m :2"), "setting of the space group"),
        (lambda text: text.replace("I m -3 m", "P n m").replace("229", "62"), "setting of the"),
    ],
)
def test_spoilt_file_is_named(iron_file, spoil, said):
    iron_file.write_text(spoil(iron_file.read_text()))
    with pytest.raises(CrystalFileError, match=said) as raised:
        Crystal.from_cif(iron_file)
    assert str(iron_file) in str(raised.value)


def test_cell_in_rhombohedral_axes_is_refused(tmp_path):
    path = write_cif(tmp_path / "Bi.cif", **RHOMBOHEDRAL_AXES)
    with pytest.raises(CrystalFileError, match="hexagonal axes for rhombohedral"):
        Crystal.from_cif(path)


def test_file_of_a_size_that_no_crystal_needs_is_refused(tmp_path):
    path = tmp_path / "large.cif"
    with path.open("wb") as file:
        file.truncate(2**24)
    with pytest.raises(CrystalFileError, match=r"large\.cif: expected a CIF file of at most"):
        Crystal.from_cif(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.cif"):
        open_crystal(tmp_path / "none.cif")


def test_unknown_name_tells_the_known_ones():
    with pytest.raises(ValueError, match="cu, ni, al, fe, ti or a CIF file, found 'unobtainium'"):
        open_crystal("unobtainium")


@pytest.mark.parametrize("k_max", [0, -1, 60])
def test_k_max_is_checked(k_max):
    with pytest.raises(ValueError, match="expected k_max"):
        Crystal.built_in("cu").reflections(k_max)


def test_maps_tell_a_phase_by_its_name_symmetry_and_cell_and_the_file_that_told_of_it(tmp_path):
    assert Crystal.built_in("ti").settings() == {
        "name": "Ti",
        "space_group": 194,
        "lattice": [2.951, 2.951, 4.684, 90, 90, 120],
        "source": "built in",
        "atoms": [
            ["Ti", 1 / 3, 2 / 3, 0.25, 1.0, 0.5],
            ["Ti", 2 / 3, 1 / 3, 0.75, 1.0, 0.5],
        ],
    }
    told = Crystal.from_cif(write_cif(tmp_path / "blende.cif", **ZINC_BLENDE)).settings()
    assert (told["name"], told["source"]) == ("blende", "blende.cif")
    assert told["space_group"] == 216


@pytest.mark.parametrize(
    "told",
    [
        OTHER_SETTING,
        OTHER_SETTING | {"operations": ()},
        OTHER_SETTING | {"operations": (), "group": (14, "P 21/n")},
    ],
    ids=["operations", "name", "short name"],
)
def test_a_space_group_in_another_setting_is_told_by_its_own_number(tmp_path, told):
    crystal = Crystal.from_cif(write_cif(tmp_path / "zirconia.cif", **told))
    assert len(crystal.elements) == 8
    assert crystal.settings()["space_group"] == 14
    # Of the glide plane n: reflections h0l with odd h + l are absent, and not those with odd l.
    present = np.abs(crystal.structure_factors([[1, 0, 0], [0, 0, 1], [1, 0, 1]])) > 1e-6
    assert present.tolist() == [False, False, True]
    assert Crystal.from_settings(crystal.settings()).settings() == crystal.settings()


@pytest.mark.parametrize("name", ["cu", "ti", "trigonal", "monoclinic", "triclinic"])
def test_a_crystal_is_made_again_of_what_maps_tell(crystals, name):
    crystal = crystals[name]
    again = Crystal.from_settings(json.loads(json.dumps(crystal.settings())))
    assert again.settings() == crystal.settings()
    first, second = crystal.reflections(1.5), again.reflections(1.5)
    order = [np.lexsort(one.hkl.T) for one in (first, second)]
    for part in ("hkl", "vectors", "structure_factors"):
        one, other = (
            getattr(all_, part)[by] for all_, by in zip((first, second), order, strict=True)
        )
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"atoms": None}, "the atoms as a list"),
        ({"atoms": [["Cu", 0, 0]]}, "an atom as a list of 6"),
        ({"atoms": [["Cu", 0, 0, 0, 1, "x"]]}, "an atom"),
        ({"atoms": []}, "no atoms"),
        ({"lattice": [1e9, 1, 1, 90, 90, 90]}, "lengths from 2 to 200"),
        ({"lattice": None}, "the lattice as a list of 6"),
        ({"space_group": 300}, "the space group"),
    ],
)
def test_what_maps_tell_wrongly_of_a_crystal_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Crystal.from_settings(Crystal.built_in("cu").settings() | wrong)


@pytest.mark.parametrize("name", ["cu", "ti", "trigonal", "monoclinic", "triclinic"])
def test_maps_tell_the_symmetry_about_the_axes_that_a_cell_has(crystals, name):
    crystal = crystals[name]
    told = laue_group(crystal.phase).laue_proper_subgroup.to_matrix()
    own = crystal.laue_group.laue_proper_subgroup.to_matrix()
    apart = np.abs(told[:, None] - own).max(axis=(2, 3))
    assert len(told) == len(own)
    assert apart.min(axis=1).max() < 1e-9


def with_operations(path, *operations):
    lines = "".join(f'"{operation}"\n' for operation in operations)
    path.write_text(f"{path.read_text()}loop_\n_symmetry_equiv_pos_as_xyz\n{lines}")
    return path


def test_operations_of_a_file_say_the_space_group(tmp_path):
    path = write_cif(tmp_path / "crystal.cif", **TRICLINIC)
    by_number = Crystal.from_cif(path)
    crystal = Crystal.from_cif(with_operations(path, "x, y, z", "-X,2/2-Y, 1.0-z"))
    assert crystal.phase.space_group.number == 2
    np.testing.assert_allclose(crystal.positions, by_number.positions)


@pytest.mark.parametrize("evil", ["open('made','w')", "9**9**9**9", "().__class__", "1/2/x()"])
def test_operations_of_a_file_are_not_run(evil, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_cif(tmp_path / "crystal.cif", **TRICLINIC)
    with_operations(path, "x,y,z", f"x,y,z+{evil}")
    with pytest.raises(CrystalFileError, match="expected symmetry operations as x,-y,1/2"):
        Crystal.from_cif(path)
    assert not (tmp_path / "made").exists()


def test_structure_factors_are_the_sum_over_all_atoms(triclinic):
    """Of elements, occupancies and movements of all sorts, for indices of all sorts."""
    random = np.random.default_rng(2)
    many = replace(
        triclinic,
        elements=tuple(random.choice(["Cu", "O", "Ti"], 60)),
        positions=random.random((60, 3)),
        occupancies=random.uniform(0.2, 1, 60),
        debye_waller=random.choice([0.3, 0.3 + 1e-13, 0.9], 60),
    )
    hkl = np.concatenate([random.integers(-9, 10, (300, 3)), [[0, 0, 0], [40, -3, 2], [0, 0, 1]]])
    squared = np.square(hkl @ many.reciprocal_base).sum(axis=1)
    expected = np.zeros(len(hkl), complex)
    for element, xyz, share, b in zip(
        many.elements, many.positions, many.occupancies, many.debye_waller, strict=True
    ):
        a, widths = np.transpose(get_scattering_params_dict("lobato")[element])
        f = (a * (2 + widths * squared[:, None]) / (1 + widths * squared[:, None]) ** 2).sum(1)
        expected += share * f * np.exp(-b * squared / 4 - 2j * np.pi * hkl @ xyz)
    np.testing.assert_allclose(many.structure_factors(hkl), expected, rtol=1e-9, atol=1e-9)


def random_atoms(count):
    places = np.random.default_rng(1).random((count, 3))
    return "\n".join(f"Cu{i} Cu {x:.5f} {y:.5f} {z:.5f} 0.5" for i, (x, y, z) in enumerate(places))


def test_a_model_without_symmetry_may_have_many_atoms(tmp_path):
    cell = TRICLINIC | {"group": (1, "P 1"), "atoms": random_atoms(500)}
    crystal = Crystal.from_cif(write_cif(tmp_path / "crystal.cif", **cell))
    assert len(crystal.elements) == 500
    assert crystal.laue_group.name == "-1"


@pytest.mark.parametrize(
    ("cell", "count", "told"),
    [
        (TRICLINIC, 5000, "at most 2000 sites of atoms, found 5000"),
        (IRON, 500, "at most 400 sites of atoms, which 96 symmetry operations repeat, found 500"),
    ],
)
def test_more_atoms_than_any_crystal_has_are_refused(tmp_path, cell, count, told):
    path = write_cif(tmp_path / "crystal.cif", **cell | {"atoms": random_atoms(count)})
    with pytest.raises(CrystalFileError, match=told):
        Crystal.from_cif(path)
