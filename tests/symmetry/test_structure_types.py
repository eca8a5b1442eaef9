"""Structure types against Pearson symbols, which count the atoms of a cell, and against spglib."""

from collections import Counter

import numpy as np
import pytest
import spglib

from napari_kikuchi.symmetry.prototypes import PROTOTYPES
from napari_kikuchi.symmetry.sites import sites_of

# Without hydrogen; of Sb2Tl7 without the 16 atoms of one orbit, which the type here leaves out.
PEARSON = """
CsCl cP2, Cu3Au cP4, CaTiO3 cP5, Fe4N cP5, Ni4N cP5, ReO3 cP4, CaB6 cP7, Po cP1, Cu4O3-like cP7,
Cr3Si cP8, W beta cP8, NaPt3O4 cP16, Ba8Si46 cP54, PtS3-like cP16, Cu cF4, NaCl cF8, CaF2 cF12,
Cu2MnAl cF16, BiF3 cF16, K2PtCl6 cF36, Ba2CoWO6 cF40, Cr23C6 cF116, Th6Mn23 cF116, UB12 cF52,
C cF8, MgCu2 cF24, MgAl2O4 cF56, Y2Ti2O7 cF88, NaTl cF16, SiO2 cF24, Ti2Ni cF96, CuPt3-like cF32,
W cI2, Pt3O4 cI14, Hg4Pt cI10, Ge7Ir3 cI40, Sb2Tl7 cI38, H3S cI8, Sodalite cI14,
Ca3Al2Si3O12 cI160, Ca3Al2(OH)12 cI136, Bi12GeO20 cI66, FeSi cP8, NiSbS cP12, NaClO3 cP20,
CoU cI16, CaCu3Fe2Re2O12 cP40, MgSn(OH)6 cP32, Bi3Ru3O11 cP68, K3Co(NO2)6 cF88, CoAs3 cI32,
LaFe4P12 cI34, WAl12 cI26, CaCu3Ti4O12 cI40, In(OH)3 cI32, FeS2 cP12, SnI4 cP40, Ba(NO3)2 cP36,
ZrP2O7 cP40, Mn2O3 cI80, AlLi3N2 cI96, SrSi2 cP12, Li2Pd3B cP24, LiFe5O8 cP56, Mn beta cP20,
Mg3Ru2 cP20, Mo3Al2C cP24, Ag3AuTe2 cI48, Cu3VS4 cP8, Cu3AsS4 cP8, Cu9Al4 cP52, ZnS cF8,
MgAgAs cF12, AuBe5 cF24, MgCu4Sn cF24, LiMgPdSn cF16, GaMo4S8 cF52, Cu5Zn8 cI52, Mn alpha cI58,
Al12Mg17 cI58, Ti5Re24 cI58, Cu12Sb4S13 cI58, Na4Al3Si3ClO12 cP46, Ag3PO4 cP16, Th3P4 cI28,
Cu15Si4 cI76, Pu2C3 cI40, Bi4Ge3O12 cI76, Cu2O cP6, Mg3P2 cP10, NaZn13 cF112
"""
SYMBOLS = dict(one.strip().rsplit(maxsplit=1) for one in PEARSON.split(","))


@pytest.mark.parametrize("prototype", PROTOTYPES, ids=lambda one: f"{one.name}-{one.space_group}")
def test_atoms_of_a_type_are_as_many_as_its_pearson_symbol_says(prototype):
    sites = sites_of(prototype.space_group)
    orbits = [sites.orbit(position) for _, position in prototype.sites]
    positions = np.concatenate(orbits)
    symbol = SYMBOLS[prototype.name]
    assert len(positions) == int(symbol[2:])
    letters = [letter for letter, _ in prototype.sites]
    kinds = np.unique(np.repeat(letters, [len(one) for one in orbits]), return_inverse=True)[1]
    found = spglib.get_symmetry_dataset((np.eye(3) * 8, positions, kinds), 1e-3)
    assert found.number == prototype.space_group
    assert found.international[0] == symbol[1]
    np.testing.assert_allclose(found.std_lattice, np.eye(3) * 8, atol=1e-6)
    # Symmetry that was found joins the atoms of an orbit, and no two orbits.
    joined = Counter(found.crystallographic_orbits).values()
    assert sorted(joined) == sorted(map(len, orbits))


def test_names_of_types_differ():
    assert len({one.name for one in PROTOTYPES}) == len(PROTOTYPES) == len(SYMBOLS)
