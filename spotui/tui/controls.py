"""Keeping a text from commanding the terminal that the app paints, and from hiding anything on it."""

from spotui.controls import guard, visible_in_place


def guard_screen() -> None:
    """Paint every hidden character as a mark from now on."""
    from rich import text
    from textual import content

    guard(content, "_strip_control_codes", visible_in_place)  # every label, log, answer and toast
    guard(text, "strip_control_codes", visible_in_place)  # what is typed into: editors and input fields
