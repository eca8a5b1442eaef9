"""A training shared by two devices: started by a test as a command of its own.

Arguments: folder, number of devices.
"""

import sys

import numpy as np

from napari_kikuchi.jobs import finish
from napari_kikuchi.training import TrainingData, train
from test_training import RegressionTask, settings

if __name__ == "__main__":
    folder, devices = sys.argv[1], int(sys.argv[2])
    rng = np.random.default_rng(0)
    patterns = rng.normal(size=(100, 3)).astype(np.float32)
    data = TrainingData(patterns[:80], patterns[80:])
    finish(train(RegressionTask(noise=0), data, settings(devices=devices), folder))
