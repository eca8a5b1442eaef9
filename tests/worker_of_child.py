"""What a child process is made to do in tests."""

import os
import re
import time


class Worker:
    """Answers, fails or dies as asked."""

    def __init__(self, tell, able=True):
        self._tell = tell
        if not able:
            raise ImportError("a library is missing")

    def repeat(self, *content):
        print("a library's chatter", flush=True)
        for step in range(1, 4):
            self._tell(step / 4)
        return content

    def process_id(self):
        return os.getpid()

    def refuse(self):
        raise ValueError("expected 3 dimensions, found 2")

    def want_memory(self):
        raise MemoryError

    def die(self):
        os.write(2, b"no room in memory\n")
        os._exit(7)

    def sleep(self):
        self._tell(0.5)
        time.sleep(60)

    def hold_the_interpreter(self):
        self._tell(0.5)
        # Nothing else runs in this process until the heat death of the universe.
        re.match("(a+)+$", 50 * "a" + "b")
