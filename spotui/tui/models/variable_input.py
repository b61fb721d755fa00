"""A field for a variable's name, into which no key can be pasted."""

from textual.message import Message
from textual.widgets import Input


class VariableInput(Input):
    """Takes capitals, digits and underscores: a key holds small letters, and would be seen here."""

    class Refused(Message):
        """Something else was typed or pasted."""

    def __init__(self, value: str, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(
            value,
            placeholder="an environment variable, such as MY_API_KEY",
            id=id,
            compact=True,
            restrict=r"[A-Z_][A-Z0-9_]*",
        )

    def restricted(self) -> None:
        """Say what can stand here."""
        self.post_message(self.Refused())
