"""An API key, held so that it cannot leak by accident, and found again in what servers say.

Servers echo keys, whole or cut short, and a hostile one may disguise what it echoes. Found are the key in any
case, its parts of eight characters and more, and the same in base64, in hexadecimal and backwards; and each
of these where characters of it are escaped as in an address, a string or HTML, where unseen ones are between,
and where it is spelled with blanks, dashes, line breaks or anything else between its letters and digits.
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

_SPELLED_PART: Final = 12
_SPREAD: Final = 6
_BETWEEN: Final = re.compile(r"[^A-Za-z0-9]+")


def _is_kept(character: str) -> bool:
    return character.isascii() and character.isalnum()


_ESCAPE: Final = re.compile(
    r"(?:%|\\x|\\u00|\\u\{|&\#x)(?P<hex>[0-9a-f]{2})(?:(?<=\{..)\}|(?<=x..);)?|&\#(?P<decimal>\d{2,3});"
    "|[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]",
    re.IGNORECASE,
)
_OPEN_ESCAPE: Final = re.compile(
    r"(?:%[0-9a-f]?|\\(?:x[0-9a-f]?|u0{0,2}[0-9a-f]?|u\{[0-9a-f]{0,2})?|&(?:\#(?:x?[0-9a-f]{0,3})?)?)\Z",
    re.IGNORECASE,
)
"""The beginning of an escape, at the end of a piece."""
_WORD: Final = re.compile(rf"\S{{{_PART},}}")

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
        if not self.is_key_like:
            return text
        for form in self._forms:
            text = form.mask(text)
        text = self._mask_spelled(text)
        return _WORD.sub(self._mask_escaped, text) if _ESCAPE.search(text) else text

    def redact_plain(self, text: str) -> str:
        """The text with the key masked where it stands as it is."""
        return text.replace(self._value, _MASK) if len(self._value) >= _SHORTEST_TELLING else text

    def open_end(self, text: str) -> int:
        """How many characters at the end of a text may be the beginning of the key, or of a part of it."""
        if not self.is_key_like:
            return 0
        end = max((form.open_end(text) for form in self._forms), default=0)
        end = max(end, self._spelled_end(text))
        cut = _OPEN_ESCAPE.search(text)
        if cut is None and not _ESCAPE.search(text):
            return end
        plain, places = _unescaped(text[: cut.start()] if cut else text)
        unescaped = max((form.open_end(plain) for form in self._forms), default=0)
        return max(end, len(text) - places[len(plain) - unescaped])

    def _mask_spelled(self, text: str) -> str:
        """The text with every long part of the key masked that has something between its characters."""
        plain = _BETWEEN.sub("", text)
        found = [part for form in self._spelled for part in form.parts(plain)]
        if not found:
            return text
        places = [at for at, character in enumerate(text) if _is_kept(character)]
        return _masked(text, sorted((places[start], places[end - 1] + 1) for start, end in found))

    def _spelled_end(self, text: str) -> int:
        """Characters at the end of a text that may be the beginning of the key, spelled."""
        tail = text[-_SPREAD * len(self._value) :]
        places = [at for at, character in enumerate(tail) if _is_kept(character)]
        plain = "".join(tail[at] for at in places)
        sizes = [size for form in self._spelled if (size := form.open_end(plain)) >= _SEED]
        return len(tail) - places[-max(sizes)] if sizes else 0

    @cached_property
    def _spelled(self) -> "tuple[_Form, ...]":
        # Words alone may well stand in a text by chance.
        if not any(character.isdigit() for character in self._value):
            return ()
        found = []
        for form in self._forms:
            text = _BETWEEN.sub("", form.text)
            known = len(_BETWEEN.sub("", form.text[: form.known]))
            if len(text) >= _SPELLED_PART:
                least = max(_SPELLED_PART, form.least)
                found.append(_Form.of(text, min(least, len(text)), is_folded=form.is_folded, known=known))
        return tuple(found)

    def _mask_escaped(self, match: re.Match[str]) -> str:
        """A word with every part of the key masked in which characters are escaped."""
        word = match[0]
        if not _ESCAPE.search(word):
            return word
        plain, places = _unescaped(word)
        parts = sorted(
            (places[start], places[end]) for form in self._forms for start, end in form.parts(plain)
        )
        return _masked(word, parts)

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


def _masked(text: str, parts: Iterable[tuple[int, int]]) -> str:
    done, kept = 0, list[str]()
    for start, end in parts:
        if start >= done:
            kept += [text[done:start], _MASK]
        done = max(done, end)
    return "".join([*kept, text[done:]]) if kept else text


def _unescaped(text: str) -> tuple[str, list[int]]:
    """What a text with escapes means, and where each character of that begins in the text, and its end."""
    plain, places, at = list[str](), list[int](), 0
    for found in _ESCAPE.finditer(text):
        plain.append(text[at : found.start()])
        places += range(at, found.start())
        if found["hex"] or found["decimal"]:
            plain.append(chr(int(found["hex"], 16) if found["hex"] else int(found["decimal"])))
            places.append(found.start())
        at = found.end()
    plain.append(text[at:])
    places += range(at, len(text) + 1)
    return "".join(plain), places


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
        return _masked(text, self.parts(text))

    def open_end(self, text: str) -> int:
        """Characters at the end of a text that a next piece may complete to a part of the key."""
        end = self._plain(text[-len(self.text) :])
        at = max(0, len(end) - _SEED)
        if starts := [self._reach(end, at, place)[0] for place in self.seeds.get(end[at:], ())]:
            return len(end) - min(starts)
        sizes = range(min(_SEED - 1, len(end)), 0, -1)
        return next((size for size in sizes if end[-size:] in self.text), 0)

    def parts(self, text: str) -> list[tuple[int, int]]:
        """Where parts of the key begin and end that are long enough, in order."""
        plain = self._plain(text)
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

    def _reach(self, plain: str, at: int, offset: int) -> tuple[int, int]:
        """How far a text agrees with the key on both sides of a place where they agree."""
        start, before = at, offset
        while start and before and plain[start - 1] == self.text[before - 1]:
            start, before = start - 1, before - 1
        stop, after = at + _SEED, offset + _SEED
        while stop < len(plain) and after < len(self.text) and plain[stop] == self.text[after]:
            stop, after = stop + 1, after + 1
        return start, stop

    def _plain(self, text: str) -> str:
        """The text as the form is written, character for character."""
        if not self.is_folded:
            return text.replace("-", "+").replace("_", "/")
        return text.lower() if text.isascii() else text.translate(_LOWER)
