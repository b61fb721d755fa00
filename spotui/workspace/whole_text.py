"""Text that can be written: halves of characters, which JSON and models let through, made whole."""


def whole_text(text: str) -> str:
    """The text with its surrogate pairs joined and every lone surrogate replaced with U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
