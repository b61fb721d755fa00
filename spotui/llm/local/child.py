"""Runs a Python module or file as a child that ends when its parent ends, however that ends.

Started by path, without spotui on its import path: `python -P child.py TARGET ARGUMENTS...`, with a pipe
from the parent as its standard input. The parent writes nothing into it: its end is the parent's end.
"""

import contextlib
import ctypes
import os
import runpy
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    # The kernel's signal comes even while a long call holds the interpreter; the pipe works on every system.
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch_pipe, daemon=True).start()


def _watch_pipe() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    os._exit(0)


def main() -> None:
    """Run the module or file that the command line names, with the rest of the command line as its own."""
    target = sys.argv[1]
    del sys.argv[0]
    _end_with_parent()
    if target.endswith(".py"):
        runpy.run_path(target, run_name="__main__")
    else:
        runpy.run_module(target, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
