"""Keeping a text from commanding the terminal that the app paints."""

from spotui.controls import keep_out


def keep_out_controls() -> None:
    """Leave out every control character of what is painted from now on."""
    from rich import control
    from textual import content

    keep_out(content, control)
