"""Starts `python -m spotui` by a fork of an interpreter that has imported it already.

Hundreds of tests start spotui as a process, and an interpreter takes half a second to import it. So a process
that starts spotui has a server: an interpreter that has imported everything, and only forks. The fork is a
child of the process that asked, with the arguments, environment, folder, descriptors, ignored signals and
terminal that were asked for; `subprocess` works with it as with any other child. A command that starts spotui
itself has a server in turn.

Commands that cannot be forked get a real interpreter: on other systems than Linux, in tests marked
`real_interpreter`, and with options or variables that only a new interpreter takes.
"""

import atexit
import ctypes
import fcntl
import gc
import importlib
import io
import json
import os
import pkgutil
import platform
import runpy
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = str(Path(__file__).parents[1])

_COMMANDS = (["-m", "spotui"], ["-P", "-m", "spotui"])
_CLONE_PARENT = 0x8000
_CLONE = {"x86_64": 56, "aarch64": 220}.get(platform.machine(), 0)
"""The number of the system call."""

_LOW = 200
"""Descriptors wait above this number until those below are set."""

_PROGRAMS = ("__main__", "agent_tools", "child", "serve", "of_dspy", "of_gepa")
"""Modules that do their work when they are imported, or that need a package which not everybody has."""

_LATE = ("aiohttp", "aiolimiter", "chardet", "filelock", "rapidfuzz", "regex", "rich.live", "ssl", "yaml")
"""Modules of others that spotui imports when it needs them."""

_READ_ONCE = ("PYTHON", "LC_", "LANG", "MALLOC_", "LD_")
"""Beginnings of the variables that an interpreter reads when it starts."""


def take_terminal() -> None:
    """Make standard input the controlling terminal of a session that this process leads."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@dataclass(frozen=True)
class Order:
    """A process to start; its descriptors and its folder come beside it.

    Attributes:
        words: The arguments of spotui.
        environ: The environment.
        targets: The numbers of its descriptors.
        ignored: The signals that it ignores.
        searches_folder: Whether modules are looked for in its folder first.
        leads_session: Whether it gets a session of its own.
        takes_terminal: Whether its standard input becomes its controlling terminal.
    """

    words: list[str]
    environ: dict[str, str]
    targets: list[int]
    ignored: list[int]
    searches_folder: bool
    leads_session: bool
    takes_terminal: bool


def _unknown(*_: Any) -> int:
    raise NotImplementedError


class ForkServer:
    """The server of this process.

    Args:
        link: Where it is asked; without one it starts with the first order.
    """

    def __init__(self, link: socket.socket | None = None) -> None:
        self._link = link
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        self._is_suspended = False
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._fork_exec: Callable[..., int] = getattr(subprocess, "_fork_exec", _unknown)
        if self._fork_exec is not _unknown and sys.platform == "linux" and _CLONE:
            subprocess._fork_exec = self._start  # type: ignore[attr-defined]

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Let every command start a real interpreter meanwhile."""
        self._is_suspended = True
        try:
            yield
        finally:
            self._is_suspended = False

    def close(self) -> None:
        """End the server; later commands start real interpreters."""
        self._is_suspended = True
        if self._link is not None:
            self._link.close()
            self._link = None
        if self._process is not None:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _start(
        self, args: Any, executables: Any, close: bool, keep: Any, cwd: Any, env: Any, *more: Any
    ) -> int:
        """Stand in for the function of `subprocess` that forks and executes; returns the process's id."""
        stdin, _, _, stdout, _, stderr, _, errors, _, leads_session, *others, prepare, _ = more
        words = [os.fsdecode(word) for word in args]
        options = words[1 : words.index("spotui") + 1] if "spotui" in words[:4] else []
        lines = [f"{name}={value}" for name, value in os.environ.items()] if env is None else env
        environ = dict(os.fsdecode(line).split("=", 1) for line in lines)
        if (
            self._is_suspended
            or words[0] != sys.executable
            or options not in _COMMANDS
            or not close
            or others != [-1, None, None, None, -1]
            or prepare not in {None, take_terminal}
            or _read_once(environ) != _read_once(self._environ)
        ):
            return self._fork_exec(args, executables, close, keep, cwd, env, *more)
        pairs = {0: stdin, 1: stdout, 2: stderr} | {handle: handle for handle in keep if handle != errors}
        handles = {target: target if handle < 0 else handle for target, handle in pairs.items()}
        handles = {target: handle for target, handle in handles.items() if _is_open(handle)}
        order = Order(
            words[len(options) + 1 :],
            environ,
            list(handles),
            [number for number in signal.valid_signals() if signal.getsignal(number) is signal.SIG_IGN],
            "-P" not in options,
            bool(leads_session),
            prepare is take_terminal,
        )
        folder = os.open(cwd or ".", os.O_PATH | os.O_DIRECTORY)
        try:
            return self._ask(order, [*handles.values(), folder])
        finally:
            os.close(folder)

    def _ask(self, order: Order, handles: Sequence[int]) -> int:
        body = json.dumps(asdict(order)).encode()
        with self._lock:
            if self._link is None:
                self._link = self._open()
            socket.send_fds(self._link, [len(body).to_bytes(8)], handles)
            self._link.sendall(body)
            reply = self._link.recv(8)
        if not reply:
            raise RuntimeError("the server of forks has ended")
        return int.from_bytes(reply)

    def _open(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())],
                env={**self._environ, "PYTHONPATH": ROOT},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        return ours


def _read_once(environ: Mapping[str, str]) -> dict[str, str]:
    found = {name: value for name, value in environ.items() if name.startswith(_READ_ONCE)}
    found.pop("PYTHONPATH", None)
    return found


def _is_open(handle: int) -> bool:
    try:
        os.fstat(handle)
    except OSError:
        return False
    return True


def main() -> None:
    """Serve the process at the other end of a socket, and run spotui in each process that comes from it."""
    path = sys.path[2:]  # without this folder, first as such and then as what PYTHONPATH names
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    link = socket.socket(fileno=int(sys.argv[1]))
    _import_everything()
    while True:
        order = _serve(link)
        sys.path[:] = [*_first_folders(order), *path, ROOT]
        if not _starts_spotui(order.words):
            link.close()
            break
        ours, link = socket.socketpair()
        if os.fork():
            link.close()
            ForkServer(ours)
            break
        link = _alone(link)
    if signal.SIGINT not in order.ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv[1:] = order.words
    gc.freeze = lambda: None  # or nothing that spotui forgets could complain at the end
    try:
        runpy.run_module("spotui", run_name="__main__", alter_sys=True)
    except SystemExit as error:
        _leave(error.code)
        raise
    _leave(0)


def _starts_spotui(words: Sequence[str]) -> bool:
    """Whether a command starts spotui in turn: a fork of a second server takes as long as many commands do.

    If another one does, that is a real interpreter.
    """
    return not words or words[0].startswith(("--lang", "mcp", "serve")) or "--detach" in words


def _leave(code: object) -> None:
    """End as an interpreter does, but leave its hundred thousand objects to the system.

    Return when there is something to say, so that the interpreter says it while it ends.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    gc.collect()  # what was forgotten may complain
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return
    if code is None or isinstance(code, int):
        os._exit(code or 0)


def _import_everything() -> None:
    import spotui

    for module in pkgutil.walk_packages(spotui.__path__, "spotui."):
        if not module.name.endswith(_PROGRAMS):
            importlib.import_module(module.name)
    for name in _LATE:
        importlib.import_module(name)
    importlib.import_module("spotui.llm.tokens").count_tokens("")  # reads the vocabulary
    gc.collect()
    gc.freeze()


def _serve(link: socket.socket) -> Order:
    """Fork a sibling for each order, and return in the sibling; end when nobody is left to ask."""
    system, python = ctypes.PyDLL(None), ctypes.pythonapi
    while True:
        size, handles, _, _ = socket.recv_fds(link, 8, _LOW)
        if not size:
            os._exit(0)
        body = b""
        while len(body) < int.from_bytes(size):
            body += link.recv(int.from_bytes(size) - len(body))
        python.PyOS_BeforeFork()
        pid = system.syscall(_CLONE, _CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0)
        if pid == 0:
            python.PyOS_AfterFork_Child()
            link.detach()
            order = Order(**json.loads(body))
            _become(order, handles)
            return order
        python.PyOS_AfterFork_Parent()
        for handle in handles:
            os.close(handle)
        link.sendall(pid.to_bytes(8))


def _first_folders(order: Order) -> list[str]:
    """The folders in which modules are looked for first."""
    named = order.environ.get("PYTHONPATH", "")
    return [str(Path.cwd())] * order.searches_folder + (named.split(os.pathsep) if named else [])


def _alone(link: socket.socket) -> socket.socket:
    """Close every descriptor but that of the socket."""
    link = socket.socket(fileno=fcntl.fcntl(link.detach(), fcntl.F_DUPFD_CLOEXEC, _LOW))
    os.closerange(0, _LOW)
    for _ in range(3):
        os.open(os.devnull, os.O_RDWR)
    return link


def _become(order: Order, handles: Sequence[int]) -> None:
    """Give this process what was ordered."""
    *waiting, folder = [fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, _LOW) for handle in handles]
    os.closerange(0, _LOW)
    for target, handle in zip(order.targets, waiting, strict=True):
        os.dup2(handle, target)
    os.fchdir(folder)
    for handle in (*waiting, folder):
        os.close(handle)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ}:
        ignored = number in order.ignored or number == signal.SIGINT
        signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)
    if order.leads_session:
        os.setsid()
    if order.takes_terminal:
        take_terminal()
    os.environ.clear()
    os.environ.update(order.environ)
    time.tzset()
    for handle, name in enumerate(("stdin", "stdout", "stderr")):
        stream = _stream(handle, getattr(sys, name)) if handle in order.targets else None
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _stream(handle: int, before: io.TextIOWrapper) -> io.TextIOWrapper:
    """A standard stream as a new interpreter would open it."""
    buffer = open(handle, before.mode + "b", closefd=False)  # noqa: SIM115 - it stays open
    stream = io.TextIOWrapper(
        buffer, before.encoding, before.errors, newline="\n", line_buffering=handle == 2 or os.isatty(handle)
    )
    vars(stream)["mode"] = before.mode
    return stream


if __name__ == "__main__":
    main()
