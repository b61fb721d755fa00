"""Tags in texts of models: reading what stands in them, and keeping foreign ones from being read."""

import re
from collections.abc import Collection
from functools import cache


def last_tagged(text: str, tag: str) -> str | None:
    """What stands in the last complete pair of a tag, stripped; None when there is no complete pair.

    Models mention a tag in a sentence, repeat a draft, double a tag, or write it inside its own content. An
    opening tag that begins a line counts as one; others count only when no line begins with one. A pair
    inside a pair belongs to the outer one, unless it is all that the outer one holds.

    Args:
        text: The reply.
        tag: The tag's name; upper and lower case are the same.
    """
    if "<" not in text:
        return None
    marks = [
        (match.start(), match.end(), match.group(1) == "/", _begins_line(text, match.start()))
        for match in _tags(tag).finditer(text)
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
    return None if found is None else _unwrapped(text[found[0] : found[1]].strip(), tag)


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
