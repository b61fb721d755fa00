"""Tags in texts of models."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain import tags
from spotui.domain.tags import (
    is_balanced,
    last_tagged,
    quote_tags,
    read_form,
    read_form_exactly,
    without_tagged,
)
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


FORM = ("analyse", "modification", "prompt")
ASKED = "- prompt: the whole new prompt, ready to use\n\n<analyse>...</analyse>\n<prompt>...</prompt>"
labels = st.sampled_from(
    [
        *("Prompt: x", "**Prompt:** x", "In a prompt tag: x", "### Modification", "- analyse: x"),
        *("<prompt tag>", "</prompt tag>", "[prompt]", "</answer>", "...", "Use style 5.", ""),
    ]
)


def as_asked(parts: dict[str, str]) -> str:
    return "\n".join(f"<{name}>\n{part}\n</{name}>" for name, part in parts.items())


@pytest.mark.parametrize(
    "reply",
    [
        "<in an analyse tag>a</in an analyse tag>\n<in a prompt tag>Use 5.</in a prompt tag>",
        "<an analyse tag>\na\n<a modification tag>\nm\n<a prompt tag>\nUse 5.",
        "<prompt tag>Use 5.</prompt tag>",
        "<prompt_tag>Use 5.</prompt_tag>",
        "< PROMPT >Use 5.</ prompt >",
        "<the prompt:>Use 5.</the prompt>",
        "[prompt]Use 5.[/prompt]",
        "- <prompt>Use 5.",
        "<prompt>Use 5.",
        "<prompt>Use 5.<prompt>",
        "<prompt>\nUse 5.\n<prompt/>",
        "<prompt>Use 5.<\\prompt>",
        "<prompt>Use 5.</answer>",
        "<prompt>Use 5.</modification>\nI hope that it helps.",
        "<prompt>Use 5.\n<modification>m</modification>",
        "<analyse>a</reason>\n<modification>m\n<prompt>Use 5.</modification>",
        "```xml\n<analyse>a\n<modification>m\n<prompt>Use 5.\n```",
        "In an analyse tag: a\n\nIn a modification tag: m\n\nIn a prompt tag: Use 5.",
        "1. In an analyse tag: a\n2. In a modification tag: m\n3. In a prompt tag: Use 5.",
        "I think so.\n\nIn a prompt tag: Use 5.",
        "In an `analyse` tag: a\n\nIn a `modification` tag: m\n\nIn a `prompt` tag: Use 5.",
        'I think so.\n\nIn the "prompt" tag: Use 5.',
        "＜prompt＞Use 5.＜/prompt＞",
        "**analyse:** a\n**modification:** m\n**prompt:** Use 5.",
        "**Analyse**\na\n\n**Modification**\nm\n\n**Prompt**\nUse 5.",
        "**Prompt**: Use 5.",
        "I think so.\n\n**prompt:** Use 5.",
        "### Analysis\na\n### Modification:\nm\n### Prompt\nUse 5.",
        "Analyse: a\nModification: m\nPrompt: Use 5.",
        "Here it is:\n\n- analyse: a\n- modification: m\n- prompt: Use 5.",
        "Prompt: Use 5.",
        "<analyse>a\n\nModification: m\nPrompt: Use 5.",
        "<analyse tag>\nPrompt: it is vague\n</analyse tag>\n<prompt tag>Use 5.</prompt tag>",
        "<analyse tag>I write <prompt>x</prompt> next.</analyse tag>\n<prompt tag>Use 5.</prompt tag>",
        "Analyse:\nPrompt: it is vague\nModification: m\nPrompt: Use 5.",
        "<prompt>Use 5.</prompt>\n<prompt>...</prompt>",
        "<prompt>The whole new prompt, ready to use.</prompt>\n<prompt>Use 5.</prompt>",
    ],
)
def test_a_part_that_is_marked_nearly_as_asked_is_read(reply: str) -> None:
    assert read_form(reply, *FORM, asked=ASKED)["prompt"] == "Use 5."


@pytest.mark.parametrize(
    "reply",
    [
        "Use 5.",
        "I put it in a <prompt> tag. Use 5.",
        "The current prompt is vague.\nPrompt: Answer the question.\nIt lacks a form.",
        "The current one:\n**Prompt:** Answer.\n\n**Problem:** It is vague.",
        "<analyse tag>\nPrompt: it is vague\n</analyse tag>\nNothing else.",
        "<prompt>...</prompt>",
        "<prompt>\n\u2026\n</prompt>",
        "<prompt>[ ... ]</prompt>",
        "<prompt tag>...</prompt tag>",
        "In a prompt tag: ...",
        "<prompt>Your text.</prompt>",
        "<prompt>the whole new prompt, ready to use</prompt>",
        "**prompt:** The whole new prompt, ready to use.",
        "<analyse>...</analyse>\n<modification>...</modification>\n<prompt>...</prompt>",
        '{\n  "analyse": "a",\n  "prompt": "Use 5."\n}',
        "",
    ],
)
def test_a_copy_of_the_form_and_a_mere_mention_are_no_part(reply: str) -> None:
    assert "prompt" not in read_form(reply, *FORM, asked=ASKED)


@pytest.mark.parametrize(
    ("reply", "part"),
    [
        ("<prompt>Use <b>5</b>", "Use <b>5</b>"),
        ("<prompt>Put it in <answer>x</answer>", "Put it in <answer>x</answer>"),
        ("<prompt>Write ... for a gap.</prompt>", "Write ... for a gap."),
        ("Prompt: Mark it as\n**Result:** x\nPrompt: y", "Mark it as\n**Result:** x\nPrompt: y"),
        ("Prompt: **Be brief.**", "**Be brief.**"),
        ("<prompt tag>\nUse it.\nPrompt: x\n</prompt tag>", "Use it.\nPrompt: x"),
        ("<prompt></prompt>", ""),
    ],
)
def test_what_a_part_holds_stays(reply: str, part: str) -> None:
    assert read_form(reply, *FORM, asked=ASKED)["prompt"] == part


def test_lines_of_a_row_that_look_like_an_explanation_refuse_no_part() -> None:
    asked = f"- prompt: Use\n- prompt: Use the right form of it\n\n{ASKED}"
    assert read_form("<prompt>Use the right form of it.</prompt>", *FORM, asked=asked)["prompt"]


@pytest.mark.parametrize("line", ["<prompt>", "Prompt: x", "<prompt tag>x", "**prompt:**", "</prompt>", "<a"])
def test_a_model_that_repeats_itself_is_read_in_no_time(line: str) -> None:
    began = time.process_time()
    read_form(f"{line}\n" * 20_000, *FORM, asked=ASKED)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("opening", ["<prompt>", "<prompt tag>", "Prompt: ", "**prompt:** "])
def test_a_part_that_the_length_limit_left_open_is_no_part(opening: str) -> None:
    assert read_form(f"{opening}Use 5.", *FORM)["prompt"] == "Use 5."
    assert "prompt" not in read_form(f"{opening}Use 5.", *FORM, is_whole=False)


@given(st.lists(labels | st.text(alphabet=st.characters(exclude_characters="<"), max_size=9), max_size=6))
def test_what_is_written_as_asked_is_read_as_it_is_whatever_it_holds(lines: list[str]) -> None:
    parts = {name: "\n".join([f"My {name} is this.", *lines]).strip() for name in FORM}
    assert read_form(as_asked(parts), *FORM, asked=ASKED) == parts
    assert read_form_exactly(as_asked(parts), *FORM) == parts


@given(st.lists(labels | marks | st.text(max_size=9), max_size=9), st.booleans())
def test_every_part_stands_in_the_reply_and_none_is_a_copy(lines: list[str], is_whole: bool) -> None:
    reply = "\n".join(lines)
    for part in read_form(reply, *FORM, asked=ASKED, is_whole=is_whole).values():
        assert part in reply
        assert part.strip(" .\u2026\n") or not part


@given(st.text(alphabet="ab 1.,-", min_size=1, max_size=30).filter(lambda one: one.strip(" .,-1")))
def test_every_way_to_mark_the_parts_brings_the_same_text(text: str) -> None:
    ways = (
        "<{0} tag>{1}</{0} tag>",
        "<In a {0} tag>\n{1}",
        "In a {0} tag: {1}",
        "**{0}:** {1}",
        "# {0}\n{1}",
    )
    for way in ways:
        reply = "\n".join(way.format(name, text) for name in FORM)
        assert read_form(reply, *FORM) == dict.fromkeys(FORM, text.strip())


contents = st.text(alphabet="ab .\n>[]/*:…", max_size=8) | st.sampled_from(
    ["...", "prompt:", "what to change"]
)


@given(st.lists(contents, min_size=3, max_size=3), st.sampled_from(["", " ", "\n"]), st.booleans())
def test_a_reply_that_is_nothing_but_the_form_is_read_at_once_as_any_other(
    parts: list[str], gap: str, loud: bool
) -> None:
    reply = gap.join(f"<{name}>{part}</{name}>" for name, part in zip(FORM, parts, strict=True))
    reply = reply.upper() if loud else reply
    assert tags.read_exact_form(reply, *FORM)
    found = read_form(reply, *FORM, asked=ASKED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tags, "read_exact_form", lambda *_: {})
        assert read_form(reply, *FORM, asked=ASKED) == found
