"""A text where there is room for a line."""


def short(text: str, size: int = 100) -> str:
    """A text on one line, cut where it is long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= size else flat[: size - 1] + "…"
