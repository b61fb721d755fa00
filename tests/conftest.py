"""What holds for every test."""

import faulthandler
import gc
import os
import signal
import sys
from collections.abc import Generator

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key
from hypothesis import settings

from tests import workers
from tests.fork_server import ForkServer

# A busy machine must not fail a property; what has to be quick is measured in benchmarks/. Whoever changes a
# parser or a format, and CI once, asks for `--hypothesis-profile thorough`.
settings.register_profile("spotui", deadline=None, max_examples=15)
settings.register_profile("thorough", deadline=None, max_examples=300)
settings.load_profile("spotui")

# Hundreds of tests start spotui as a process of its own, which would compile all of it each time; so would
# every worker with the tests.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.pop("PYTHONUNBUFFERED", None)

# A job that a script starts in the background ignores Ctrl-C, and one under nohup a hang-up; so would every
# process that a test starts. A handler is not inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

server = ForkServer()
"""Forks spotui, which takes a tenth of what a new interpreter takes to import it."""


def pytest_configure(config: pytest.Config) -> None:
    """Name our markers, and have workers report what is read."""
    config.addinivalue_line("markers", "real_interpreter: start spotui in a new interpreter, not by a fork")
    workers.speak_less(config)


def pytest_unconfigure() -> None:
    """End the server with the tests."""
    server.close()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Collect tests without looking for garbage: a third of the time, and all of it stays until the end."""
    gc.disable()
    try:
        workers.prepare(session.config)
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with all that takes litellm: one worker does it then, and only one takes seconds to import it."""
    items.sort(key=lambda item: "litellm" not in item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool, bool]:
    """Start new interpreters in the tests that are marked for it."""
    if item.get_closest_marker("real_interpreter") is None:
        return (yield)
    with server.suspended():
        return (yield)


def pytest_xdist_auto_num_workers() -> int:
    """Tests wait for servers, processes and screens half of the time; a worker collects for seconds."""
    return 2 * (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Limit the time of a teardown, too: pytest lifts its limit as soon as a test has failed."""
    seconds = float(item.config.getini("faulthandler_timeout"))
    if seconds:
        stderr = item.config.stash[fault_handler_stderr_fd_key]
        faulthandler.dump_traceback_later(seconds, file=stderr, exit=True)
    return (yield)
