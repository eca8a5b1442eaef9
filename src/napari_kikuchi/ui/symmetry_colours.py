"""The colours of space groups in maps of symmetry, in their legend and beside patterns."""

from __future__ import annotations

from colorsys import hls_to_rgb

# Of each class of cubic groups, by the number that it is called by. People of normal sight tell all
# of them apart, those of each kind of colour blindness the most frequent six, and most others.
# Classes of the same lattice, which are mistaken for each other most easily, differ most.
_COLOURS = {
    221: "#e8d35e", 223: "#86dcf5", 225: "#3d6cc0",
    227: "#3bb273", 229: "#e4584c", 230: "#8f2d8f",
    198: "#a85f1a", 200: "#16ebda", 201: "#2c522c", 202: "#d118c4", 203: "#dee1b3", 204: "#98a6df",
    205: "#f59ca4", 206: "#fd158a", 208: "#903ad7", 210: "#7a24f7", 213: "#ae2258", 214: "#3334ae",
    220: "#fd952c", 222: "#c099fa", 224: "#abf431", 226: "#dd6ebb", 228: "#673d70",
}  # fmt: skip
# Of patterns unlike those of cubic crystals: seen on dark windows and on light ones.
_UNLIKE = "#85888f"
# From one group to the next of those that have no colour of their own, as a share of the circle of
# hues: after this step no two of many come close.
_GOLDEN = 0.381966
_LIGHTNESS, _SATURATION = 0.68, 0.45


def group_colour(group: int) -> str:
    """The colour of a space group, as a web page writes it; 0: unlike cubic crystals."""
    if group == 0:
        return _UNLIKE
    return _COLOURS.get(group) or _by_number(group)


def _by_number(group: int) -> str:
    parts = hls_to_rgb(group * _GOLDEN % 1, _LIGHTNESS, _SATURATION)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)
