"""Known phases and the references made of them."""

import re
from collections import Counter

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.crystals.dynamical_master import DynamicalMaster
from napari_kikuchi.io.weights import ModelFileError, read_tensors, write_tensors
from napari_kikuchi.simulate.detector import Detector
from napari_kikuchi.symmetry.known_phases import known_phases
from napari_kikuchi.symmetry.packing import found_group
from napari_kikuchi.symmetry.references import References
from napari_kikuchi.symmetry.sector import NODES, sector_directions


@pytest.fixture(scope="module")
def shipped():
    return References.shipped()


@pytest.mark.parametrize("phase", known_phases(), ids=lambda phase: phase.name)
def test_atoms_stand_as_formula_and_space_group_say(phase):
    atoms = Counter(element for element, _ in phase.atoms)
    formula = re.findall(r"([A-Z][a-z]?)(\d*)", phase.name.split("-")[0])
    units = {atoms[element] / int(number or 1) for element, number in formula}
    assert set(atoms) == {element for element, _ in formula}
    assert len(units) == 1
    positions = np.array([position for _, position in phase.atoms])
    elements = [element for element, _ in phase.atoms]
    assert found_group(phase.cell, elements, positions) == phase.space_group


def test_references_are_of_the_known_phases(shipped):
    phases = known_phases()
    assert list(shipped.names) == [phase.name for phase in phases]
    assert shipped.groups.tolist() == [phase.space_group for phase in phases]
    assert len(set(shipped.names)) == len(phases)
    # Ordered, of atoms that scatter alike.
    shown = dict(zip(shipped.names, shipped.shown, strict=True))
    assert (shown["Ni3Fe"], shown["CuZn"], shown["KCl"]) == (225, 229, 221)
    assert (shown["Ni3Al"], shown["NiAl"], shown["Si"]) == (221, 221, 227)
    number = shipped.names.index("NbC")
    crystal = Crystal.from_settings(phases[number].settings())
    some = np.arange(0, NODES, 83)
    waves = DynamicalMaster(crystal, voltage=20, beams=100)(sector_directions()[some])
    kept = shipped.masters[list(shipped.voltages).index(20), number, some]
    assert np.corrcoef(waves, kept)[0, 1] > 0.999


def test_a_phase_is_found_by_what_was_seen_of_it(shipped):
    rng = np.random.default_rng(0)
    for name in ("Ni", "NbC", "Si", "NbCr2", "Fe-α"):
        number = shipped.names.index(name)
        counts = np.where(rng.random(NODES) < 0.2, 0, rng.integers(1, 30, NODES))
        noise = rng.normal(size=NODES) * np.sqrt(counts)
        totals = counts * (2 + 0.1 * shipped.masters[1, number]) + 0.1 * noise
        first, second, *_ = shipped.match(totals, counts)
        assert first.name == name
        assert (first.index, first.group) == (number, shipped.groups[number])
        assert 0.8 < first.correlation <= 1
        assert second.correlation < first.correlation
    of_group = shipped.match(totals, counts, groups={225})
    assert {shipped.shown[match.index] for match in of_group} == {225}
    assert len(of_group) == (shipped.shown == 225).sum()
    # Patterns of KCl are all but those of a primitive cell.
    counts = np.ones(NODES)
    salt = shipped.match(shipped.masters[1, shipped.names.index("KCl")], counts, groups={221})
    assert (salt[0].name, salt[0].group) == ("KCl", 225)


def test_bands_are_as_wide_as_the_voltage_makes_them(shipped):
    number = shipped.names.index("Ni")
    totals = shipped.masters[0, number]
    right, wrong = (
        next(m for m in shipped.match(totals, np.ones(NODES), voltage=kv) if m.name == "Ni")
        for kv in (15.5, 29)
    )
    assert right.correlation > 0.99 > wrong.correlation


def test_its_pattern_is_what_the_detector_sees(shipped):
    number = shipped.names.index("Cu")
    directions = Detector().directions((30, 30))
    rotation = Rotation.random(rng=np.random.default_rng(1)).as_matrix()
    seen = shipped.pattern(number, rotation, directions)
    crystal = Crystal.from_settings(known_phases()[number].settings())
    waves = DynamicalMaster(crystal, voltage=20, beams=100)(directions @ rotation.T)
    assert seen.shape == (900,)
    assert np.corrcoef(seen, waves)[0, 1] > 0.9


def test_what_is_kept_is_what_was_saved(shipped, tmp_path):
    path = tmp_path / "references.safetensors"
    shown = np.array([225, 229, 227])
    some = References(
        shipped.names[:3], shipped.groups[:3], shown, [20.0], shipped.masters[1:2, :3]
    )
    some.save(path)
    again = References.load(path)
    assert list(again.names) == list(some.names)
    np.testing.assert_array_equal(again.shown, shown)
    np.testing.assert_allclose(again.masters, some.masters, atol=0.06)
    tensors, header = read_tensors(path, "reference patterns of cubic phases")
    for spoilt in (
        {"groups": [1, 2]},
        {"shown": [1]},
        {"voltages": []},
        {"names": 3},
        {"groups": [0, 1, 2]},
    ):
        write_tensors(path, tensors, {**header, **spoilt})
        with pytest.raises(ModelFileError, match=re.escape(str(path))):
            References.load(path)
