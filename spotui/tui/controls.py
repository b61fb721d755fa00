"""Keeping a text from commanding the terminal."""

_KEPT = "\t\n"


def keep_out_controls() -> None:
    """Leave out every control character of what is painted from now on.

    What a model writes is painted as it is. Textual and Rich leave out five control characters, and let the
    escape character through: an answer could clear the screen or write to the clipboard. Neither has an
    option for it, so their tables of what is left out are made longer.
    """
    from rich import control
    from textual import content

    codes = [*range(32), *range(127, 160)]
    more = {code: None for code in codes if chr(code) not in _KEPT}
    for module in (content, control):
        getattr(module, "_CONTROL_STRIP_TRANSLATE", {}).update(more)
