"""Copying through a multiplexer to a terminal that may be on another machine."""

import base64
import os

from spotui.domain.text import guard, visible_in_place


def passed_through(text: str) -> str:
    """What tmux hands on to the terminal outside, for its clipboard (OSC 52); empty where there is no tmux.

    tmux keeps the bare sequence to itself unless `set-clipboard` is on; it hands on a wrapped one where
    `allow-passthrough` is on.
    """
    if not os.environ.get("TMUX"):
        return ""
    bare = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07"
    return "\x1bPtmux;" + bare.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def guard_screen() -> None:
    """Paint every hidden character as a mark from now on."""
    from rich import text
    from textual import content

    guard(content, "_strip_control_codes", visible_in_place)  # every label, log, answer and toast
    guard(text, "strip_control_codes", visible_in_place)  # what is typed into: editors and input fields
