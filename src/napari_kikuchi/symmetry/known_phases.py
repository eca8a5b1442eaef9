"""Cubic phases that people meet: metals, intermetallics, carbides, nitrides, oxides.

Lengths of cells in Å at room temperature, as handbooks give them to about a percent; structure
types as in :mod:`~napari_kikuchi.symmetry.prototypes`.
"""

from __future__ import annotations

import numpy as np

from napari_kikuchi.symmetry.phases import Phase
from napari_kikuchi.symmetry.prototypes import PROTOTYPES
from napari_kikuchi.symmetry.sites import sites_of
from napari_kikuchi.symmetry.structure_type import Prototype

# Debye-Waller factor B in Å², of all atoms.
_DEBYE_WALLER = 0.5

# Formula, elements on the sites of the type in their order, length of the cell.
_KNOWN = {
    "Cu": (
        "Al Al 4.050, Ni Ni 3.524, Cu Cu 3.615, Ag Ag 4.086, Au Au 4.078, Pt Pt 3.924, "
        "Pd Pd 3.891, Pb Pb 4.950, Rh Rh 3.803, Ir Ir 3.839, Fe-γ Fe 3.590, Co-β Co 3.545"
    ),
    "W": (
        "Fe-α Fe 2.867, Cr Cr 2.885, W W 3.165, Mo Mo 3.147, Nb Nb 3.300, Ta Ta 3.301, "
        "V V 3.027, Ti-β Ti 3.307, Zr-β Zr 3.609"
    ),
    "C": "Si Si 5.431, Ge Ge 5.658, C C 3.567, Sn-α Sn 6.489",
    "NaCl": (
        "NaCl Na Cl 5.640, MgO Mg O 4.212, TiC Ti C 4.327, TiN Ti N 4.242, NbC Nb C 4.470, "
        "VC V C 4.165, ZrC Zr C 4.698, TaC Ta C 4.456, HfC Hf C 4.638, CrN Cr N 4.149, "
        "FeO Fe O 4.303, NiO Ni O 4.177, CaO Ca O 4.811, MnS Mn S 5.224, PbS Pb S 5.936, "
        "KCl K Cl 6.293, LiF Li F 4.026, ZrN Zr N 4.578, VN V N 4.137"
    ),
    "CaF2": (
        "CaF2 Ca F 5.463, CeO2 Ce O 5.411, UO2 U O 5.470, ZrO2 Zr O 5.120, ThO2 Th O 5.597, "
        "Mg2Si Si Mg 6.338"
    ),
    "CsCl": (
        "NiAl Ni Al 2.886, FeAl Fe Al 2.909, CoAl Co Al 2.862, NiTi Ni Ti 3.015, "
        "CuZn Cu Zn 2.954, CsCl Cs Cl 4.123, RuAl Ru Al 2.990, CoTi Co Ti 2.995"
    ),
    "Cu3Au": (
        "Ni3Al Al Ni 3.572, Cu3Au Au Cu 3.749, Pt3Al Al Pt 3.876, Al3Sc Sc Al 4.101, "
        "Ni3Fe Fe Ni 3.553, Zr3Al Al Zr 4.372, Al3Zr Zr Al 4.080, Ni3Si Si Ni 3.504, "
        "Co3Ti Ti Co 3.614"
    ),
    "CaTiO3": "SrTiO3 Sr Ti O 3.905, BaTiO3 Ba Ti O 4.005, KTaO3 K Ta O 3.989",
    "Fe4N": "Fe3AlC Al Fe C 3.780",
    "Ni4N": "Fe4N Fe N 3.795",
    "CaB6": "LaB6 La B 4.157, CaB6 Ca B 4.151",
    "Cr3Si": (
        "Cr3Si Si Cr 4.558, Nb3Sn Sn Nb 5.291, V3Si Si V 4.725, Nb3Al Al Nb 5.187, "
        "V3Ga Ga V 4.817, Nb3Ge Ge Nb 5.140, Mo3Si Si Mo 4.890"
    ),
    "W beta": "W-β W 5.050",
    "MgCu2": (
        "MgCu2 Mg Cu 7.034, ZrFe2 Zr Fe 7.074, TiCr2 Ti Cr 6.943, NbCr2 Nb Cr 6.991, "
        "TaCr2 Ta Cr 6.985, YAl2 Y Al 7.855, LaAl2 La Al 8.148, NbCo2 Nb Co 6.758, "
        "YFe2 Y Fe 7.363, ZrCr2 Zr Cr 7.207"
    ),
    "MgAl2O4": (
        "MgAl2O4 Mg Al O 8.081, Fe3O4 Fe Fe O 8.397, Co3O4 Co Co O 8.084, ZnFe2O4 Zn Fe O 8.441, "
        "FeCr2O4 Fe Cr O 8.378, MnCr2O4 Mn Cr O 8.437, NiCr2O4 Ni Cr O 8.320"
    ),
    "Y2Ti2O7": "Y2Ti2O7 Y Ti O 10.090, Gd2Zr2O7 Gd Zr O 10.530",
    "Ti2Ni": "Ti2Ni Ti Ni 11.278",
    "NaTl": "NaTl Na Tl 7.488, LiAl Li Al 6.370",
    "Cu2MnAl": (
        "Cu2MnAl Al Mn Cu 5.949, Ni2MnGa Ga Mn Ni 5.825, Fe2VAl Al V Fe 5.761, "
        "Co2MnSi Si Mn Co 5.654, Ni2TiAl Al Ti Ni 5.865"
    ),
    "BiF3": "Fe3Al Al Fe 5.792, Fe3Si Si Fe 5.655",
    "Cr23C6": "Cr23C6 Cr Cr C 10.660",
    "Th6Mn23": "Th6Mn23 Th Mn 12.523",
    "UB12": "ZrB12 Zr B 7.408, UB12 U B 7.473",
    "Hg4Pt": "Hg4Pt Pt Hg 6.186",
    "Ca3Al2Si3O12": (
        "Ca3Al2Si3O12 Ca Al Si O 11.845, Mg3Al2Si3O12 Mg Al Si O 11.459, "
        "Fe3Al2Si3O12 Fe Al Si O 11.526, Y3Al5O12 Y Al Al O 12.007, Y3Fe5O12 Y Fe Fe O 12.376, "
        "Gd3Ga5O12 Gd Ga Ga O 12.383"
    ),
}


def known_phases() -> list[Phase]:
    """All of them."""
    prototypes = {one.name: one for one in PROTOTYPES}
    found = []
    for name, listed in _KNOWN.items():
        for one in listed.split(", "):
            formula, *elements, cell = one.split()
            found.append(_phase(formula, prototypes[name], elements, float(cell)))
    return found


def _phase(formula: str, prototype: Prototype, elements: list[str], cell: float) -> Phase:
    sites = sites_of(prototype.space_group)
    letters = list(dict.fromkeys(letter for letter, _ in prototype.sites))
    of_letter = dict(zip(letters, elements, strict=True))
    atoms = tuple(
        (of_letter[letter], (float(x), float(y), float(z)))
        for letter, position in prototype.sites
        for x, y, z in np.round(sites.orbit(position), 8)
    )
    factors = dict.fromkeys(elements, _DEBYE_WALLER)
    return Phase(formula, prototype.space_group, cell, atoms, factors)
