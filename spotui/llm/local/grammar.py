"""Grammars that keep small models inside the tags their replies are parsed by."""

import re
from collections.abc import Sequence

_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def tagged_grammar(tags: Sequence[str], *, angles_in_last: bool = False) -> str:
    """A GBNF grammar for `<a>text</a>`, then `<b>text</b>`: every tag once, in this order, one a line.

    The text in a tag has at least one visible character and holds no `<`: small models like to go on to the
    next tag without closing the one before, and so the first stroke of it closes that. Only the model decides
    when a text ends, so give the request a `max_tokens`.

    Args:
        tags: Their names, at least one: letters, digits, dashes and underscores.
        angles_in_last: Whether the last text may hold `<`, though never `</`. Ask for it only where the text
            needs it, as a prompt with `<number>` in it does: a small model then adds tags of its own there.

    Raises:
        ValueError: There is no tag, or a name is none.
    """
    if not tags or not all(_TAG.fullmatch(tag) for tag in tags):
        raise ValueError(f"these are no names of tags: {list(tags)}")
    texts = ["plain"] * (len(tags) - 1) + ["angled" if angles_in_last else "plain"]
    fields = [f'"<{tag}>" {text} "</{tag}>"' for tag, text in zip(tags, texts, strict=True)]
    rules = ["root ::= " + ' "\\n" '.join(fields), r"plain ::= [ \n]? [^< \t\r\n] [^<]*"]
    if angles_in_last:
        rules.append(r'angled ::= [ \n]? ([^< \t\r\n] | "<" [^/<]) ([^<] | "<" [^/<])*')
    return "\n".join(rules)
