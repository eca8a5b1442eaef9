"""A scan on a drive with bad places."""

import errno
from dataclasses import dataclass, replace


@dataclass(frozen=True, eq=False)
class Damaged:
    """Patterns of which some cannot be read, neither alone nor together with others."""

    source: object
    bad: frozenset

    @property
    def shape(self):
        return self.source.shape

    @property
    def dtype(self):
        return self.source.dtype

    def read_run(self, row, start, stop, out=None):
        if any((row, col) in self.bad for col in range(start, stop)):
            raise OSError(errno.EIO, "Input/output error")
        return self.source.read_run(row, start, stop, out)


def damaged(scan, bad):
    return replace(scan, source=Damaged(scan.source, frozenset(bad)))
