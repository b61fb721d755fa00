"""Prompts in pieces: together they are the prompt, and cutting never breaks what a prompt is read by."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.prompt_pieces import merged, pieces_of
from spotui.domain.rows import slot_names

PROMPT = """\
You are careful, e.g. with units. Read the question twice! Then answer.

# Rules

Follow these rules:
- Be brief.
- Show your work,
  step by step.
1. Use the form below.

<example>
Input: {question}
</example>

```python
print("Never. Cut. This.")
```
He said "Stop. Now." and left. (It is late. Go.) Answer {question} now. Be kind.
先看问题。再回答！
"""

PARTS = st.sampled_from(
    [
        *("One sentence. ", "Another one! ", "- an item\n", "2) an item\n", "\n", "\n\n", "```\n", "~~~\n"),
        *("# Head\n", "{question} ", "{{x}}", "<a>", "</a>", "<b c='d'>\n", "Lead in:\n", "(open. "),
        *("close). ", '"', "`x` ", "| a | b |\n", "=== plan ===\n", "  indented. ", "再看。", "e.g. this "),
        *("$name ", "%(x)s ", " \t", "x" * 90),
    ]
)
TOKENS = re.compile(r"</?\w[^<>]*>|[{}]|`|~~~|\$\w+|%\(\w+\)s|^#.*|^\|.*|=== \w+ ===", re.MULTILINE)


def test_a_prompt_falls_into_sentences_items_and_what_has_to_stay() -> None:
    pieces = pieces_of(PROMPT)
    loose = [pieces.items[number].text for number in pieces.loose]
    assert loose == [
        "You are careful, e.g. with units.",
        "Read the question twice!",
        "Then answer.",
        "- Be brief.",
        "- Show your work,\n  step by step.",
        "1. Use the form below.",
        'He said "Stop. Now." and left.',
        "(It is late. Go.)",
        "Be kind.",
        "先看问题。",
        "再回答！",
    ]
    short = pieces.without([pieces.loose[1], *pieces.loose[-3:]])
    assert short.startswith("You are careful, e.g. with units. Then answer.\n\n# Rules\n")
    assert "Follow these rules:\n- Show your work,\n  step by step.\n1. Use" in pieces.without(
        [pieces.loose[3]]
    )
    assert short.endswith("Answer {question} now.\n")
    assert [len(one) for one in merged(pieces, 4)] == [3, 3, 3, 2]
    with pytest.raises(ValueError, match="stays"):
        pieces.without(range(len(pieces.items)))


@pytest.mark.parametrize("rest", ["# Head", "| a | b |", "- an item", "2) an item", "*** on ***"])
def test_what_would_be_markup_at_the_start_of_a_line_keeps_what_is_before_it(rest: str) -> None:
    first, *_ = pieces_of(f"One sentence. {rest}\n\nBe kind.").items
    assert first.text == f"One sentence. {rest}"


def tokens(text: str) -> Counter[str]:
    return Counter(one.rstrip() for one in TOKENS.findall(text))


@given(st.lists(PARTS, max_size=25).map("".join), st.data())
def test_whatever_is_cut_what_a_prompt_is_read_by_stays(prompt: str, data: st.DataObject) -> None:
    pieces = pieces_of(prompt)
    assert pieces.without([]) == prompt
    assert pieces.lead + "".join(one.text + one.gap for one in pieces.items) == prompt
    assert not any(one.gap.strip() for one in pieces.items)
    cut = data.draw(st.sets(st.sampled_from(pieces.loose)) if pieces.loose else st.just(set[int]()))
    short = pieces.without(cut)
    left = [one.text for number, one in enumerate(pieces.items) if number not in cut]
    assert tokens(short) == tokens(prompt) or not left
    assert slot_names(short) == slot_names(prompt)
    position = 0
    for text in left:  # what stays is as it was, in its order
        position = short.index(text, position) + len(text)
