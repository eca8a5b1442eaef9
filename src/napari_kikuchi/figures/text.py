"""Letters of a figure: their font, their size, and the room that they take."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

# In points, as journals ask for.
SIZE = 7.0
TITLE_SIZE = 8.0
MM_PER_POINT = 25.4 / 72
# From one line to the next, and from the top of a line to its baseline, in sizes of the font.
_LINE = 1.2
ASCENT = 0.9

# The fonts that journals ask for, and those of the same shape.
FAMILIES = ("Arial", "Helvetica", "Liberation Sans", "Nimbus Sans", "DejaVu Sans")


@lru_cache(maxsize=1)
def families() -> list[str]:
    """The first of the fonts that journals like and that is here, and what stands in elsewhere."""
    from matplotlib.font_manager import fontManager

    here = set(fontManager.get_font_names())
    return [next((name for name in FAMILIES if name in here), FAMILIES[-1]), "sans-serif"]


def font(size: float = SIZE, *, bold: bool = False) -> FontProperties:
    """The font in a size."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=families(), size=size, weight="bold" if bold else "normal")


def style(size: float = SIZE, *, bold: bool = False, colour: str = "black") -> dict[str, Any]:
    """Arguments of a matplotlib text; a dollar sign in a name begins no formula."""
    return {"fontproperties": font(size, bold=bold), "parse_math": False, "color": colour}


def width_of(text: str, size: float = SIZE) -> float:
    """Width of a line of text in mm."""
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(text, font(size), ismath=False)
    return width * MM_PER_POINT


def height_of(lines: int, size: float = SIZE) -> float:
    """Height of some lines of text in mm."""
    return lines * _LINE * size * MM_PER_POINT


def wrapped(text: str, width: float, size: float = SIZE) -> str:
    """Text broken at spaces into lines of at most a width in mm; a longer word stays whole."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(joined, size) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    return "\n".join(lines)


def count_lines(texts: list[str], width: float, size: float = SIZE) -> int:
    """Lines that the longest of some texts takes, 0 if all are empty."""
    broken = [wrapped(text, width, size) for text in texts]
    return max((one.count("\n") + 1 for one in broken if one), default=0)


def quantity(name: str, unit: str) -> str:
    """A name with its unit, as it stands at an axis."""
    return f"{name} ({unit})" if unit else name
