"""Metrics that compare texts: exact, contained, by pattern, as lists of words, as JSON, or inside a tag."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from spotui.domain.lazy_pattern import LazyPattern
from spotui.domain.rows import Row
from spotui.domain.tags import last_tagged
from spotui.domain.text import IDEOGRAPHS
from spotui.lang import _
from spotui.metrics.mark import Comparing, Mark, Metric, MetricError, no_reference, shown

_LETTER: Final = rf"(?:(?![{IDEOGRAPHS}])\w)"
_TOKEN: Final = LazyPattern(
    rf"""
    (?<![^\W{IDEOGRAPHS}])-?(?:\d[\d.,:/]*\d|\d|\.\d+)(?:%|{_LETTER}*)  # a number with its unit
    | (?<!\w)[a-z]\#(?!\w)  # C# is not C
    | [{IDEOGRAPHS}]     # where no spaces are written, each character is a word
    | {_LETTER}+         # a word
    | [^\w\s]            # everything else, to be judged by its kind
    """,
    re.VERBOSE,
)
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SYMBOLS: Final = frozenset("%")
"""Punctuation by its kind, but not by what it says."""
_DROPPED: Final = dict.fromkeys(map(ord, "'’`"))


def tokens(text: str) -> tuple[str, ...]:
    """The words, numbers and symbols of a text, in one case and without punctuation.

    A text of nothing but punctuation keeps it. The sign and the point of a number are no punctuation.
    """
    folded = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text).casefold().replace("−", "-"))
    found = _TOKEN.findall(folded.translate(_DROPPED))
    words = tuple(
        one
        for one in found
        if one in _SYMBOLS or len(one) > 1 or not unicodedata.category(one).startswith("P")
    )
    return words or tuple(found)


class Exact(Comparing[str]):
    """The answer is a reference, letter by letter, but for white space around it."""

    def read(self, answer: str, row: Row) -> str:  # noqa: ARG002 - other metrics read the row
        """The whole answer."""
        return answer.strip()

    def read_reference(self, reference: str) -> str:
        """The whole reference."""
        return reference.strip()


class Normalised(Comparing[str]):
    """The answer is a reference, but for case, punctuation and white space."""

    def read(self, answer: str, row: Row) -> str:  # noqa: ARG002 - other metrics read the row
        """The answer's words."""
        return " ".join(tokens(answer))

    def read_reference(self, reference: str) -> str:
        """The reference's words."""
        return " ".join(tokens(reference))


class Contains(Comparing[str]):
    """A reference stands in the answer as whole words, but for case, punctuation and white space."""

    def read(self, answer: str, row: Row) -> str:  # noqa: ARG002 - other metrics read the row
        """The answer's words."""
        return " ".join(tokens(answer))

    def read_reference(self, reference: str) -> str | None:
        """The reference's words."""
        return " ".join(tokens(reference)) or None

    def equal(self, value: str, expected: str) -> bool:
        """Whether the reference's words stand in the answer, one after the other."""
        return f" {expected} " in f" {value} "


SECONDS: Final = 1.0
"""How long a search may take; some patterns would go on for ever on some answers."""


class Pattern:
    """A regular expression, as Python's `re` and the `regex` package have it.

    With groups, the last match counts: what its group `answer` holds, or else the first group that took part
    in it, is compared with the references without case, punctuation and white space. Without groups, an
    answer is right when the pattern is found in it.

    Args:
        pattern: The expression.

    Raises:
        MetricError: It is none.
    """

    def __init__(self, pattern: str) -> None:
        import regex

        try:
            self._pattern = regex.compile(pattern)
        except regex.error as error:
            what = _(
                "The pattern {shown} of the metric is broken: {error}.", shown=shown(pattern), error=error
            )
            raise MetricError(what, _("Correct it, or test it on an answer first.")) from None

    def mark(self, answer: str, row: Row) -> Mark:
        """Whether the pattern is there, and its group what is expected.

        Raises:
            MetricError: The search took too long.
        """
        found = None
        try:
            for found in self._pattern.finditer(answer, timeout=SECONDS):  # noqa: B007 - the last one counts
                pass
        except TimeoutError:
            what = _(
                "The pattern of the metric takes more than {seconds:g} s on an answer to {place}.",
                seconds=SECONDS,
                place=row.where,
            )
            raise MetricError(what, _("Write it so that it need not try so many ways.")) from None
        if found is None:
            return Mark(0.0)
        if not self._pattern.groups:
            return Mark(1.0, found[0])
        groups = [found["answer"]] if "answer" in self._pattern.groupindex else found.groups()
        read = next((group for group in groups if group), "")
        return Mark(float(tokens(read) in map(tokens, row.references)), read)

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        return no_reference(row) if self._pattern.groups else ""


_MARKER: Final = re.compile(
    r"^[ \t]*(?:[-*•–][ \t]+|\d+[.)][ \t]+|[a-z][.)][ \t]+)|(?<=\s)(?:\d{1,3}[.)]|\(\d{1,3}\))[ \t]+(?=\S)",
    re.MULTILINE,
)
_LATEX: Final = re.compile(r"\\(?:f?boxed|text(?:bf|it)?)\s*\{|\}")
_SEMICOLON: Final = re.compile(r";(?=\s*(?:and\s+)?[^\s;]+\s*(?:[;.]|\Z))")
"""Between single words, where it separates items as a comma does."""
_BREAK: Final = re.compile(r"\n(?:[ \t]*\n)+|(?<=[.!?;])\s+|[:：]")
_LINE: Final = re.compile(r"\n+")
_LEADS: Final = frozenset({"is", "are"})
_JOINS: Final = frozenset({"and", "then", "->", "→", ">", "<", "|"})


class WordList:
    """The answer lists the words of a reference, all of them and no other.

    The list is the last part of the answer, between colons, sentence ends and empty lines, in which at least
    half of the words are of the reference: remarks around it make no difference.

    Args:
        ordered: Whether the order counts.
    """

    def __init__(self, *, ordered: bool = True) -> None:
        self._ordered = ordered

    def mark(self, answer: str, row: Row) -> Mark:
        """1 when the list is that of any reference, else 0."""
        best = Mark(0.0)
        for reference in row.references:
            expected = _words(reference)
            found = _list_in(answer, expected)
            same = found == expected if self._ordered else Counter(found) == Counter(expected)
            if found and (same or best.read is None):
                best = Mark(float(same), " ".join(found))
            if same:
                break
        return best

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        return no_reference(row)


def _list_in(answer: str, expected: list[str]) -> list[str]:
    known = set(expected)
    for part in reversed(_parts(answer)):
        words = _words(part)
        lead = max((at + 1 for at, word in enumerate(words) if word in _LEADS - known), default=0)
        for listed in (words[lead:], words):
            if listed and sum(word in known for word in listed) * 2 >= len(listed):
                return listed
    return []


def _parts(answer: str) -> list[str]:
    """The parts of an answer that can be a list; the lines of a list with a word a line are one part."""
    parts: list[str] = []
    for block in _BREAK.split(_SEMICOLON.sub(",", _MARKER.sub("", _LATEX.sub(" ", answer)))):
        lines = [line for line in _LINE.split(block) if line.strip()]
        if all(len(_words(line)) <= 1 for line in lines):
            parts.append("\n".join(lines))
        else:
            parts += lines
    return parts


def _words(text: str) -> list[str]:
    return [word for word in tokens(_MARKER.sub("", text)) if word not in _JOINS]


_FENCE: Final = re.compile(r"(?:```|~~~)(?:json5?|JSON|[\w-]*(?=\s*\n))?\s*(.*?)\s*(?:```|~~~)", re.DOTALL)
_OPENS: Final = re.compile(r"[{\[]")
NOTHING: Final = object()


class JsonValue:
    """The answer holds the JSON value of a reference.

    The order of keys, white space, and how a number is written make no difference; the order of a list does.
    The value is the whole answer, or its last fenced block, or the last object or list in it: an object where
    the reference is an object, a list where it is a list.
    """

    def mark(self, answer: str, row: Row) -> Mark:
        """1 when the value is that of any reference, else 0."""
        best = Mark(0.0)
        for expected in map(_parse, row.references):
            found = find_json(answer, type(expected))
            if found is NOTHING:
                continue
            best = Mark(float(_equal(found, expected)), json.dumps(found, ensure_ascii=False))
            if best.value:
                break
        return best

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        wrong = next((one for one in row.references if _parse(one) is NOTHING), None)
        return (
            no_reference(row) if wrong is None else _("The answer {shown} is not JSON.", shown=shown(wrong))
        )


def find_json(answer: str, wanted: type) -> Any:
    """The JSON value in an answer: all of it, its last fenced block, or the last object or list in it.

    Args:
        answer: The answer.
        wanted: dict or list where one is preferred to the other.

    Returns:
        The value, or NOTHING.
    """
    for text in (answer, *reversed(_FENCE.findall(answer))):
        if (found := _parse(text.strip())) is not NOTHING:
            return found
    return _last_container(answer, wanted)


def _last_container(answer: str, wanted: type) -> Any:
    found = NOTHING
    for value in json_values(answer):
        if found is NOTHING or isinstance(value, wanted) or not isinstance(found, wanted):
            found = value
    return found


def json_values(answer: str) -> Iterator[Any]:
    """Every JSON object and list in an answer, one after another, without those inside of others."""
    decoder, at = json.JSONDecoder(), 0
    while opening := _OPENS.search(answer, at):
        try:
            value, at = decoder.raw_decode(answer, opening.start())
        except ValueError:
            at = opening.end()
        except RecursionError:
            return
        else:
            yield value


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return NOTHING


def _no_constant(name: str) -> Any:
    """Refuse NaN and Infinity, which are not JSON; NaN is not even equal to itself."""
    raise ValueError(name)


def _equal(first: Any, second: Any) -> bool:
    """Equal as JSON: true is not 1, and 1.0 is 1."""
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(
            _equal(value, second[key]) for key, value in first.items()
        )
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_equal, first, second))
    return bool(first == second)


class Tag:
    """What stands in the last complete pair of a tag, scored by another metric; without one, 0.

    Args:
        tag: The tag's name, as `answer` for `<answer>`.
        inner: The other metric.
    """

    def __init__(self, tag: str, inner: Metric) -> None:
        self._tag = tag
        self._inner = inner

    def mark(self, answer: str, row: Row) -> Mark:
        """What the content of the tag is worth."""
        content = last_tagged(answer, self._tag)
        return Mark(0.0) if content is None else self._inner.mark(content, row)

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        return self._inner.fault(row)
