"""Cubic phases that people meet: metals, intermetallics, semiconductors, carbides, minerals.

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
    # What follows came later: the ones before keep their places, and with them their seeds.
    "ZnS": (
        "GaAs Ga As 5.653, GaP Ga P 5.451, GaSb Ga Sb 6.096, InP In P 5.869, InAs In As 6.058, "
        "InSb In Sb 6.479, AlP Al P 5.464, AlAs Al As 5.661, AlSb Al Sb 6.136, ZnS Zn S 5.409, "
        "ZnSe Zn Se 5.668, ZnTe Zn Te 6.104, CdTe Cd Te 6.482, HgTe Hg Te 6.460, HgSe Hg Se 6.084, "
        "SiC Si C 4.360, BN B N 3.616, BP B P 4.538, CuCl Cu Cl 5.416, CuBr Cu Br 5.691, "
        "CuI Cu I 6.052, AgI Ag I 6.495, GaN Ga N 4.500"
    ),
    "MgAgAs": (
        "TiNiSn Ti Ni Sn 5.927, ZrNiSn Zr Ni Sn 6.110, HfNiSn Hf Ni Sn 6.083, "
        "TiCoSb Ti Co Sb 5.884, ZrCoSb Zr Co Sb 6.068, HfCoSb Hf Co Sb 6.040, "
        "NbFeSb Nb Fe Sb 5.950, VFeSb V Fe Sb 5.823, MnNiSb Mn Ni Sb 5.924, MnCuSb Mn Cu Sb 6.095, "
        "NbCoSn Nb Co Sn 5.953"
    ),
    "AuBe5": "AuBe5 Au Be 6.698, UNi5 U Ni 6.783, UCu5 U Cu 7.033",
    "MgCu4Sn": "MgCu4Sn Mg Cu Sn 7.035, YbInCu4 Yb Cu In 7.158",
    "GaMo4S8": "GaMo4S8 Ga Mo S 9.730, GaV4S8 Ga V S 9.660",
    "FeSi": (
        "FeSi Fe Si 4.489, CoSi Co Si 4.447, MnSi Mn Si 4.558, CrSi Cr Si 4.629, RhSi Rh Si 4.676, "
        "RuSi Ru Si 4.703, FeGe Fe Ge 4.700, MnGe Mn Ge 4.795, PdGa Pd Ga 4.890, PtGa Pt Ga 4.910, "
        "PtAl Pt Al 4.866, RhSn Rh Sn 5.122, AuBe Au Be 4.668"
    ),
    "NiSbS": "NiSbS Ni Sb S 5.930, NiAsS Ni As S 5.690",
    "NaClO3": "NaClO3 Na Cl O 6.575, NaBrO3 Na Br O 6.705",
    "CoU": "CoU Co U 6.356",
    "Bi12GeO20": "Bi12GeO20 Bi Ge O 10.145, Bi12SiO20 Bi Si O 10.104",
    "CaCu3Fe2Re2O12": "CaCu3Fe2Re2O12 Ca Cu Fe Re O 7.448",
    "Bi3Ru3O11": "Bi3Ru3O11 Bi Ru O 9.302",
    "K3Co(NO2)6": "K3CoN6O12 K Co N O 10.480",
    "CoAs3": (
        "CoAs3 Co As 8.205, CoSb3 Co Sb 9.036, CoP3 Co P 7.711, RhP3 Rh P 7.995, "
        "RhAs3 Rh As 8.449, RhSb3 Rh Sb 9.229, IrP3 Ir P 8.015, IrAs3 Ir As 8.467, "
        "IrSb3 Ir Sb 9.253, NiP3 Ni P 7.819"
    ),
    "LaFe4P12": (
        "LaFe4P12 La Fe P 7.832, CeFe4P12 Ce Fe P 7.792, LaRu4P12 La Ru P 8.056, "
        "LaOs4P12 La Os P 8.084, CeFe4As12 Ce Fe As 8.298, LaFe4Sb12 La Fe Sb 9.140, "
        "CeFe4Sb12 Ce Fe Sb 9.135, YbFe4Sb12 Yb Fe Sb 9.158, BaFe4Sb12 Ba Fe Sb 9.200"
    ),
    "WAl12": "WAl12 W Al 7.580, MoAl12 Mo Al 7.573, ReAl12 Re Al 7.527, MnAl12 Mn Al 7.507",
    "CaCu3Ti4O12": "CaCu3Ti4O12 Ca Cu Ti O 7.391, CaCu3Mn4O12 Ca Cu Mn O 7.241",
    "FeS2": (
        "FeS2 Fe S 5.418, CoS2 Co S 5.535, NiS2 Ni S 5.687, MnS2 Mn S 6.104, CuS2 Cu S 5.790, "
        "ZnS2 Zn S 5.954, RuS2 Ru S 5.610, OsS2 Os S 5.619, CoSe2 Co Se 5.858, NiSe2 Ni Se 5.963, "
        "RuSe2 Ru Se 5.934, CuSe2 Cu Se 6.117, MnTe2 Mn Te 6.951, RuTe2 Ru Te 6.391, "
        "PtP2 Pt P 5.695, PtAs2 Pt As 5.968, PtSb2 Pt Sb 6.440, PdAs2 Pd As 5.982, "
        "PdSb2 Pd Sb 6.459, AuSb2 Au Sb 6.658"
    ),
    "SnI4": "SnI4 Sn I 12.270, TiI4 Ti I 12.002",
    "Ba(NO3)2": "BaN2O6 Ba N O 8.118, SrN2O6 Sr N O 7.781, PbN2O6 Pb N O 7.857",
    "Mn2O3": (
        "Mn2O3 Mn O 9.410, Sc2O3 Sc O 9.845, In2O3 In O 10.117, Y2O3 Y O 10.604, "
        "Yb2O3 Yb O 10.435, Er2O3 Er O 10.547, Dy2O3 Dy O 10.665, Gd2O3 Gd O 10.813, "
        "Sm2O3 Sm O 10.927, Be3N2 N Be 8.145, Mg3N2 N Mg 9.953, Zn3N2 N Zn 9.769, "
        "Mg3P2 P Mg 12.030, Mg3As2 As Mg 12.330"
    ),
    "AlLi3N2": "AlLi3N2 Al Li N 9.461",
    "SrSi2": "SrSi2 Sr Si 6.535",
    "Li2Pd3B": "Li2Pd3B Li Pd B 6.753, Li2Pt3B Li Pt B 6.755",
    "LiFe5O8": "LiFe5O8 Li Fe O 8.333, LiAl5O8 Li Al O 7.908",
    "Mn beta": "Mn-β Mn 6.315",
    "Mo3Al2C": "Mo3Al2C Mo Al C 6.866",
    "Ag3AuTe2": "Ag3AuTe2 Ag Au Te 10.380, Ag3AuSe2 Ag Au Se 9.967",
    "Cu3VS4": (
        "Cu3VS4 Cu V S 5.391, Cu3NbS4 Cu Nb S 5.500, Cu3TaS4 Cu Ta S 5.514, "
        "Cu3VSe4 Cu V Se 5.563, Cu3NbSe4 Cu Nb Se 5.650, Cu3TaSe4 Cu Ta Se 5.670"
    ),
    "Cu9Al4": "Cu9Al4 Cu Al 8.704",
    "Cu5Zn8": "Cu5Zn8 Cu Zn 8.866, Ag5Zn8 Ag Zn 9.341",
    "Mn alpha": "Mn-α Mn 8.913",
    "Al12Mg17": "Mg17Al12 Mg Al 10.544",
    "Ti5Re24": "Ti5Re24 Ti Re 9.587, Zr5Re24 Zr Re 9.698",
    "Cu12Sb4S13": "Cu12Sb4S13 Cu Sb S 10.330, Cu12As4S13 Cu As S 10.190",
    "Na4Al3Si3ClO12": "Na4Al3Si3ClO12 Na Al Si Cl O 8.880, Mn4Be3Si3SO12 Mn Be Si S O 8.290",
    "Ag3PO4": "Ag3PO4 Ag P O 6.013",
    "Th3P4": (
        "Th3P4 Th P 8.653, U3P4 U P 8.207, U3As4 U As 8.507, La3Se4 La Se 9.055, La3S4 La S 8.730, "
        "Ce3S4 Ce S 8.625, Yb4As3 As Yb 8.790"
    ),
    "Cu15Si4": "Cu15Si4 Cu Si 9.720, Li15Si4 Li Si 10.690, Li15Ge4 Li Ge 10.783",
    "Pu2C3": "U2C3 U C 8.089, La2C3 La C 8.808, Ce2C3 Ce C 8.448, Y2C3 Y C 8.238",
    "Bi4Ge3O12": "Bi4Ge3O12 Bi Ge O 10.527, Bi4Si3O12 Bi Si O 10.288",
    "Cu2O": "Cu2O Cu O 4.270, Ag2O Ag O 4.728",
    "NaZn13": (
        "NaZn13 Na Zn 12.284, KZn13 K Zn 12.360, CaZn13 Ca Zn 12.154, SrZn13 Sr Zn 12.239, "
        "LaCo13 La Co 11.344, UBe13 U Be 10.256, ThBe13 Th Be 10.395, CeBe13 Ce Be 10.375"
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
