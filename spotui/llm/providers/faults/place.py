"""Where a call goes, as errors name it, and what of a server's own words may be repeated."""

from collections.abc import Iterable

from spotui.secret import Secret

_LONGEST_QUOTE = 300


class Place:
    """A model at an endpoint, in the words of an error.

    Args:
        model: The model id as the user wrote it.
        base_url: The endpoint without credentials and query.
        secrets: What a quotation of the server must not repeat.
        has_key: Whether a key is sent.
        key_hint: What to do where none is and the endpoint asks for one; empty to set it.
    """

    def __init__(
        self, model: str, base_url: str, secrets: Iterable[Secret], *, has_key: bool, key_hint: str = ""
    ) -> None:
        self.model = model
        self.base_url = base_url
        self.has_key = has_key
        self.key_hint = key_hint or f"Set the key for {base_url}."
        self._secrets = tuple(secrets)

    def __str__(self) -> str:
        return f"{self.model} at {self.base_url}"

    def quote(self, text: str) -> str:
        """The server's words on one line, masked first and then cut, so that no part of a key is left."""
        # A part of one key may be a part of another: what stands as it is goes first.
        for secret in self._secrets:
            text = secret.redact_plain(text)
        for secret in self._secrets:
            text = secret.redact(text)
        line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1].rstrip() + "…"

    def sentence(self, head: str, words: str = "") -> str:
        """One sentence: what happened, followed by the server's own words where it said any."""
        quoted = self.quote(words)
        sentence = f"{head}: {quoted}" if quoted else head
        return sentence if sentence.endswith((*".!?…。！？",)) else f"{sentence}."
