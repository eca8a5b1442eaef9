"""Cubic structure types that many compounds share, in the settings that diffpy has.

In space groups 201, 203, 222, 224, 227 and 228 the origin is not at the centre of inversion but at
the point of highest symmetry (origin choice 1 of the International Tables).
"""

from __future__ import annotations

from napari_kikuchi.symmetry.prototypes_m3 import PROTOTYPES_M3
from napari_kikuchi.symmetry.prototypes_m3m import PROTOTYPES_M3M
from napari_kikuchi.symmetry.structure_type import Prototype

_Q, _E = 0.25, 0.125

# Of the six groups that most metals and compounds have.
_OF_SIX_GROUPS = (
    Prototype("CsCl", 221, (("M1", (0, 0, 0)), ("A2", (0.5, 0.5, 0.5))), weight=3),
    Prototype("Cu3Au", 221, (("A1", (0, 0, 0)), ("M2", (0, 0.5, 0.5))), weight=3),
    Prototype(
        "CaTiO3", 221, (("M1", (0.5, 0.5, 0.5)), ("M2", (0, 0, 0)), ("X1", (0.5, 0, 0))), weight=3
    ),
    Prototype("Fe4N", 221, (("M1", (0, 0, 0)), ("M2", (0, 0.5, 0.5)), ("X1", (0.5, 0.5, 0.5)))),
    Prototype("Ni4N", 221, (("M1", (0, 0, 0)), ("M1", (0, 0.5, 0.5)), ("X1", (0.5, 0.5, 0.5)))),
    Prototype("ReO3", 221, (("M1", (0, 0, 0)), ("X1", (0.5, 0, 0)))),
    Prototype("CaB6", 221, (("M1", (0, 0, 0)), ("X1", (0.2, 0.5, 0.5))), 0.01),
    Prototype("Po", 221, (("M1", (0, 0, 0)),), weight=0.3),
    Prototype("Cu4O3-like", 221, (("M1", (0, 0, 0)), ("A2", (0.5, 0.5, 0)), ("X1", (0.5, 0, 0)))),
    Prototype("Cr3Si", 223, (("A1", (0, 0, 0)), ("M2", (0.25, 0, 0.5))), weight=4),
    Prototype("W beta", 223, (("M1", (0, 0, 0)), ("M1", (0.25, 0, 0.5)))),
    Prototype("NaPt3O4", 223, (("M1", (0, 0, 0)), ("M2", (0.25, 0, 0.5)), ("X1", (_Q, _Q, _Q)))),
    Prototype(
        "Ba8Si46",
        223,
        (
            ("M1", (0, 0, 0)), ("M1", (0.25, 0.5, 0)), ("X1", (0.25, 0, 0.5)),
            ("X1", (0.184, 0.184, 0.184)), ("X1", (0, 0.31, 0.12)),
        ),
        0.005,
        weight=2,
    ),
    Prototype("PtS3-like", 223, (("M1", (0.25, 0, 0.5)), ("X1", (0, 0, 0)), ("X2", (_Q, _Q, _Q)))),
    Prototype("Cu", 225, (("M1", (0, 0, 0)),), weight=4),
    Prototype("NaCl", 225, (("M1", (0, 0, 0)), ("X1", (0.5, 0.5, 0.5))), weight=4),
    Prototype("CaF2", 225, (("A1", (0, 0, 0)), ("A2", (_Q, _Q, _Q))), weight=3),
    Prototype(
        "Cu2MnAl", 225, (("A1", (0, 0, 0)), ("M2", (0.5, 0.5, 0.5)), ("M3", (_Q, _Q, _Q))), weight=3
    ),
    Prototype("BiF3", 225, (("A1", (0, 0, 0)), ("A2", (0.5, 0.5, 0.5)), ("A2", (_Q, _Q, _Q)))),
    Prototype("K2PtCl6", 225, (("M1", (0, 0, 0)), ("M2", (_Q, _Q, _Q)), ("X1", (_Q, 0, 0))), 0.02),
    Prototype(
        "Ba2CoWO6",
        225,
        (
            ("M1", (0, 0, 0)), ("M2", (0.5, 0.5, 0.5)), ("M3", (_Q, _Q, _Q)), ("X1", (0.26, 0, 0)),
        ),
        0.01,
        weight=2,
    ),
    Prototype(
        "Cr23C6",
        225,
        (
            ("M1", (0, 0, 0)), ("M2", (_Q, _Q, _Q)), ("M2", (0.382, 0.382, 0.382)),
            ("M2", (0, 0.17, 0.17)), ("X1", (0.276, 0, 0)),
        ),
        0.005,
    ),
    Prototype(
        "Th6Mn23",
        225,
        (
            ("M1", (0.203, 0, 0)), ("M2", (0.5, 0.5, 0.5)), ("M2", (0, _Q, _Q)),
            ("M2", (0.378, 0.378, 0.378)), ("M2", (0.178, 0.178, 0.178)),
        ),
        0.005,
    ),
    Prototype("UB12", 225, (("M1", (0.5, 0.5, 0.5)), ("X1", (0, 0.167, 0.167))), 0.005),
    Prototype("C", 227, (("A1", (0, 0, 0)),), weight=4),
    Prototype("MgCu2", 227, (("A1", (0, 0, 0)), ("M2", (0.625, 0.625, 0.625))), weight=4),
    Prototype(
        "MgAl2O4",
        227,
        (("M1", (0, 0, 0)), ("M2", (0.625, 0.625, 0.625)), ("X1", (0.38, 0.38, 0.38))),
        0.008,
        weight=3,
    ),
    Prototype(
        "Y2Ti2O7",
        227,
        (
            ("M1", (0.625, 0.625, 0.625)), ("M2", (_E, _E, _E)), ("X1", (0.2, 0, 0)),
            ("X1", (0.5, 0.5, 0.5)),
        ),
        0.01,
        weight=2,
    ),
    Prototype("NaTl", 227, (("M1", (0, 0, 0)), ("M2", (0.5, 0.5, 0.5)))),
    Prototype("SiO2", 227, (("A1", (0, 0, 0)), ("X1", (_E, _E, _E)))),
    Prototype(
        "Ti2Ni",
        227,
        (("M1", (0.186, 0, 0)), ("M1", (_E, _E, _E)), ("M2", (0.34, 0.34, 0.34))),
        0.005,
        weight=2,
    ),
    Prototype("CuPt3-like", 227, (("M1", (_E, _E, _E)), ("M2", (0.625, 0.625, 0.625)))),
    Prototype("W", 229, (("M1", (0, 0, 0)),), weight=4),
    Prototype("Pt3O4", 229, (("M1", (0, 0.5, 0.5)), ("X1", (_Q, _Q, _Q)))),
    Prototype("Hg4Pt", 229, (("A1", (0, 0, 0)), ("A2", (_Q, _Q, _Q)))),
    Prototype("Ge7Ir3", 229, (
        ("M1", (0.342, 0, 0)), ("A2", (_Q, 0, 0.5)), ("A2", (0.156, 0.156, 0.156)),
    ), 0.006),
    Prototype("Sb2Tl7", 229, (
        ("A1", (0.314, 0, 0)), ("M2", (0, 0, 0)), ("M2", (0, 0.35, 0.35)),
    ), 0.006),
    Prototype("H3S", 229, (("A1", (0, 0, 0)), ("X1", (0, 0.5, 0.5)))),
    Prototype("Sodalite", 229, (("M1", (0, 0, 0)), ("X1", (_Q, 0, 0.5))), weight=2),
    Prototype(
        "Ca3Al2Si3O12",
        230,
        (
            ("M1", (_E, 0, _Q)), ("M2", (0, 0, 0)), ("M3", (0.375, 0, _Q)),
            ("X1", (0.035, 0.048, 0.652)),
        ),
        0.006,
        weight=4,
    ),
    Prototype(
        "Ca3Al2(OH)12",
        230,
        (("M1", (_E, 0, _Q)), ("M2", (0, 0, 0)), ("X1", (0.035, 0.048, 0.652))),
        0.01,
    ),
)  # fmt: skip

PROTOTYPES = (*_OF_SIX_GROUPS, *PROTOTYPES_M3, *PROTOTYPES_M3M)
