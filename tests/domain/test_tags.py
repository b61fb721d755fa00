"""Tags in texts of models."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.tags import is_balanced, last_tagged, quote_tags, without_tagged
from spotui.engine.task import FENCES

marks = st.sampled_from(
    [
        *(
            "<prompt>",
            "</prompt>",
            "<PROMPT>",
            "</ prompt>",
            "< /prompt>",
            "<prompt >",
            "<choose>",
            "</choose>",
        ),
        *("<answers_of_A>", "</answers_of_A>", "</Answers_Of_B\n>", "&lt;prompt>", "<", "/", ">", "\n", "a"),
    ]
)
texts = st.lists(marks | st.text(max_size=4), max_size=14).map("".join)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<prompt>one</prompt>", "one"),
        ("<prompt>\n one \n</prompt>", "one"),
        ("<PROMPT >one</Prompt >", "one"),
        ("<prompt>one</prompt>\n<prompt>two</prompt>", "two"),
        ("<prompt>one</prompt>\n<prompt>two", "one"),
        ("<prompt>a draft\n<prompt>\nfinal\n</prompt>", "a draft\n<prompt>\nfinal"),
        ("<prompt><prompt>one</prompt></prompt>", "one"),
        ("<prompt>use <prompt>x</prompt> tags</prompt>", "use <prompt>x</prompt> tags"),
        ("The <prompt> tag holds it:\n<prompt>\none\n</prompt>", "one"),
        ("<analyse>x</analyse><prompt>one</prompt>", "one"),
        ("<prompt></prompt>", ""),
        ("<prompt>one", None),
        ("one</prompt>", None),
        ("</prompt>one<prompt>", None),
        ("<prompts>one</prompts>", None),
        ("", None),
    ],
)
def test_the_last_complete_pair_counts(text: str, found: str | None) -> None:
    assert last_tagged(text, "prompt") == found


@given(st.text(alphabet=st.characters(exclude_characters="<"), max_size=60))
def test_what_a_model_tags_is_read_back(content: str) -> None:
    assert (
        last_tagged(f"<analyse>\nwhy\n</analyse>\n<prompt>\n{content}\n</prompt>", "prompt")
        == content.strip()
    )


@given(texts)
def test_what_is_read_stands_in_the_text(text: str) -> None:
    found = last_tagged(text, "prompt")
    assert found is None or found in text


@pytest.mark.parametrize(
    ("text", "balanced"),
    [
        ("none", True),
        ("<prompt>a</prompt>", True),
        ("<prompt><prompt>a</prompt></prompt>", True),
        ("<prompt>a", False),
        ("a</prompt>", False),
        ("</prompt><prompt>", False),
    ],
)
def test_balance_means_that_every_tag_is_closed(text: str, balanced: bool) -> None:
    assert is_balanced(text, "prompt") is balanced


def test_a_tagged_part_is_taken_out_up_to_its_last_closing() -> None:
    assert without_tagged("a<x>b</x>c</x>d", "x") == "ad"
    assert without_tagged("a<x>b", "x") == "a<x>b"
    assert without_tagged("a</x>b<x>", "x") == "a</x>b<x>"


@given(texts)
def test_no_text_from_outside_can_close_a_fence_or_pass_for_a_reply(text: str) -> None:
    quoted = quote_tags(text, FENCES)
    for tag in FENCES:
        assert re.search(rf"<\s*/?\s*{tag}\b", quoted, re.IGNORECASE) is None
        assert last_tagged(quoted, tag) is None


@given(texts)
def test_quoting_changes_nothing_else(text: str) -> None:
    quoted = quote_tags(text, FENCES)
    assert quoted.replace("&lt;", "<") == text.replace("&lt;", "<")
    assert quote_tags(quoted, FENCES) == quoted


def test_tags_of_other_names_stay_as_they_are() -> None:
    assert quote_tags("<b>bold</b> <answers2> x < prompt", FENCES) == "<b>bold</b> <answers2> x &lt; prompt"
