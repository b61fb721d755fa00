"""Runs one command as a child that ends when its parent ends, with all that it has started.

Started by path as `python -I -S keeper.py PIPE COMMAND...`. PIPE is the number of the reading end of a pipe
whose other end only the parent holds: when that is closed, also because the parent was killed, the command is
killed. Its standard input, output and error are those of the command. It exits as the command does, with 128
and the signal's number where the command was killed by one.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_NOT_STARTED = 127


def main() -> None:
    """Run the command of the command line."""
    pipe, command = int(sys.argv[1]), sys.argv[2:]
    _control(_PR_SET_CHILD_SUBREAPER, 1)  # what the command leaves behind becomes a child of this process
    child = os.fork()
    if child == 0:
        _become(pipe, command)
    _let_go()
    threading.Thread(target=_watch, args=(pipe, child), daemon=True).start()
    _, status = os.waitpid(child, 0)
    _kill(child)
    _kill_orphans()
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _become(pipe: int, command: list[str]) -> None:
    os.close(pipe)
    os.setsid()
    _control(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for one in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(one, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - the user has agreed to it
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    os._exit(_NOT_STARTED)


def _let_go() -> None:
    """Hold the command's input and output open no longer: their ends are the command's."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nothing, handle)
    os.close(nothing)


def _watch(pipe: int, child: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(pipe, 4096):
            pass
    _kill(child)


def _kill(child: int) -> None:
    """Kill the command's session; the command itself, too, where it has not made one yet."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            kill(child, signal.SIGKILL)


def _kill_orphans() -> None:
    """Kill what the command started in other sessions; each that is killed leaves us its children."""
    with contextlib.suppress(OSError):
        while sys.platform == "linux":
            with open(f"/proc/self/task/{os.getpid()}/children") as file:  # noqa: PTH123 - few imports
                children = file.read().split()
            for child in children:
                os.kill(int(child), signal.SIGKILL)
            os.waitpid(-1, 0)  # an error once there is none


def _control(option: int, value: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value)


if __name__ == "__main__":
    main()
