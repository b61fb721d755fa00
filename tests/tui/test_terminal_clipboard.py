"""Copying to a terminal that may be far away."""

import base64

import pytest

from spotui.tui.terminal import passed_through


def test_tmux_is_asked_to_hand_the_text_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")  # noqa: S108
    wrapped = passed_through("prompt 猫\n")
    assert wrapped.startswith("\x1bPtmux;")
    assert wrapped.endswith("\x1b\\")
    inside = wrapped.removeprefix("\x1bPtmux;").removesuffix("\x1b\\")
    # In a passthrough every escape character is doubled.
    bare = inside.replace("\x1b\x1b", "\x1b")
    assert inside.count("\x1b") == 2 * bare.count("\x1b")
    assert bare.startswith("\x1b]52;c;")
    assert bare.endswith("\x07")
    assert base64.b64decode(bare.removeprefix("\x1b]52;c;").removesuffix("\x07")).decode() == "prompt 猫\n"


def test_without_tmux_there_is_nothing_to_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    assert passed_through("prompt") == ""
