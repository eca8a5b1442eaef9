"""Metals that are known by name, without a file."""

_FCC = ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))
_BCC = ((0, 0, 0), (0.5, 0.5, 0.5))
HCP = ((1 / 3, 2 / 3, 0.25), (2 / 3, 1 / 3, 0.75))
# Element, space group, a and c in Å, atoms, Debye-Waller factor B at room temperature in Å².
METALS: dict[str, tuple[str, int, float, float, tuple, float]] = {
    "cu": ("Cu", 225, 3.615, 3.615, _FCC, 0.55),
    "ni": ("Ni", 225, 3.524, 3.524, _FCC, 0.37),
    "al": ("Al", 225, 4.050, 4.050, _FCC, 0.85),
    "fe": ("Fe", 229, 2.866, 2.866, _BCC, 0.35),
    "ti": ("Ti", 194, 2.951, 4.684, HCP, 0.50),
}
