"""An API key, held so that it cannot leak by accident, and found again in what servers say.

Servers echo keys, whole or cut short, and a hostile one may disguise what it echoes. Found are the key in any
case, its parts of eight characters and more, and the same in base64, in hexadecimal, backwards and in the
escapes of an address.
"""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Final, NamedTuple

_MASK: Final = "[key]"

# Masking a key of one or two letters would make every message unreadable and hide nothing.
_SHORTEST_TELLING: Final = 4

_LONGEST_PLACEHOLDER: Final = 19
_SCHEME: Final = re.compile(
    r"(?:sk-(?:proj-|svcacct-|admin-|ant-(?:\w+\d\d-)?|or-(?:v\d-)?|lm-)?"
    r"|gsk_|hf_|aiza|xai-|pplx-|r8_|nvapi-|tgp_v\d_|fw_|csk-)",
    re.IGNORECASE,
)
"""How providers' keys begin; that part is no secret."""

_SEED: Final = 4
_PART: Final = 8
_BASE64_PART: Final = 12
_HEX_PART: Final = 16

_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Secret:
    """An API key that cannot be printed, compared in a log, or serialised by accident."""

    __slots__ = ("__dict__", "_value")

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself, for the one place that puts it into a header."""
        return self._value

    @property
    def is_key_like(self) -> bool:
        """Whether it is a key by its looks: local servers are given words such as `none` or `ollama`."""
        value = self._value
        has_digit = any(character.isdigit() for character in value)
        is_long = len(value) > _LONGEST_PLACEHOLDER or (len(value) >= _PART and has_digit)
        return is_long or _SCHEME.match(value) is not None

    def redact(self, text: str) -> str:
        """The text with every occurrence of the key masked, also in disguise; servers like to echo it."""
        text = self.redact_plain(text)
        for form in self._forms if self.is_key_like else ():
            text = form.mask(text)
        return text

    def redact_plain(self, text: str) -> str:
        """The text with the key masked where it stands as it is."""
        return text.replace(self._value, _MASK) if len(self._value) >= _SHORTEST_TELLING else text

    def open_end(self, text: str) -> int:
        """How many characters at the end of a text may be the beginning of the key, or of a part of it."""
        return max((form.open_end(text) for form in self._forms), default=0) if self.is_key_like else 0

    @cached_property
    def _forms(self) -> "tuple[_Form, ...]":
        from base64 import b64encode
        from urllib.parse import quote

        value, raw = self._value, self._value.encode()
        scheme = _SCHEME.match(value)
        forms = [
            _Form.of(value, min(_PART, len(value)), is_folded=True, known=scheme.end() if scheme else 0),
            _Form.of(value[::-1], _PART + 2, is_folded=True),
            _Form.of(raw.hex(), min(_HEX_PART, 2 * len(raw)), is_folded=True),
        ]
        if (escaped := quote(value, safe="")) != value:
            forms.append(_Form.of(escaped, _PART, is_folded=True))
        # What stands in front of the key shifts its bits, so there are three encodings of its middle.
        for before in range(3):
            encoded = b64encode(bytes(before) + raw).decode()
            whole = encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
            forms.append(_Form.of(whole, min(_BASE64_PART, len(whole)), is_folded=False))
        return tuple(form for form in forms if len(form.text) >= form.least >= _PART - 1)

    def __repr__(self) -> str:
        return "Secret([key])"


class Redactor:
    """Masks keys in a text that comes in pieces; what may be the beginning of one is held back.

    Args:
        secrets: The keys.
    """

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._secrets = [secret for secret in secrets if secret.is_key_like]
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be shown now."""
        if not self._secrets:
            return piece
        text = self._held + piece
        settled = len(text) - max(secret.open_end(text) for secret in self._secrets)
        self._held = text[settled:]
        return redacted(text[:settled], self._secrets)

    def flush(self) -> str:
        """What was held back, at the end."""
        text, self._held = self._held, ""
        return redacted(text, self._secrets)


def redacted(text: str, secrets: Iterable[Secret]) -> str:
    """A text with every key masked that is one by its looks."""
    for secret in secrets:
        if text and secret.is_key_like:
            text = secret.redact(text)
    return text


class _Form(NamedTuple):
    """One way of writing a key.

    Attributes:
        text: The key, so written.
        least: The shortest part that is masked.
        is_folded: Whether upper and lower case count as the same.
        known: Characters at its beginning that are no secret.
        seeds: Where each run of four characters occurs in it.
        probes: Some of these runs: every part that is long enough holds one.
    """

    text: str
    least: int
    is_folded: bool
    known: int
    seeds: dict[str, list[int]]
    probes: tuple[str, ...]

    @classmethod
    def of(cls, text: str, least: int, *, is_folded: bool, known: int = 0) -> "_Form":
        """The form for a text."""
        folded = text.lower() if is_folded else text
        runs = [folded[place : place + _SEED] for place in range(len(folded) - _SEED + 1)]
        seeds: dict[str, list[int]] = {}
        for place, run in enumerate(runs):
            seeds.setdefault(run, []).append(place)
        return cls(folded, least, is_folded, known, seeds, tuple(runs[:: max(1, least - _SEED + 1)]))

    def mask(self, text: str) -> str:
        """The text with every part of the key masked that is long enough."""
        done, kept = 0, list[str]()
        for start, end in self._parts(self._plain(text)):
            if start >= done:
                kept += [text[done:start], _MASK]
            done = max(done, end)
        return "".join([*kept, text[done:]]) if kept else text

    def open_end(self, text: str) -> int:
        """Characters at the end of a text that a next piece may complete to a part of the key."""
        end = self._plain(text[-len(self.text) :])
        at = max(0, len(end) - _SEED)
        if starts := [self._reach(end, at, place)[0] for place in self.seeds.get(end[at:], ())]:
            return len(end) - min(starts)
        sizes = range(min(_SEED - 1, len(end)), 0, -1)
        return next((size for size in sizes if end[-size:] in self.text), 0)

    def _parts(self, plain: str) -> list[tuple[int, int]]:
        """Where parts of the key begin and end, in order."""
        found: set[tuple[int, int]] = set()
        for probe in self.probes:
            at = plain.find(probe)
            while at >= 0:
                for place in self.seeds[probe]:
                    start, stop = self._reach(plain, at, place)
                    is_secret = place + (stop - at) >= self.known + _SEED
                    if stop - start >= self.least and is_secret:
                        found.add((start, stop))
                at = plain.find(probe, at + 1)
        return sorted(found)

    def _reach(self, plain: str, at: int, place: int) -> tuple[int, int]:
        """How far a text agrees with the key on both sides of a place where they agree."""
        start, before = at, place
        while start and before and plain[start - 1] == self.text[before - 1]:
            start, before = start - 1, before - 1
        stop, after = at + _SEED, place + _SEED
        while stop < len(plain) and after < len(self.text) and plain[stop] == self.text[after]:
            stop, after = stop + 1, after + 1
        return start, stop

    def _plain(self, text: str) -> str:
        """The text as the form is written, character for character."""
        if not self.is_folded:
            return text.replace("-", "+").replace("_", "/")
        return text.lower() if text.isascii() else text.translate(_LOWER)
