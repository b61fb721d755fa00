"""Typing in the form: whatever is typed, and wherever the writer pauses, it reads back as it was typed."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spotui.templates.model import QA, Template
from spotui.templates.read import interpret
from spotui.templates.save import edit_yaml
from spotui.templates.yaml.composer import load
from spotui.templates.yaml.faults import YamlError

SHORT = {
    "plain": "A b.",
    "plain over lines": "A b\n    c d",
    "plain below": "\n    text # c",
    "plain with comment": "text   # note",
    "single": "'A ''b''.'",
    "single over lines": "'A\n\n    b'",
    "double": '"A \\"b\\" \\u00e9."',
    "double over lines": '"A\n\n    b \\\n    c"  # note',
    "empty": "",
    "tilde": "~",
    "word None": "None",
    "number": "12",
    "tagged": "!!str 12",
    "anchored": "&p text",
    "anchored block": "&p |+\n    text\n\n",
}
BODIES = ("A b.\nC.", "A b. \n\n  C \n ", "", "\n\n", "   \n", " lead\n x", "\ttab\n\t", "# no comment\n")


def blocks() -> Iterator[tuple[str, str]]:
    """Blocks of every style, chomping and indentation, with and without a comment behind."""
    for style in "|>":
        for chomp in ("", "-", "+"):
            for indent in ("", "2", "4"):
                for note in ("", " # note"):
                    for body in BODIES:
                        margin = " " * (2 + int(indent or 2))
                        hint = indent or ("2" if body[:1] in (" ", "\t", "\n") else "")
                        lines = "\n".join(margin + line if line else "" for line in body.split("\n"))
                        yield f"{style}{hint}{chomp}{note} {body!r}", f"{style}{hint}{chomp}{note}\n{lines}"


STYLES = SHORT | dict(blocks())
BETWEEN = (
    "",
    "\n",
    "\n# after\n",
    "\n\n\n",
    "          \n",
    "\t\n",
    "          # after\n",
    "       \n         # after\n\t\n",
)
WHOLE = (
    "{prompt: a, \"requirements\": 'b', qa: [{question: Q, answer: x}, {question: W}]}",
    '{"prompt":"p",\n "requirements": "r", "qa": [\n  {"question": "a"},\n  {"question":"b"}\n]}\n',
    """\
prompt: &p One
requirements: *p
qa:
- &r {question: Q, answer: *p}
- *r
- question: *p
  answer: |+
   x

models: {executor: *p}
ours: 1
""",
    """\
prompt: &p |+
  One

qa:
  - question: &q >-
     folded
     words
    answer: *q
requirements: *p""",
    """\
qa:
- {question: "a # b", answer: z}
- question: |
   y
  answer: >
   z
   z
prompt: >+
 a
   b


requirements: &r
  x
""",
    "---\n# c\nprompt: a\nrequirements: b\nqa: [{question: a, answer: b}]\n...\n# after\n",
    '\ufeffprompt: a\nrequirements: "b"\nqa: [{question: a, answer: b}]',
)


def file_with(key: str, value: str, between: str, *, is_first: bool, ends_line: bool) -> str:
    """A template whose prompt, requirements, question or answer is written in a certain way."""
    texts = {"prompt": "P.", "requirements": "|\n  R.\n", "question": "Q?", "answer": "|+\n      Yes\n\n"}
    texts[key] = value
    rows = [
        f"  - question: {texts['question']}\n{between}    answer: {texts['answer']}",
        "  - question: W?\n    answer: >\n      x\n      y",
    ]
    parts = [f"{name}: {texts[name]}" for name in ("prompt", "requirements")] + ["ours: 1  # kept"]
    parts.append("qa:\n" + ("\n" + between).join(rows if is_first else rows[::-1]))
    ordered = parts if is_first or key not in ("prompt", "requirements") else parts[::-1]
    return ("\n" + between).join(ordered) + ("\n" if ends_line else "")


def can_be_read(text: str) -> bool:
    """Whether a text is YAML; not every combination of style and surroundings is."""
    try:
        return len(interpret(load(text))[0].qa) > 0
    except YamlError:
        return False


class Typed(NamedTuple):
    """Characters deleted and inserted between two pauses, at a distance from the end of a field."""

    field: int
    from_end: int
    deleted: int
    inserted: str

    def changed(self, text: str) -> str:
        place = max(0, len(text) - self.from_end)
        return text[: max(0, place - self.deleted)] + self.inserted + text[place:]


letters = st.sampled_from(
    "ab   \n\n\t:#-|>'\"{}[]&*!%@`,?\\\r\x85\u2028\ufeff\u200b\x07\0é猫😀"
) | st.sampled_from(["# c", ": ", "- ", "\n\n", "  ", "None", "word " * 60, "---\n", "...\n"])
typed = st.builds(
    Typed,
    st.integers(0, 5),
    st.just(0) | st.just(0) | st.integers(0, 12),
    st.just(0) | st.integers(0, 4),
    st.lists(letters, min_size=1, max_size=3).map("".join),
)
written = st.builds(
    file_with,
    st.sampled_from(["prompt", "requirements", "question", "answer"]),
    st.sampled_from(list(STYLES.values())),
    st.sampled_from(BETWEEN),
    is_first=st.booleans(),
    ends_line=st.booleans(),
)
files = st.tuples(written | written | st.sampled_from(WHOLE), st.booleans()).map(
    lambda pair: pair[0].replace("\n", "\r\n") if pair[1] else pair[0]
)


def after(template: Template, edit: Typed) -> Template:
    """The template with an edit in one of its texts; every other field is a question or an answer."""
    if edit.field < 2:
        name = ("prompt", "requirements")[edit.field]
        return msgspec.structs.replace(template, **{name: edit.changed(getattr(template, name))})
    rows = list(template.qa)
    place = edit.field // 2 % len(rows)
    row = rows[place]
    is_question = edit.field % 2 == 0
    rows[place] = QA(
        edit.changed(row.question) if is_question else row.question,
        row.answer if is_question else edit.changed(row.answer),
    )
    return msgspec.structs.replace(template, qa=tuple(rows))


@given(files.filter(can_be_read), st.lists(typed, min_size=1, max_size=6))
@example("prompt: |\n  A.\n\nqa:\n  - question: Q?\n", [Typed(0, 0, 1, " "), Typed(0, 0, 0, "c")])
@example("prompt: >-\n  A.\n   \nqa:\n  - question: Q?\n", [Typed(0, 0, 0, "\n "), Typed(0, 0, 0, "x")])
def test_any_edits_with_any_pauses_read_back_as_typed(text: str, edits: list[Typed]) -> None:
    """Each pause writes the text, and the next edit works on what was written."""
    template, _ = interpret(load(text))
    others = "ours" in text
    for edit in edits:
        template = after(template, edit)
        text = edit_yaml(text, template)
        assert interpret(load(text))[0] == template
    assert ("ours: 1" in text) == others


@pytest.mark.parametrize("style", [*SHORT, *list(STYLES)[len(SHORT) :: 7]])
def test_typing_in_any_style_keeps_the_comments(style: str) -> None:
    text = file_with("prompt", STYLES[style], "\n# after\n", is_first=True, ends_line=True)
    template, _ = interpret(load(text))
    for typed_text in ("one two ", "one two three\n", "one two three\n\n", "one two three\n\n- four: x "):
        template = msgspec.structs.replace(template, prompt=typed_text)
        text = edit_yaml(text, template)
    assert interpret(load(text))[0] == template
    assert text.count("# after") == 5
    assert ("# note" in text) == ("# note" in STYLES[style])


def test_a_pause_after_a_space_costs_the_block_nothing() -> None:
    text = "prompt: |  # note\n    A.\n\n# next\nqa:\n  - question: Q?\n"
    for prompt in ("A.\nB ", "A.\nB c", "A.\nB c\n", "A.\nB c\n ", "A.\nB c\n d"):
        text = edit_yaml(text, Template(prompt=prompt, qa=(QA("Q?"),)))
    assert text == "prompt: |-  # note\n    A.\n    B c\n     d\n\n# next\nqa:\n  - question: Q?\n"


def test_aliases_are_written_out_only_when_what_they_repeat_changes() -> None:
    text = "prompt: &p One  # p\nrequirements: *p  # r\ncount: 5\nqa:\n  - question: Q?\n"
    template, _ = interpret(load(text))
    counted = edit_yaml(text, msgspec.structs.replace(template, count=6))
    assert counted == text.replace("5", "6")
    assert edit_yaml(text, msgspec.structs.replace(template, prompt="Two")) == text.replace(
        "&p One", "Two"
    ).replace("*p", "One")


@pytest.mark.parametrize(
    "data", ["", "data: a.csv  # rows\n", "data:  # rows\n  limit: 9\n  path: a.csv  # big\n"]
)
@pytest.mark.parametrize(
    "path", ["b.csv", "a: b # c.csv", "- x", "'q'", "猫 é.jsonl", "~/rows.jsonl", "x " * 60 + "y"]
)
def test_the_file_split_and_metric_read_back_as_typed(data: str, path: str) -> None:
    """As the form edits them: the path first, then the split, then the metric, and all of it away again."""
    before = "# mine\nprompt: A.\nqa:\n  - question: Q?\n"
    text = before + data
    template, _ = interpret(load(text))
    kept = template.data if isinstance(template.data, dict) else {}
    steps: list[dict[str, object]] = [
        {"data": {**kept, "path": path} if kept else path},
        {"data": {**kept, "path": path, "split": {"train": 2}}},
        {"data": {**kept, "path": path, "split": {"train": 0.5, "eval": 0.25}}, "metric": "number"},
        {"data": None, "metric": None},
    ]
    for step in steps:
        template = msgspec.structs.replace(template, **step)
        text = edit_yaml(text, template)
        assert interpret(load(text))[0] == template
        assert ("# big" in text) == ("# big" in data and template.data is not None)
    assert text.startswith(before.rstrip())
