"""Tags in texts of models: reading what stands in them, and keeping foreign ones from being read."""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from typing import Final, NamedTuple

from spotui.domain.lazy_pattern import LazyPattern


def last_tagged(text: str, tag: str) -> str | None:
    """What stands in the last complete pair of a tag, stripped; None when there is no complete pair.

    Models mention a tag in a sentence, repeat a draft, double a tag, or write it inside its own content. An
    opening tag that begins a line counts as one; others count only when no line begins with one. A pair
    inside a pair belongs to the outer one, unless it is all that the outer one holds.

    Args:
        text: The reply.
        tag: The tag's name; upper and lower case are the same.
    """
    span = _last_pair(text, tag)
    return None if span is None else _unwrapped(text[slice(*span)].strip(), tag)


def _last_pair(text: str, tag: str) -> tuple[int, int] | None:
    """Where the content of the last complete pair of a tag begins and ends."""
    if "<" not in text:
        return None
    found_tags = list(_tags(tag).finditer(text))
    if len(found_tags) == 2 and not found_tags[0][1] and found_tags[1][1]:
        return found_tags[0].end(), found_tags[1].start()
    marks = [
        (match.start(), match.end(), match.group(1) == "/", _begins_line(text, match.start()))
        for match in found_tags
    ]
    only_line_starts = any(begins for _, _, closes, begins in marks if not closes)
    found: tuple[int, int] | None = None
    start: int | None = None
    depth = 0
    for begin, end, closes, begins in marks:
        if not closes:
            draft_ended = found is not None and found[0] == start
            if start is None or (begins and draft_ended):
                if begins or not only_line_starts:
                    start, depth = end, 1
            else:
                depth += 1
        elif start is not None:
            found = (start, begin)
            depth -= 1
            if depth == 0:
                start = None
    return found


def read_form(text: str, *names: str, asked: str = "", is_whole: bool = True) -> dict[str, str]:
    """The parts of a reply that was asked for in a form: `<a>...</a>`, then `<b>...</b>`.

    A complete pair of a part's tag is read as `last_tagged` reads it, whatever its content looks like. Small
    models also write words of the request into the tag, put a label in place of it, or forget to close it. A
    part without a complete pair is read from these, too, where they begin a line:

    - `<prompt tag>`, `<in a prompt tag>`, `< Prompt >` or `[prompt]`, closed by any spelling of it, by a
      closing tag of another name, by the next part, or by the end of a whole reply;
    - `In a prompt tag:`, `**prompt:**`, `### Prompt` or `Prompt:`, up to the next part or the same end.

    Prompts and analyses hold lines like the last ones themselves. So a plain label counts only behind another
    part, before all other parts, or at the beginning of the reply. A part that repeats the form is left out.

    Args:
        text: The reply.
        names: The names of the parts, in their order.
        asked: The request, in which the form explains its parts as `- name: explanation`.
        is_whole: Whether the model itself ended the reply.
    """
    copies = {name: _copies(asked, name) for name in names}
    exact = read_exact_form(text, *names)
    if exact and not any(part in copies[name] for name, part in exact.items()):
        return exact
    rest, spans = text, dict[str, tuple[int, int]]()
    for name in names:
        span = _last_pair(rest, name)
        if span is not None and rest[slice(*span)] in copies[name]:
            rest = _without_copies(rest, name, copies[name])
            span = _last_pair(rest, name)
        if span is not None and not _is_mentioned(rest, name, *span):
            spans[name] = span
    for index, name in enumerate(names):
        if name in spans and _holds_another(
            rest, *spans[name], [one for one in names[index + 1 :] if one not in spans]
        ):
            del spans[name]
    parts = {name: _unwrapped(text[slice(*span)].strip(), name) for name, span in spans.items()}
    if len(parts) == len(names):
        return parts
    for start, end in spans.values():
        rest = rest[:start] + _blank(rest[start:end]) + rest[end:]
    near = _near_parts(text, rest, names, spans, is_whole=is_whole)
    return parts | {name: part for name, part in near if part and part not in copies[name]}


def read_exact_form(text: str, *names: str) -> dict[str, str]:
    """The parts of a reply that is nothing but the form, as most are; empty for every other reply."""
    found = _exact_form(names).fullmatch(text)
    return dict(zip(names, map(str.strip, found.groups()), strict=True)) if found is not None else {}


@cache
def _exact_form(names: tuple[str, ...]) -> re.Pattern[str]:
    pairs = (rf"\s*<{re.escape(name)}\s*>([^<]*)</{re.escape(name)}\s*>" for name in names)
    return re.compile("".join(pairs) + r"\s*", re.IGNORECASE)


def without_marks(text: str) -> str:
    """A text without tags, and without the dots of a form that they enclose."""
    return re.sub(r"<[^<>]*>", "", text).strip(_EDGES)


def read_form_exactly(text: str, *names: str) -> dict[str, str]:
    """The parts that have a complete pair of their tag: how runs of earlier editions read a reply."""
    found = {name: last_tagged(text, name) for name in names}
    return {name: part for name, part in found.items() if part is not None}


class _Mark(NamedTuple):
    """Where a part of a form may begin.

    Attributes:
        start: Where the mark begins.
        end: Where the content begins.
        name: The part's name.
        is_tag: Whether it is a tag and not a label.
        is_plain: Whether it is a label that any text could hold.
    """

    start: int
    end: int
    name: str
    is_tag: bool
    is_plain: bool = False


_SPELLINGS: Final = {"analyse": "analy[sz]e|analysis", "choose": "choose|choice"}
_BEFORE: Final = r"(?:in(?:to)?\s+)?(?:(?:an?|the|your)\s+)?"
_LINE: Final = r"^[ \t]*(?:[-*•+]\s+|\d+[.)]\s*)?"
_LEAD: Final = LazyPattern(r"[\s>*_#`•+\-\d.)]*")
_OTHER_LABEL: Final = LazyPattern(
    r"^[ \t]*(?:#{1,6}\s|(\*\*|__)[^*_\n]{1,60}(?::\1|\1[ \t]*(?::|$)))", re.MULTILINE
)
_LAST_CLOSING: Final = LazyPattern(r"</\s*([A-Za-z][\w-]*)\s*>\Z")
_FENCE: Final = "```"
_SHORTEST_EXPLANATION: Final = 12
_MOST_MARKS: Final = 50
"""Places where a part may begin; a model that repeats itself for ever writes thousands."""
_EDGES: Final = " \t\r\n.…:;,()[]{}<>*_\"'`"


@cache
def _near_tags(name: str) -> re.Pattern[str]:
    """A tag of a part in any of its spellings, with a slash or without."""
    spelled = _SPELLINGS.get(name, re.escape(name))
    pattern = rf"[<\[＜]\s*([/\\]?)\s*{_BEFORE}(?:{spelled})(?:[\s_-]*tag)?\s*:?\s*(/?)[>\]＞]"
    return re.compile(pattern, re.IGNORECASE)


@cache
def _labels(name: str) -> re.Pattern[str]:
    """A line that begins with a part's name: emphasized, as a heading, or plain with a colon."""
    spelled = rf"(?:{_SPELLINGS.get(name, re.escape(name))})"
    quoted = rf"(?P<quote{{0}}>[\"'`*_]{{{{1,2}}}}){spelled}(?P=quote{{0}})\s+tag"
    words = rf"{_BEFORE}(?:{quoted}|{spelled}(?P<tag{{0}}>[\s_-]+tag)?)\s*"
    emphasized = rf"(?P<mark>[*_`]{{1,3}}){words.format(1)}(?:[:：]\s*(?P=mark)|(?P=mark)[ \t]*(?:[:：]|$))"
    heading = rf"#{{1,6}}\s*[*_]{{0,3}}{words.format(2)}[:：]?[*_]{{0,3}}[ \t]*$"
    plain = rf"(?P<plain>{words.format(3)}[:：])"
    return re.compile(rf"{_LINE}(?:{emphasized}|{heading}|{plain})", re.IGNORECASE | re.MULTILINE)


def _near_parts(
    text: str, rest: str, names: Sequence[str], spans: Mapping[str, tuple[int, int]], *, is_whole: bool
) -> list[tuple[str, str]]:
    """The parts that are marked in another way than asked for.

    Args:
        text: The reply.
        rest: The same with the content of the complete pairs left blank.
        names: Of the form.
        spans: Where the content of the complete pairs is, by name.
        is_whole: Whether the model itself ended the reply.
    """
    marks = [mark for name in names for mark in _marks(rest, name)]
    bounds = [mark.start for mark in marks if mark.is_tag and mark.name in spans]
    chosen: list[_Mark] = []
    after = 0
    for name in names:
        if name in spans:
            after = max(after, spans[name][1])
            continue
        own = [mark for mark in marks if mark.name == name]
        tags = [mark for mark in own if mark.is_tag and _content(rest, mark, len(rest))[0]]
        labels = [mark for mark in own if not mark.is_tag and _counts(rest, mark, marks, names, after)]
        if mark := next(iter([*tags[-1:], *labels[:1]]), None):
            chosen.append(mark)
            closing = _near_tags(name).search(rest, mark.end) if mark.is_tag else None
            after = max(after, closing.end() if closing else mark.end)
    bounds += [mark.start for mark in chosen]
    parts = []
    for mark in chosen:
        bound = min((one for one in bounds if one > mark.start), default=len(text))
        part, is_closed = _content(text, mark, bound, names)
        if is_closed or bound < len(text) or is_whole:
            parts.append((mark.name, part))
    return parts


def _is_mentioned(text: str, name: str, start: int, end: int) -> bool:
    """Whether a pair is inside a line, while another spelling of its tag begins a line and is closed."""
    opening = text.rfind("<", 0, start)
    return not _leads_line(text, opening) and any(
        mark.is_tag and not start <= mark.start <= end and _content(text, mark, len(text))[1]
        for mark in _marks(text, name)
    )


def _marks(text: str, name: str) -> list[_Mark]:
    tags = [
        _Mark(one.start(), one.end(), name, is_tag=True)
        for one in _near_tags(name).finditer(text)
        if not (one[1] or one[2]) and _leads_line(text, one.start())
    ]
    labels = [
        _Mark(one.start(), one.end(), name, False, bool(one["plain"]) and not (one["tag3"] or one["quote3"]))
        for one in _labels(name).finditer(text)
    ]
    return [*tags[-_MOST_MARKS:], *labels[:_MOST_MARKS]]


def _leads_line(text: str, position: int) -> bool:
    """Whether nothing but a list's mark or another tag is before it on its line."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return _LEAD.fullmatch(line) is not None or line.rstrip().endswith(">")


def _counts(text: str, label: _Mark, marks: Sequence[_Mark], names: Sequence[str], after: int) -> bool:
    """Whether a label is one of the form, and not a line of something else.

    Args:
        text: The reply.
        label: The label.
        marks: Everything that may begin a part.
        names: Of the form.
        after: Where the part before ends, or 0 where there is none.
    """
    if label.start < after:
        return False
    if after or not text[: label.start].strip():
        return True
    later, at = names[names.index(label.name) + 1 :], label.end
    if later:
        for name in later:
            at = min(
                (one.end for one in marks if one.name == name and one.start >= at), default=len(text) + 1
            )
        return at <= len(text)
    if label.is_plain or len(names) == 1:
        return False
    return "tag" in text[label.start : label.end].lower() or _OTHER_LABEL.search(text, label.end) is None


def _content(text: str, mark: _Mark, bound: int, names: Collection[str] = ()) -> tuple[str, bool]:
    """What a mark begins, up to a bound at most, and whether a tag closes it before."""
    content = text[mark.end : bound]
    own = [
        one for one in _near_tags(mark.name).finditer(content) if one[1] or one[2] or _ends_line(content, one)
    ]
    if own:
        closing = next((one for one in own if _ends_line(content, one)), own[0])
        return content[: closing.start()].strip(), True
    of_form = [one for name in names for one in _near_tags(name).finditer(content) if one[1] or one[2]]
    if ends := [one.start() for one in of_form if _ends_line(content, one)]:
        return content[: min(ends)].strip(), True
    content = content.strip()
    if (last := _LAST_CLOSING.search(content)) and f"<{last[1]}".lower() not in content.lower():
        return content[: last.start()].strip(), True
    if content.endswith(_FENCE) and content.count(_FENCE) % 2:  # around the whole reply
        content = content.removesuffix(_FENCE).rstrip()
    return content, False


def _ends_line(text: str, match: re.Match[str]) -> bool:
    return not text[match.end() :].partition("\n")[0].strip()


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _holds_another(text: str, start: int, end: int, names: Sequence[str]) -> bool:
    """Whether a pair ends with the closing tag of another part, which begins inside and is left open."""
    inner = text[start:end]
    return any(
        not one[1] and _leads_line(inner, one.start()) and not is_balanced(inner, name)
        for name in names
        for one in _tags(name).finditer(inner)
    )


@cache
def _simple_pair(tag: str) -> re.Pattern[str]:
    return re.compile(rf"<{re.escape(tag)}\s*>([^<]*)</{re.escape(tag)}\s*>", re.IGNORECASE)


class _Copies(NamedTuple):
    """What a part may not be.

    Attributes:
        whole: What a form holds in its place.
        beginning: How the form explains it; a model that repeats the request goes on behind that.
    """

    whole: Collection[str]
    beginning: str

    def __contains__(self, part: object) -> bool:
        bare = _bare(str(part))
        if not bare:
            return re.search(r"\.\.|…", str(part)) is not None
        is_explanation = len(self.beginning) >= _SHORTEST_EXPLANATION and bare.startswith(self.beginning)
        return is_explanation or bare in self.whole


@lru_cache(maxsize=32)  # the same request is read again for every reply to it, and none for every vote
def _copies(asked: str, name: str) -> _Copies:
    whole = {_bare(one) for one in (*_simple_pair(name).findall(asked), "your text")}
    # The form is at the end of the request; lines before may be those of a row.
    return _Copies(whole, _bare("".join(_explained(name).findall("\n" + asked)[-1:])))


@cache
def _explained(tag: str) -> re.Pattern[str]:
    # It begins with the line's end: a pattern that begins with `^` is tried at every character.
    return re.compile(rf"\n- (?:in an? )?{re.escape(tag)}(?: tag)?: (.+)")


def _without_copies(text: str, name: str, copies: _Copies) -> str:
    """The text with blanks in place of the pairs that hold nothing but a copy."""
    return _simple_pair(name).sub(lambda pair: _blank(pair[0]) if pair[1] in copies else pair[0], text)


def _bare(text: str) -> str:
    return " ".join(text.split()).casefold().strip(_EDGES)


def is_balanced(text: str, tag: str) -> bool:
    """Whether every opening tag in a text has its closing one."""
    depth = 0
    for match in _tags(tag).finditer(text):
        depth += -1 if match.group(1) else 1
        if depth < 0:
            return False
    return depth == 0


def without_tagged(text: str, tag: str) -> str:
    """The text without the part from a tag's first opening to its last closing, if there is such a part."""
    marks = list(_tags(tag).finditer(text))
    first = next((match for match in marks if not match.group(1)), None)
    last = next((match for match in reversed(marks) if match.group(1)), None)
    if first is None or last is None or last.start() < first.end():
        return text
    return text[: first.start()] + text[last.end() :]


def quote_tags(text: str, tags: Collection[str]) -> str:
    """The text with these tags written as `&lt;tag>`: they close no fence and look like no reply."""
    return _any_of(tuple(tags)).sub("&lt;", text)


@cache
def _any_of(tags: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(re.escape(tag) for tag in tags)
    return re.compile(rf"<(?=\s*/?\s*(?:{names})\b)", re.IGNORECASE)


@cache
def _end(tag: str) -> re.Pattern[str]:
    return re.compile(rf"</{re.escape(tag)}\s*>\Z", re.IGNORECASE)


@cache
def _tags(tag: str) -> re.Pattern[str]:
    return re.compile(rf"<(/?){re.escape(tag)}\s*>", re.IGNORECASE)


def _unwrapped(content: str, tag: str) -> str:
    marks = _tags(tag)
    while True:
        first = marks.match(content)
        if first is None:
            return content
        last = _end(tag).search(content)
        if first.group(1) or last is None or last.start() < first.end():
            return content
        inner = content[first.end() : last.start()]
        if not is_balanced(inner, tag):
            return content
        content = inner.strip()


def _begins_line(text: str, position: int) -> bool:
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return not line.strip() or line.rstrip().endswith(">")
