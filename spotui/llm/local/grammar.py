"""Grammars that keep small models inside the tags their replies are parsed by."""

import re
from collections.abc import Iterable, Mapping, Sequence

_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def tagged_grammar(tags: Mapping[str, int], *, refused: Iterable[str] = ()) -> str:
    """A GBNF grammar for `<a>text</a>`, then `<b>text</b>`: every tag once, in this order, one a line.

    The text in a tag has at least one visible character and holds no `<`: small models like to go on to the
    next tag without closing the one before, and so the first stroke of it closes that. Every text has an end:
    small models also like to repeat themselves for ever.

    Args:
        tags: Their names, at least one: letters, digits, dashes and underscores; and how many characters the
            text of each may have, from 2 to 2,000.
        refused: What the last text may not be, nor the beginning of it, in any case of its letters; folded
            to lower case, with single spaces. A small model that shall improve a text likes to repeat it.

    Raises:
        ValueError: There is no tag, or a name is none.
    """
    if not tags or not all(_TAG.fullmatch(tag) for tag in tags):
        raise ValueError(f"these are no names of tags: {list(tags)}")
    *names, last = tags
    fields = [f'"<{name}>" text{number} "</{name}>"' for number, name in enumerate(names)]
    rules = [
        "root ::= " + ' "\\n" '.join([*fields, f'"<{last}>" last "</{last}>"']),
        *(
            rf"text{number} ::= [ \n]? [^< \t\r\n] [^<]{{0,{tags[name] - 1}}}"
            for number, name in enumerate(names)
        ),
        r"last ::= [ \n]? other0",
        f"rest ::= [^<]{{0,{tags[last] - 1}}}",
        *_others(sorted(set(filter(None, refused)))),
    ]
    return "\n".join(rules)


def _others(refused: Sequence[str]) -> list[str]:
    """The rules for every text but these: one for each beginning it may share with one of them."""
    beginnings = sorted({text[:end] for text in refused for end in range(len(text) + 1)} or {""})
    number = {beginning: index for index, beginning in enumerate(beginnings)}
    following: dict[str, list[str]] = {beginning: [] for beginning in beginnings}
    for beginning in beginnings[1:]:
        following[beginning[:-1]].append(beginning)
    return [
        f"other{number[beginning]} ::= "
        + " | ".join(
            [
                _way_off(beginning, [longer[-1] for longer in longer_ones]),
                *(f"{_either_case(longer[-1])} other{number[longer]}" for longer in longer_ones),
            ]
        )
        for beginning, longer_ones in following.items()
    ]


def _way_off(beginning: str, shared: Sequence[str]) -> str:
    """A character that makes the text another one, and whatever comes then."""
    if beginning and not shared:
        # A whole refused text: white space would not make it another.
        return r"[ \t\r\n]* [^< \t\r\n] rest"
    blank = r" \t\r\n" if not beginning or " " in shared else ""
    return f"[^<{blank}{''.join(map(_cases, shared))}] rest"


def _either_case(character: str) -> str:
    return r"[ \t\r\n]" if character == " " else f"[{_cases(character)}]"


def _cases(character: str) -> str:
    cases = {character, *(case for case in (character.upper(), character.lower()) if len(case) == 1)}
    return "".join(f"\\U{ord(case):08X}" for case in sorted(cases))
