"""An API key, held so that it cannot leak by accident."""

# Masking a key of one or two letters would make every message unreadable and hide nothing.
_SHORTEST_TELLING = 4


class Secret:
    """An API key that cannot be printed, compared in a log, or serialised by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself, for the one place that puts it into a header."""
        return self._value

    def redact(self, text: str) -> str:
        """The text with every occurrence of the key masked; servers like to echo it."""
        return text.replace(self._value, "[key]") if len(self._value) >= _SHORTEST_TELLING else text

    def __repr__(self) -> str:
        return "Secret([key])"
