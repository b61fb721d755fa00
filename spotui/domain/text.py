"""Text from models and files: hidden characters shown, cut to a width, counted in words."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from itertools import accumulate
from types import ModuleType
from typing import Final

from spotui.domain.lazy_pattern import LazyPattern

_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSEEN: Final = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2028\u2029\u2060-\u2065\u206a-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ufdd0-\ufdef\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff"
)
_CONTROLS: Final = "\0-\x08\x0b-\x1f\x7f-\x9f"
# The flags of England, Scotland and Wales are the only emoji that are spelled with tag characters.
_FLAG: Final = "\U0001f3f4(?:{})\U000e007f".format(
    "|".join(
        "".join(chr(0xE0000 + ord(letter)) for letter in region) for region in ("gbeng", "gbsct", "gbwls")
    )
)
_SUSPECT: Final = f"[{_CONTROLS}{_BIDI}{_UNSEEN}]"
_HIDDEN: Final = f"{_FLAG}|\r\n|{_SUSPECT}"
_IS_BIDI: Final = f"[{_BIDI}]"

_EMOJI: Final = "[\u203c\u2049\u3030\u2194\u25fb-\u25fe\u2934\u2935\U0001f3fb-\U0001f3ff]"
"""Emoji that Unicode does not call symbols, and the colours of a skin."""
_KEYCAPS: Final = "#*0123456789"
_JOINING: Final = (
    "[\u0620-\u07ff\u0840-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\u1a20-\u1aaf\u1b00-\u1c4f\ua800-\ua82f"
    "\ua840-\ua8ff\ua930-\ua9df\uaa00-\uaa5f\uaae0-\uaaff\uabc0-\uabff\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc"
    "\U00010a00-\U00010aff\U00010f30-\U00010fdf\U00011000-\U00011fff\U0001e900-\U0001e95f]"
)
"""Scripts that write a letter in another way where it joins, or must not join, the next."""
_WITHOUT_SPACES: Final = "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf]"
"""Scripts that write words without spaces, and mark with an unseen one where a line may break."""
_HAN: Final = "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_MONGOLIAN: Final = "[\u1807\u1820-\u18aa]"
_JAMO: Final = "[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]"
_HIEROGLYPH: Final = "[\U00013000-\U0001342f\U00013440-\U000143ff]"

_CONTROL_PICTURES: Final = 0x2400

_compiled: Final = cache(re.compile)
"""Classes this large take milliseconds to compile: no command that shows ASCII alone waits for them."""


def visible(text: str) -> str:
    """The text with every hidden character as a mark that names it, for example <U+202E>."""
    return _compiled(_HIDDEN).sub(_named, text) if _may_hide(text) else text


def visible_in_place(text: str) -> str:
    """The text with every hidden character as one mark, so that a cursor or a colour stays in its place.

    ⇄ is for those that turn the direction of writing, ␛ and its neighbours for controls, ⌧ for all others.
    """
    return _compiled(_HIDDEN).sub(_pictured, text) if _may_hide(text) else text


def settled(text: str) -> int:
    """How many characters of a text that still grows are shown the same whatever follows.

    The last one may be the first half of an emoji, and a joiner needs to be seen with both its neighbours.
    """
    if text[-1:].isascii() and text[-1:].isprintable() and text[-1:] not in {*_KEYCAPS}:
        return len(text)
    end = max(0, len(text) - 1)
    while end and (_compiled(_SUSPECT).match(text, end) or _compiled(_SUSPECT).match(text, end - 1)):
        end -= 1
    return end


def guard(module: ModuleType, name: str, shown: Callable[[str], str]) -> None:
    """Let Rich or Textual paint every text with its hidden characters as marks.

    Both leave out five control characters and let all others through, and neither has an option for it. So
    their function that leaves out is replaced.

    Args:
        module: `rich.text` or `textual.content`.
        name: The function.
        shown: How a text is shown.
    """
    if hasattr(module, name):
        setattr(module, name, lambda text, *_: shown(text))


def _may_hide(text: str) -> bool:
    """Whether to look closer; quick, since this is asked of every text that is painted."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return False
    return _compiled(_SUSPECT).search(text) is not None


def _named(match: re.Match[str]) -> str:
    if match[0] == "\r\n":
        return "\n"
    return match[0] if _belongs(match) else f"<U+{ord(match[0]):04X}>"


def _pictured(match: re.Match[str]) -> str:
    char = match[0]
    if char == "\r\n":
        return " \n"
    if _belongs(match):
        return char
    if char < " ":
        return chr(_CONTROL_PICTURES + ord(char))
    if char == "\x7f":
        return "␡"
    return "⇄" if _compiled(_IS_BIDI).match(char) else "⌧"


def _belongs(match: re.Match[str]) -> bool:
    """Whether a script or an emoji needs this character in this place."""
    char, text = match[0], match.string
    if len(char) > 1:
        return True
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    match char:
        case "\u200d" if _is_emoji(before.replace("\ufe0f", text[match.start() - 2 : match.start() - 1])):
            return _is_emoji(after)
        case "\u200d":
            return _joins(before)
        case "\u200c":
            return _joins(before) and _joins(after)
        case "\u200b":
            return bool(_compiled(_WITHOUT_SPACES).match(before) and _compiled(_WITHOUT_SPACES).match(after))
        case "\ufe0e" | "\ufe0f":
            return _is_emoji(before) or (after == "\u20e3" and before in {*_KEYCAPS})
        case "\ufe00" | "\ufe01" | "\ufe02":
            return bool(_compiled(_HAN).match(before)) or _is_a(before, "Sm")
        case "\u180b" | "\u180c" | "\u180d" | "\u180e" | "\u180f":
            return bool(_compiled(_MONGOLIAN).match(before))
        case "\u115f" | "\u1160":
            return bool(_compiled(_JAMO).match(before) or _compiled(_JAMO).match(after))
    if "\U00013430" <= char <= "\U0001343f":
        return bool(_compiled(_HIEROGLYPH).match(before))
    return "\U000e0100" <= char <= "\U000e01ef" and bool(_compiled(_HAN).match(before))


def _is_emoji(char: str) -> bool:
    return _is_a(char, "So") or bool(_compiled(_EMOJI).match(char))


def _joins(char: str) -> bool:
    return bool(_compiled(_JOINING).match(char)) and _is_a(char, "Lo", "Lm", "Lu", "Ll", "Mn", "Mc")


def _is_a(char: str, *categories: str) -> bool:
    return bool(char) and unicodedata.category(char) in categories


def whole_text(text: str) -> str:
    """The text with its surrogate pairs joined and every lone surrogate replaced with U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class SurrogateJoiner:
    """Makes whole text of pieces: JSON may escape one character as two halves, in two pieces."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """The whole text known so far; the first half of a pair is held back until the next piece."""
        if not self._held and piece.isascii():
            return piece
        piece = self._held + piece
        self._held = ""
        if "\ud800" <= piece[-1:] <= "\udbff":
            piece, self._held = piece[:-1], piece[-1]
        return whole_text(piece)

    def flush(self) -> str:
        """What was held back, at the end of the text."""
        held, self._held = self._held, ""
        return whole_text(held)


_ELLIPSIS: Final = "…"
_EMOJI_STYLE: Final = "\ufe0f"


def short(text: str, cells: int = 100) -> str:
    """A text on one line, its hidden characters as marks, cut with an ellipsis where it exceeds `cells`.

    Chinese characters and emoji take two cells. A letter keeps its accents, and an emoji of several parts is
    kept or cut as a whole.
    """
    flat = visible(" ".join(text.split()))
    if flat.isascii():
        return flat if len(flat) <= cells else flat[: max(0, cells - 1)] + _ELLIPSIS[:cells]
    clusters = _clusters(flat)
    ends = list(accumulate(map(width, clusters)))
    if ends[-1] <= cells:
        return flat
    kept = sum(end < cells for end in ends)
    return "".join(clusters[:kept]).rstrip() + _ELLIPSIS[: max(0, cells)]


def width(text: str) -> int:
    """The cells a text takes at most.

    Terminals disagree about emoji made of several characters. Counting each part means that a line measured
    here never wraps, whichever terminal shows it.
    """
    if text.isascii():
        return len(text)
    from rich.cells import get_character_cell_size

    return sum(1 if one == _EMOJI_STYLE else get_character_cell_size(one) for one in text)


def _clusters(text: str) -> list[str]:
    """The characters as a reader sees them: a letter with its accents is one, a family emoji too."""
    import regex

    return regex.findall(r"\X", text)


IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
"""Chinese and Japanese characters, for a character class of a regular expression."""
_WORD = LazyPattern(rf"[{IDEOGRAPHS}]|[^\s{IDEOGRAPHS}]*[^\W{IDEOGRAPHS}][^\s{IDEOGRAPHS}]*")


def count_words(text: str) -> int:
    """How many words a person would count: a Chinese or Japanese character is one, a dash alone none."""
    return sum(1 for _ in _WORD.finditer(text))


# Tokenizers make about this of a token: characters of ASCII, bytes of anything else.
_ASCII_PER_TOKEN = 4
_BYTES_PER_TOKEN = 3


def estimate_tokens(text: str) -> int:
    """About how many tokens a model's tokenizer makes of a text; no vocabulary is loaded."""
    ascii_only = len(text.encode("ascii", "ignore"))
    beyond = len(text.encode("utf-8", "replace")) - ascii_only
    return -(-ascii_only // _ASCII_PER_TOKEN) + -(-beyond // _BYTES_PER_TOKEN)
