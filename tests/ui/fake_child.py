"""Stands in for the command line: speaks its events, does no work.

The first argument says how it behaves; all its arguments come back in an ``arguments`` event.
"""

import json
import sys
import threading
import time

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
elif behaviour == "refuses":
    emit("error", message="scan.up2: expected 100 bytes, found 90", kind="PatternFileError")
    sys.exit(1)
elif behaviour == "crashes":
    sys.exit("MemoryError: no room")
elif behaviour == "waits":
    emit("progress", done=0, total=0, message="waiting")
    stop.wait(30)
    emit("stopped")
    sys.exit(3)
elif behaviour == "ignores":
    emit("progress", done=0, total=0, message="waiting")
    time.sleep(30)
