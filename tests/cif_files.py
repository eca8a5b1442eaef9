"""CIF files of crystals of several symmetries."""


def write_cif(path, *, lengths, angles, group, atoms, operations=()):
    """Write a CIF file with atoms as lines of label, symbol, x, y, z and B."""
    number, name = group
    cell = "".join(f"_cell_length_{axis} {a}\n" for axis, a in zip("abc", lengths, strict=True))
    names = zip(("alpha", "beta", "gamma"), angles, strict=True)
    cell += "".join(f"_cell_angle_{name} {angle}\n" for name, angle in names)
    columns = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "B_iso_or_equiv")
    loop = "loop_\n" + "".join(f"_atom_site_{column}\n" for column in columns)
    symmetry = "".join(f"'{operation}'\n" for operation in operations)
    if symmetry:
        symmetry = f"loop_\n_symmetry_equiv_pos_as_xyz\n{symmetry}"
    path.write_text(
        f"data_crystal\n{cell}_symmetry_space_group_name_H-M '{name}'\n"
        f"_symmetry_Int_Tables_number {number}\n{symmetry}{loop}{atoms}\n"
    )
    return path


IRON = {
    "lengths": (2.866, 2.866, 2.866),
    "angles": (90, 90, 90),
    "group": (229, "I m -3 m"),
    "atoms": "Fe Fe3+ 0 0 0 0.35",
}
# No centre of inversion.
ZINC_BLENDE = {
    "lengths": (5.41, 5.41, 5.41),
    "angles": (90, 90, 90),
    "group": (216, "F -4 3 m"),
    "atoms": "Zn Zn2+ 0 0 0 0.9\nS S 0.25 0.25 0.25 0.8",
}
# The twofold axis along b.
ZIRCONIA = {
    "lengths": (5.1505, 5.2116, 5.3173),
    "angles": (90, 99.23, 90),
    "group": (14, "P 1 21/c 1"),
    "atoms": "Zr Zr .2754 .0395 .2083 0.4\nO1 O .07 .3317 .3447 0.5\nO2 O .4496 .7569 .4792 0.5",
}
# Of the same space group, in another setting.
OTHER_SETTING = {
    "lengths": (5.1505, 5.2116, 5.3173),
    "angles": (90, 99.23, 90),
    "group": (14, "P 1 21/n 1"),
    "atoms": "Zr Zr .2754 .0395 .2083 0.4\nO1 O .07 .3317 .3447 0.5",
    "operations": ("x,y,z", "1/2-x,1/2+y,1/2-z", "-x,-y,-z", "1/2+x,1/2-y,1/2+z"),
}
# The twofold axes across a.
ACROSS_A = {
    "lengths": (4.9, 4.9, 5.6),
    "angles": (90, 90, 120),
    "group": (162, "P -3 1 m"),
    "atoms": "Ti Ti 0 0 0 0.5\nO O 0.3 0 0.2 0.5",
}
TRICLINIC = {
    "lengths": (4.1, 5.2, 6.3),
    "angles": (80, 95, 107),
    "group": (2, "P -1"),
    "atoms": "Cu Cu 0.1 0.2 0.3 0.5\nO O 0.4 0.8 0.1 0.5",
}
RHOMBOHEDRAL_AXES = {
    "lengths": (4.746, 4.746, 4.746),
    "angles": (57.23, 57.23, 57.23),
    "group": (166, "R -3 m :R"),
    "atoms": "Bi Bi 0.234 0.234 0.234 0.5",
}
