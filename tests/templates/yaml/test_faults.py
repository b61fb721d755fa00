"""What only looks like YAML is named on its own line, and what is only text is left alone."""

import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.runs.check import check
from spotui.runs.launch import Launcher
from spotui.settings.resolve import Flags
from spotui.templates.model import QA, Template, TemplateError
from spotui.templates.read import check_text, misread, parse_template, refuse_misread
from spotui.templates.save import to_yaml
from spotui.templates.yaml.composer import load
from tests.command_line import move_in

HEAD = "prompt: a\nrequirements: b\nqa:\n"
BLOCKS = (
    "prompt: |\n  prompt：x\n  － question：y\n  \u3000answer：z\nrequirements: ［简短］，“好”\n"
    "qa:\n  - {question: 一加一，是多少？, answer: 二}\n  - question: >-\n      answer：x\n"
)
TAIL = "requirements: r\nqa:\n  - question: a?\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("prompt：解决问题。\nrequirements: 简短\nqa:\n  - question: 一加一？\n", 1, "full-width colon (：)"),
        ("prompt: Solve.\nrequirements：短\nqa:\n  - question: a\n", 2, "Write `requirements: `"),
        ("prompt: a\nrequirements: b\nqa：\n  - question: x\n", 3, "Write `qa: `"),
        (f"{HEAD}  - question：x\n", 4, "Write `question: `"),
        (f"{HEAD}  - question: x\n    answer：y\n", 5, "full-width colon"),
        (f"prompt﹕a\n{TAIL}", 1, "small colon"),
        (f"prompt∶ a\n{TAIL}", 1, "ratio (∶)"),
        (f"{HEAD}  – question: x\n", 4, "an en dash (–), which is not a dash"),
        (f"{HEAD}  － question: x\n", 4, "full-width hyphen-minus"),
        (f"{HEAD}  • question: x\n", 4, "a bullet (•)"),
        (f"{HEAD}\u00a0\u00a0- question: x\n", 4, "a no-break space (U+00A0)"),
        (f"{HEAD}  - question: x\n\u00a0\u00a0  answer: y\n", 5, "a no-break space"),
        (f"{HEAD}\u3000- question: x\n", 4, "an ideographic space (U+3000)"),
        (f"\u200bprompt: a\n{TAIL}", 1, "a zero width space (U+200B)"),
        (f"prompt:\u00a0a\n{TAIL}", 1, "After the colon is a no-break space"),
        (f"{HEAD}  -\u2009question: x\n", 4, "After the dash is a thin space"),
        (f"{HEAD}\t- question: x\n", 4, "a tab where YAML wants spaces"),
        (f"prompt: “Answer: yes”\n{TAIL}", 1, "not a quote for YAML"),
        (f"prompt: 「回答: 是」\n{TAIL}", 1, "left corner bracket"),
        (f"“prompt”: a\n{TAIL}", 1, "Write `prompt` without quotes."),
        (f"{HEAD}  - {{question: a，answer: b}}\n", 4, "full-width comma (，)"),
        (f"{HEAD}  - ｛question: a, answer: b｝\n", 4, "full-width left curly bracket"),
        (f"prompt: ｜\n  text here\n{TAIL}", 1, "full-width vertical line"),
        (f"＃ note\nprompt: a\n{TAIL}", 1, "begins no comment"),
        (f"prompt:a\n{TAIL}", 1, "no space after the colon of `prompt`"),
        (f"prompt: &important Do this\n{TAIL}", 1, "`&important` is not part of the text"),
        ("prompt: a\nrequirements: &x\nqa:\n  - question: a\n", 2, "`&x` is not part of the text"),
        (
            f"base: &b {{answer: x}}\n{HEAD}  - <<: *b\n    question: a?\n",
            5,
            "Merge keys (`<<`) are not used",
        ),
        (f"prompt: {{{{question}}}}\n{TAIL}", 1, "A [ or { begins a list or a mapping here"),
        (f" prompt: a\n{TAIL}", 1, "The first key is indented"),
        (f"# note\n  prompt: a\n{TAIL}", 2, "The first key is indented"),
        (f"```yaml\nprompt: a\n{TAIL}```\n", 1, "a code fence of Markdown"),
    ],
)
def test_it_is_one_error_on_its_line(text: str, line: int, words: str) -> None:
    (problem,) = check(text).problems
    assert (problem.severity, problem.line) == ("error", line)
    assert words in f"{problem.what} {problem.hint}"
    assert check_text(text)[0] == problem


@pytest.mark.parametrize(
    "text",
    [
        BLOCKS,
        f"prompt: 'a\n  answer：b'\n{TAIL}",
        f"prompt: “Answer yes”\n{TAIL}",
        "prompt: &p a\nrequirements: *p\nqa:\n  - question: R&D & more\n",
        f"prompt: 问题：一\n{TAIL}",
        f"prompt: &a |\n  text\n{TAIL}",
        f"# prompt：x\nprompt: http://example.org\n{TAIL}",
        f"prompt: 'Rate #1 of two' # note\ncount: 5 #words\n{TAIL}",
        f"prompt: |\n  Rate #1\n  of two # not a note\n{TAIL}",
    ],
)
def test_in_a_text_it_is_text(text: str) -> None:
    assert check(text).problems == ()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (f"prompt: Rate answer #1 of two\n{TAIL}", 1, "`#1` begins a comment"),
        (f"{HEAD}  - question: Who wrote\n      the song #9 of it?\n", 5, "`#9` begins a comment"),
        (f"prompt: 'Use {{quesiton}}'\n{TAIL}", 1, "Write `{question}`: the name of a slot"),
        (f"prompt: 'Use {{Question}}'\n{TAIL}", 1, "Write `{question}`: the name of a slot"),
        (f"prompt: Use ｛question｝\n{TAIL}", 1, "Write `{question}` if a part"),
    ],
)
def test_what_may_be_meant_is_a_warning_on_its_line(text: str, line: int, words: str) -> None:
    (problem,) = check(text).problems
    assert (problem.severity, problem.line) == ("warning", line)
    assert words in f"{problem.what} {problem.hint}"


def test_a_run_does_not_begin_with_it_and_one_that_did_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"prompt: &important Do this\n{TAIL}"
    with pytest.raises(TemplateError, match=r"poem\.yaml, line 1: `&important` is not part of the text"):
        refuse_misread(text, "poem.yaml")
    assert parse_template(text).prompt == "Do this"
    move_in(monkeypatch, tmp_path)
    (tmp_path / "poem.yaml").write_text(text)
    with pytest.raises(TemplateError, match="is not part of the text"):
        Launcher().prepare(tmp_path / "poem.yaml", Flags(model="m"))


@given(st.text("&*：:–- \n\u00a0\u3000“”{}|＃answerquestion", max_size=30), st.text(max_size=30))
def test_what_the_form_writes_is_never_misread(prompt: str, question: str) -> None:
    template = Template(prompt=prompt, requirements=question, qa=(QA(question=prompt, answer=question),))
    try:
        text = to_yaml(template)
    except TemplateError:
        return
    assert not [one for one in check(text).problems if "YAML" in one.what or "anchor" in one.what]
    assert msgspec.structs.replace(parse_or_none(text), models={}) == template


def test_a_long_template_is_checked_at_once() -> None:
    text = HEAD + "".join(f"  - question: What is {n}?\n    answer: {n}\n" for n in range(5000))
    root, started = load(text), time.process_time()
    assert misread(text, root) == []
    assert time.process_time() - started < 1.0


def parse_or_none(text: str) -> Template:
    found = check(text).template
    assert found is not None
    return found
