"""Ways to adapt a classifier, by name; light, for the command line knows them from its start."""

from __future__ import annotations

from enum import StrEnum


class AdaptingMethod(StrEnum):
    """How a classifier is adapted to patterns without labels."""

    DISCREPANCY = "discrepancy"
    TEACHER = "teacher"
    STATISTICS = "statistics"

    @property
    def told(self) -> str:
        """By what, in a sentence."""
        return {
            AdaptingMethod.DISCREPANCY: "maximum classifier discrepancy",
            AdaptingMethod.TEACHER: "a teacher",
            AdaptingMethod.STATISTICS: "its statistics",
        }[self]


#: To a scan, where nothing else is asked for.
USUAL = AdaptingMethod.STATISTICS
#: What is told where none of them was used.
UNADAPTED = "none"
