"""The figure in which the benchmarks tell how well a map shows something."""

import numpy as np
from scipy.stats import rankdata


def auc(values: np.ndarray, positive: np.ndarray) -> float:
    """Area under the ROC curve, by the ranks of the values; NaN if all are of one kind."""
    n = int(positive.sum())
    if n in (0, len(positive)):
        return float("nan")
    return float((rankdata(values)[positive].sum() - n * (n + 1) / 2) / (n * (len(positive) - n)))


def auc_either_way(values: np.ndarray, positive: np.ndarray) -> float:
    """The same, whether a map shows it bright or dark."""
    bright = auc(values, positive)
    return max(bright, 1 - bright)
