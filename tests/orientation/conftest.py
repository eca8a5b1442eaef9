"""What the tests of orientations share."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation


@pytest.fixture(scope="session")
def random_rotations():
    return lambda n, seed=0: Rotation.random(n, rng=np.random.default_rng(seed)).as_matrix()
