"""A 4D-STEM scan in a file, with steps in nm."""

import numpy as np
from rsciio.hspy import file_writer


def write_spot_file(path, scan):
    """Write a scan of which the steps are 2 nm, and nothing is told of the detector."""
    sizes = dict(zip(("y", "x", "dy", "dx"), scan.shape, strict=True))
    scales = {"y": 2.0, "x": 2.0, "dy": 1.0, "dx": 1.0}
    axes = [
        {
            "name": name,
            "size": size,
            "scale": scales[name],
            "offset": 0.0,
            "units": "nm" if number < 2 else "px",
            "navigate": number < 2,
            "index_in_array": number,
        }
        for number, (name, size) in enumerate(sizes.items())
    ]
    content = {
        "data": np.asarray(scan.patterns),
        "axes": axes,
        "metadata": {
            "General": {"title": path.stem},
            "Signal": {"signal_type": "electron_diffraction"},
        },
        "original_metadata": {},
        "attributes": {"_lazy": False},
        "package_info": {"package": "hyperspy", "package_version": "2.3"},
        "tmp_parameters": {},
        "learning_results": {},
        "models": {},
    }
    file_writer(str(path), content)
    return path
