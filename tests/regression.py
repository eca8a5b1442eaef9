"""A small model whose solution is known, for tests of the training loop."""

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from napari_kikuchi.jobs import Progress
from napari_kikuchi.training import TrainingSettings, TrainingUpdate

TRUTH = torch.tensor([[1.0, -2.0, 0.5]])


class Regression(torch.nn.Module):
    """Finds the matrix that made the targets, from noisy inputs."""

    def __init__(self, noise):
        super().__init__()
        torch.manual_seed(0)
        self.linear = torch.nn.Linear(3, 1, bias=False)
        self.noise = noise

    def forward(self, batch, generator, step=0):
        noise = self.noise * torch.randn(batch.shape, generator=generator)
        return (self.linear(batch + noise) - batch @ TRUTH.T).square().mean()


class RegressionTask:
    def __init__(self, noise=0.1, name="regression"):
        self.module = Regression(noise)
        self.name = name
        self.saved = []

    def identity(self):
        return {"task": self.name, "truth": (1, -2)}

    def validate(self, batches):
        losses = []
        with torch.inference_mode():
            for batch in batches:
                losses.append(float(self.module(batch, torch.Generator().manual_seed(0))))
                yield Progress(len(losses), 0, "Validating")
        return {"loss": float(np.mean(losses)), "parts": len(losses)}

    def save(self, path, metrics):
        save_file({"weight": self.module.linear.weight.detach().numpy()}, path)
        self.saved.append(dict(metrics))


def settings(**changes):
    given = {"epochs": 5, "batch": 16, "learning_rate": 0.05, "warm_up": 3, "device": "cpu"}
    return TrainingSettings(**(given | changes))


def stop_after(job, steps):
    """Close a training after so many steps, as a cancel does."""
    for update in job:
        if isinstance(update, TrainingUpdate) and update.step == steps:
            job.close()
            return
    raise AssertionError("the training ended before it was stopped")


def files(folder):
    """Tensors of model and checkpoint."""
    return {
        f"{file.name} {name}": tensor
        for file in sorted(folder.glob("*.safetensors"))
        for name, tensor in load_file(file).items()
    }


def assert_same_files(first, second):
    one, other = files(first), files(second)
    assert one.keys() == other.keys()
    assert len(one) > 3
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
