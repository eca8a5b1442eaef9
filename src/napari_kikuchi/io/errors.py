"""What goes wrong with pattern files, said so that a person can act on it."""

from __future__ import annotations


class PatternFileError(ValueError):
    """A pattern file that is missing, damaged or not what it says it is."""


class UnreadableError(PatternFileError, OSError):
    """Patterns that a file should hold and cannot give."""


class UnknownGridError(PatternFileError):
    """A pattern file that holds patterns but not the rows and columns of their scan.

    Attributes
    ----------
    count
        Number of patterns in the file.
    shapes
        Rows and columns that would give this number, squarest first.
    """

    def __init__(self, message: str, count: int, shapes: list[tuple[int, int]]) -> None:
        super().__init__(message)
        self.count = count
        self.shapes = shapes

    def __reduce__(self) -> tuple:
        return type(self), (str(self), self.count, self.shapes)
