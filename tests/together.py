"""A training that several devices share: started by tests as a command of its own.

Arguments: folder, number of devices, and one of "whole", "stopped" (after 7 steps), "resumed" and
"failing" (while validating for the second time).
"""

import sys

import numpy as np

from napari_kikuchi.devices import helps_another
from napari_kikuchi.jobs import finish
from napari_kikuchi.training import TrainingData, train
from regression import RegressionTask, settings, stop_after


class FailingTask(RegressionTask):
    def validate(self, batches):
        if self.saved:
            raise OSError("no space left")
        return super().validate(batches)


if __name__ == "__main__":
    folder, devices, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    rng = np.random.default_rng(0)
    patterns = rng.normal(size=(100, 3)).astype(np.float32)
    data = TrainingData(patterns[:80], patterns[80:])
    # Noise differs between the devices, so without it alone they do what one does.
    task = FailingTask() if mode == "failing" else RegressionTask(noise=0)
    job = train(task, data, settings(devices=devices), folder, resume=mode == "resumed")
    if mode == "stopped" and not helps_another():
        stop_after(job, 7)
    else:
        finish(job)
