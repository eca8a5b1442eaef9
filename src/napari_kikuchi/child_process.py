"""Calls for which a thread will not do, in a child process that is asked and answers.

A library call of minutes can neither be cancelled nor, while it holds the interpreter, does it let
any other thread go on. In a child process it can be ended at any moment. The child is this module,
run by its name: multiprocessing would, where it cannot fork, run once more the script that opened
the window. Questions and answers go through pipes, so that nothing lies on disk to be left behind;
and the child's standard input ends with the process that asks, however that ends, and the child
with it.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

import psutil

from napari_kikuchi.jobs import Job, Progress

# How long the one who asks waits between two moments at which it can be cancelled.
_PATIENCE_S = 0.1
# On Unix, of 19.
_NICE = 10
_STDERR_TAIL = 4_000
_READY, _FRACTION, _ANSWER, _ERROR = "ready", "fraction", "answer", "error"

if sys.platform == "win32":
    # A console would open beside the window.
    _FLAGS = subprocess.CREATE_NO_WINDOW
else:
    _FLAGS = 0

Tell = Callable[[float], None]


class ChildError(RuntimeError):
    """What a child could not do, or that it is gone; the message is for people to read.

    Its notes hold what the child wrote to its standard error.
    """


class Child:
    """An object that lives in a process of its own; a context, at whose end that process ends.

    Parameters
    ----------
    worker
        Class of the object, which the child imports. It is made from a function that tells which
        fraction of an answer is done, and the arguments.
    arguments
        Of the worker.
    title
        What errors say has failed.
    """

    def __init__(self, worker: Callable[..., Any], *arguments: Any, title: str) -> None:
        self._title = title
        self._messages: queue.SimpleQueue[tuple[str, Any] | None] = queue.SimpleQueue()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (open until the end)
        self._process = subprocess.Popen(
            # Without -P the working folder's modules would come first. Warnings are for developers.
            [sys.executable, "-P", "-W", "ignore", "-m", "napari_kikuchi.child_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            creationflags=_FLAGS,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._questions, self._answers = self._process.stdin, self._process.stdout
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        # Small enough for a pipe that nobody reads yet.
        self._send((worker, arguments))
        self._ready = False

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def ask(self, method: str, *arguments: Any, progress: Callable[[float], Progress]) -> Job[Any]:
        """Call a method of the worker.

        Parameters
        ----------
        method
            Its name.
        arguments
            What it is called with; kept in memory twice until the child has read them.
        progress
            The update for a fraction of the answer.

        Yields
        ------
        Progress
            Several a second, whether the child tells anything or not.

        Raises
        ------
        ChildError
            If the method raised an exception, or the child is gone.
        """
        fraction = 0.0
        while not self._ready:  # It would not read, and a full pipe would hold this thread up.
            self._ready = self._next() is not None
            yield progress(fraction)
        self._send((method, arguments))
        while True:
            kind, value = self._next() or (_FRACTION, fraction)
            if kind == _ANSWER:
                return value
            fraction = value
            yield progress(fraction)

    def end(self) -> None:
        """End the child at once, whatever it does."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        with suppress(OSError):  # What it has not read any more.
            self._questions.close()
        self._answers.close()
        self._errors.close()

    def _send(self, message: Any) -> None:
        with suppress(OSError):  # It is gone, and the listener has noticed.
            pickle.dump(message, self._questions, pickle.HIGHEST_PROTOCOL)
            self._questions.flush()

    def _listen(self) -> None:
        # The last message of a child that was ended may be half a one.
        with suppress(EOFError, pickle.UnpicklingError, OSError):
            while True:
                self._messages.put(pickle.load(self._answers))
        self._messages.put(None)

    def _next(self) -> tuple[str, Any] | None:
        """The next message; None if none comes for a while."""
        try:
            message = self._messages.get(timeout=_PATIENCE_S)
        except queue.Empty:
            return None
        if message is None:
            code = self._process.wait()
            last = self._details().rsplit("\n", 1)[-1] or "it left no message"
            raise self._error(
                f"its process ended with code {code}: {last}. If memory ran out, close other "
                "programs and try again."
            )
        if message[0] == _ERROR:
            raise self._error(message[1])
        return message

    def _error(self, text: str) -> ChildError:
        error = ChildError(f"{self._title} failed: {text}")
        error.add_note(self._details())
        return error

    def _details(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace").strip()[-_STDERR_TAIL:]


def yield_processor(process_id: int) -> None:
    """Let other processes, such as that of the window, go before one where both want to work."""
    with suppress(psutil.Error):  # Ended already, or not allowed: it runs as it is.
        process = psutil.Process(process_id)
        if psutil.WINDOWS:
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:  # The one that started it may have been started with less priority still.
            process.nice(max(process.nice(), _NICE))


def main() -> None:
    """Answer, in the child, until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "wb")
    # What libraries print is no answer.
    os.dup2(2, 1)
    # Ctrl-C in a terminal is meant for the one who asks.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield_processor(os.getpid())
    questions: queue.SimpleQueue[tuple[Any, tuple]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(questions,), daemon=True).start()
    try:
        _answer(questions, answers)
    finally:
        # An end in order would abort on the thread that still reads.
        os._exit(1)


def _read(questions: queue.SimpleQueue[tuple[Any, tuple]]) -> None:
    try:
        while True:
            questions.put(pickle.load(sys.stdin.buffer))
    except EOFError:
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _answer(questions: queue.SimpleQueue[tuple[Any, tuple]], answers: IO[bytes]) -> None:
    # A worker may tell from several threads how far it is.
    one_at_a_time = threading.Lock()

    def tell(kind: str, content: Any = None) -> None:
        with one_at_a_time:
            pickle.dump((kind, content), answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()

    try:
        make, arguments = questions.get()
        worker = make(lambda fraction: tell(_FRACTION, fraction), *arguments)
        tell(_READY)
        while True:
            method, arguments = questions.get()
            tell(_ANSWER, getattr(worker, method)(*arguments))
    except Exception as error:
        traceback.print_exc()
        sys.stderr.flush()
        out = "memory ran out. " if isinstance(error, MemoryError) else ""
        tell(_ERROR, f"{out}{str(error) or type(error).__name__}")


if __name__ == "__main__":
    main()
