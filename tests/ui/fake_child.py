"""Stands in for the command line: speaks its events, does no work.

The first argument says how it behaves; all its arguments come back in an ``arguments`` event.
One that waits writes into the file that ``--kept`` names when asked to stop.
"""

import json
import sys
import threading
import time
from pathlib import Path

behaviour, *arguments = sys.argv[1:]
stop = threading.Event()


def emit(event, **content):
    print(json.dumps({"event": event, **content}), flush=True)


def listen():
    for line in sys.stdin:
        if line.strip() == "stop":
            break
    stop.set()


threading.Thread(target=listen, daemon=True).start()
emit("arguments", arguments=arguments)
if behaviour == "works":
    print("a library's chatter", flush=True)
    emit("progress", done=1, total=2, message="half µm way")
    emit("done", result="maps.zarr")
elif behaviour == "warns":
    emit("warning", message="2 patterns could not be read")
    emit("progress", done=1, total=2, message="half way")
    emit("warning", message="too little memory")
    emit("done", result="maps.zarr")
elif behaviour == "refuses":
    emit("error", message="scan.up2: expected 100 bytes, found 90", kind="PatternFileError")
    sys.exit(1)
elif behaviour == "crashes":
    sys.exit("MemoryError: no room")
elif behaviour == "clusters":
    emit("cluster", workers=3, dashboard="http://127.0.0.1:8787/status")
    emit("progress", done=0, total=0, message="waiting")
    stop.wait(30)
    emit("stopped")
    sys.exit(3)
elif behaviour == "waits":
    emit("progress", done=0, total=0, message="waiting")
    stop.wait(30)
    if "--kept" in arguments:
        Path(arguments[arguments.index("--kept") + 1]).write_text("all that was finished")
    emit("stopped")
    sys.exit(3)
elif behaviour == "ignores":
    emit("progress", done=0, total=0, message="waiting")
    time.sleep(30)
elif behaviour == "pretends":
    # Takes the arguments of train and encode, and makes what they would make.
    import numpy as np

    from napari_kikuchi.io.map_store import write_maps
    from napari_kikuchi.maps import Channel, MapStack

    command, scan = arguments[:2]
    out = Path(arguments[arguments.index("--out") + 1])
    if command == "train":
        out.mkdir(parents=True, exist_ok=True)
        live = None
        if "--watch" in arguments:
            top, bottom, left, right = map(
                int, arguments[arguments.index("--watch") + 1].split(",")
            )
            live = out / "live.npy"
            np.save(
                live, np.random.default_rng(0).random((4, bottom - top, right - left), np.float32)
            )
        for step in range(1, 6):
            emit(
                "training",
                done=step,
                total=5,
                message=f"Epoch {step} of 5",
                epoch=step,
                epochs=5,
                step=step,
                train_loss=1 / step,
                validation_loss=1.1 / step,
                patterns_per_second=2000.0,
                active_features=3,
                latent=4,
                best=True,
                live=live and str(live),
            )
            time.sleep(0.02)
        model = out / "model.safetensors"
        model.write_bytes(b"a model")
        emit("done", result=str(model))
    else:
        values = np.random.default_rng(0).random((3, 5, 6), np.float32)
        channels = [Channel(f"feature {i + 1}", score=i / 3) for i in range(3)]
        # What was fitted to a scan knows it.
        known = command == "maps" or "linear" in arguments[arguments.index("--model") + 1]
        provenance = {"familiarity": {"known": known}}
        write_maps(out, MapStack(values, channels, (0.5, 0.25), provenance))
        emit("done", result=str(out))
