import io
import os
import signal

import pytest

from spotui.tui.terminal_driver import _Output


class Gone(io.StringIO):
    """A terminal that has gone away."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")

    def flush(self) -> None:
        raise OSError(5, "Input/output error")


def test_a_terminal_that_is_gone_ends_the_app_once_and_holds_up_no_writer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    output = _Output(Gone())
    output.write("text")
    output.write("more")
    output.flush()
    assert sent == [(os.getpid(), signal.SIGHUP)]


def test_a_terminal_that_is_there_gets_everything() -> None:
    terminal = io.StringIO()
    output = _Output(terminal)
    output.write("te")
    output.write("xt")
    output.flush()
    assert terminal.getvalue() == "text"
