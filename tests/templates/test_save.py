"""Saving templates: what did not change stays byte for byte, what changed reads back exactly."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.program_prompts import Part
from spotui.templates.model import QA, Template, TemplateError
from spotui.templates.read import check_text, interpret, parse_template, read_template
from spotui.templates.save import edit_yaml, save_template, to_yaml
from spotui.templates.yaml.composer import load

SPO_STYLE = """\
# Notes of the team
prompt: |
  Think step by step.
  End with the answer in tags:
  <answer>[Yes or No]</answer>.

requirements: |
  None

count: None

# six of them, three are drawn
qa:
  # the easy one
  - question: |
        Is ice cold?
        Options:
        - Yes
        - No

    answer: |
        Some thinking.
        Yes

  - question: |
        Is fire cold?

    answer: |
        None

  # the hard one
  - question: Is space cold?   # by night
    answer: Yes
    # ask a physicist
"""

ODD_STYLE = """\
\ufeffowner: "me"      # not ours
models: {executor: small,  optimizer: 'big'}   # flow
faq:
-   answer: 'None'   # nobody knows
    question: "Why, \\"really\\"?"
    tags: [a,  b]

# second
- {question: 12, answer: 0x10}
-
    question: >-
      folded
      words
    answer:
requirements: >
    long
    lines
prompt: Say   # in line
count: '050'
"""

JSON_STYLE = (
    '{"prompt":"p",\n "requirements": "r", "qa": [\n  {"question": "a"},\n  {"question":"b","answer":"é"}\n]}'
)

FILES = [SPO_STYLE, ODD_STYLE, JSON_STYLE, SPO_STYLE.replace("\n", "\r\n"), ODD_STYLE.rstrip("\n")]


def change(template: Template, **changes: Any) -> Template:
    return msgspec.structs.replace(template, **changes)


def comments(text: str) -> list[str]:
    return sorted(line[line.index("#") :].rstrip() for line in text.splitlines() if "#" in line)


letters = st.sampled_from("aé猫😀 \n\t:#-|>'\"{}[]&*!%@`,?\\\r\x85\u2028\ufeff\x07\0") | st.characters(
    exclude_categories=["Cs"]
)
texts = st.text(letters, max_size=40) | st.sampled_from(
    [
        "None",
        " None\n",
        "Yes",
        "null",
        "~",
        "12",
        "1e3",
        "- a",
        "a: b # c",
        " lead\n more\n",
        "tail \n\n",
        "a\n \nb",
        "<<",
    ]
)
rows = st.lists(st.builds(QA, texts, texts), max_size=5).map(tuple)
plain = (
    st.none()
    | texts
    | st.lists(st.integers() | texts, max_size=3)
    | st.dictionaries(texts, texts, max_size=3)
)
templates = st.builds(
    Template,
    prompt=texts,
    requirements=texts,
    count=st.none() | st.integers(1, 999_999_999),
    qa=rows,
    method=st.none() | st.sampled_from(["spo", "gpo"]),
    models=st.dictionaries(
        st.sampled_from(["optimizer", "evaluator", "executor"]),
        st.sampled_from(["a/b:c", "007"]) | st.dictionaries(st.sampled_from(["model", "temperature"]), texts),
        max_size=3,
    ),
    data=plain,
    metric=plain,
    criteria=plain,
)


@given(templates)
def test_a_new_text_reads_back_exactly(template: Template) -> None:
    written = to_yaml(template)
    assert interpret(load(written))[0] == template
    assert yaml.safe_load(written)["prompt"] == (template.prompt or "None")  # as the reference reads it


@given(st.sampled_from(FILES), templates)
def test_a_file_takes_any_template_and_keeps_what_is_not_a_templates(text: str, template: Template) -> None:
    edited = edit_yaml(text, template)
    assert interpret(load(edited))[0] == template
    assert edit_yaml(edited, template) == edited
    if "owner" in text:
        assert 'owner: "me"      # not ours' in edited


@given(
    st.sampled_from(FILES[:2]),
    st.permutations(range(3)),
    st.lists(st.tuples(st.integers(0, 2), texts), max_size=2),
    st.lists(st.tuples(st.integers(0, 4), texts, texts), max_size=2),
    texts,
)
def test_comments_survive_reordered_edited_and_added_rows(
    text: str,
    order: list[int],
    edits: list[tuple[int, str]],
    additions: list[tuple[int, str, str]],
    requirements: str,
) -> None:
    before = parse_template(text)
    qa = [before.qa[each] for each in order]
    for position, answer in edits:
        qa[position] = QA(qa[position].question, answer)
    for position, question, answer in additions:
        qa.insert(position, QA(question, answer))
    after = change(before, qa=tuple(qa), requirements=requirements, count=7)
    edited = edit_yaml(text, after)
    assert interpret(load(edited))[0] == after
    assert all(comment in edited for comment in comments(text))


@pytest.mark.parametrize("text", FILES)
def test_an_unchanged_template_changes_no_byte(text: str, tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(text.encode())
    before = path.stat()
    save_template(path, read_template(path))
    assert path.read_bytes() == text.encode()
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_changed_value_changes_only_its_lines() -> None:
    before = parse_template(SPO_STYLE)
    after = change(before, prompt="Think.\n", count=50, qa=(*before.qa[:2], QA("Is space cold?", "No\nidea")))
    assert edit_yaml(SPO_STYLE, after) == SPO_STYLE.replace(
        "  Think step by step.\n  End with the answer in tags:\n  <answer>[Yes or No]</answer>.\n",
        "  Think.\n",
    ).replace("count: None", "count: 50").replace("answer: Yes\n", "answer: |-\n        No\n        idea\n")


def test_rows_move_with_their_comments() -> None:
    before = parse_template(SPO_STYLE)
    first, second, third = before.qa
    edited = edit_yaml(SPO_STYLE, change(before, qa=(third, first)))
    assert edited.endswith(
        """\
# six of them, three are drawn
qa:
  # the hard one
  - question: Is space cold?   # by night
    answer: Yes
    # ask a physicist

  # the easy one
  - question: |
        Is ice cold?
        Options:
        - Yes
        - No

    answer: |
        Some thinking.
        Yes
"""
    )
    assert comments(edit_yaml(SPO_STYLE, change(before, qa=(second,)))) == [
        "# Notes of the team",
        "# six of them, three are drawn",
    ]


def test_the_word_none_is_kept_where_it_stands_and_written_where_a_text_was() -> None:
    before = parse_template(SPO_STYLE)
    edited = edit_yaml(SPO_STYLE, change(before, prompt="p", qa=(*before.qa[:2], QA("Is space cold?"))))
    assert "requirements: |\n  None\n" in edited
    assert "    answer: |\n        None\n" in edited
    assert "    answer: None\n    # ask a physicist" in edited
    assert "count: None" in edited


def test_an_odd_file_is_edited_in_its_own_style() -> None:
    before = parse_template(ODD_STYLE)
    assert check_text(ODD_STYLE)[0].key == "owner"
    after = change(
        before,
        prompt="Tell",
        count=3,
        qa=(QA('Why, "really"?', "It's so"), QA("12", "17"), QA("folded words", "x"), QA("new", "n")),
        models={"executor": "tiny", "evaluator": "e"},
        metric="exact",
    )
    assert edit_yaml(ODD_STYLE, after) == (
        ODD_STYLE.replace("'None'   #", "'It''s so'   #")
        .replace("0x10", "'17'")
        .replace("answer:\n", "answer: x\n-   question: new\n    answer: n\n")
        .replace("Say ", "Tell ")
        .replace("'050'", "3\nmetric: exact")
        .replace("{executor: small,  optimizer: 'big'}", "{executor: tiny, evaluator: e}")
    )


def test_a_json_file_stays_json() -> None:
    import json

    before = parse_template(JSON_STYLE)
    after = change(
        before, qa=(before.qa[1], QA('"new"', "é\u2028"), QA("a", "b")), models={"executor": {"model": "m"}}
    )
    edited = edit_yaml(JSON_STYLE, after)
    assert json.loads(edited)["qa"][1] == {"question": '"new"', "answer": "é\u2028"}
    assert '  {"question":"b","answer":"é"},\n' in edited


def test_optional_keys_come_and_go() -> None:
    before = parse_template(SPO_STYLE)
    full = change(
        before, method="gpo", models={"executor": "m"}, data={"path": "rows.jsonl"}, criteria=["kind"]
    )
    edited = edit_yaml(SPO_STYLE, full)
    assert edited.startswith(SPO_STYLE)
    assert edit_yaml(edited, before) == SPO_STYLE
    other = edit_yaml(edited, change(full, models={"optimizer": "o", "executor": "m"}))
    assert "models:\n  optimizer: o\n  executor: m\n" in other or "  executor: m\n  optimizer: o\n" in other


def test_aliases_are_written_out_only_where_the_text_changes() -> None:
    text = """\
prompt: p
requirements: r
qa:
  - {question: a, answer: &yes Indeed}
  - {question: b, answer: *yes}
  - {question: c, answer: *yes}
"""
    before = parse_template(text)
    edited = edit_yaml(text, change(before, qa=(before.qa[0], QA("b", "never"), before.qa[2])))
    assert edited == text.replace("b, answer: *yes", "b, answer: never")
    moved = edit_yaml(text, change(before, qa=(before.qa[2], before.qa[1], before.qa[0])))
    assert parse_template(moved).qa == (before.qa[2], before.qa[1], before.qa[0])
    changed = edit_yaml(text, change(before, qa=(QA("a", "never"), *before.qa[1:])))
    assert parse_template(changed).qa == (QA("a", "never"), *before.qa[1:])


def test_texts_that_end_with_the_file_or_keep_blank_lines_survive_what_is_added_below() -> None:
    text = "requirements: |+\n  r\n\nqa:\n  # one\n  - question: q # two\nprompt: |\n  p"
    before = parse_template(text)
    assert (before.prompt, before.requirements) == ("p", "r\n\n")
    after = change(before, method="gpo", count=5, qa=(QA("new"), *before.qa))
    edited = edit_yaml(text, after)
    assert parse_template(edited) == after
    assert comments(edited) == ["# one", "# two"]


def test_a_file_of_comments_keeps_them() -> None:
    edited = edit_yaml("# to do\n", Template(prompt="p", requirements="r", qa=(QA("q"),)))
    assert edited.startswith("# to do\n\nprompt: p\n")


def test_what_is_wrong_in_a_file_is_fixed_by_saving() -> None:
    text = "promt: x # keep\nrequirements: {a: 1}\ncount: no\nqa: words\nmodels: 5\n"
    good = Template(prompt="p", requirements="r", count=9, qa=(QA("q", "a"),), models={"executor": "m"})
    edited = edit_yaml(text, good)
    assert parse_template(edited) == good
    assert "promt: x # keep" in edited


def test_a_draft_can_be_saved(tmp_path: Path) -> None:
    draft = Template(prompt="")
    save_template(tmp_path / "new.yaml", draft)
    assert (
        tmp_path / "new.yaml"
    ).read_text() == "prompt: None\n\nrequirements: None\n\ncount: None\n\nqa: []\n"
    assert edit_yaml(SPO_STYLE, draft).endswith("qa: []\n    # ask a physicist\n")


def test_a_new_file_is_written_cleanly(tmp_path: Path) -> None:
    save_template(
        tmp_path / "new.yaml",
        Template(
            prompt="Antworte höflich.\nUnd kurz: 你好 😀\n",
            requirements="Short",
            count=50,
            qa=(QA("Wie geht's?", "Yes"), QA("two\nlines", "")),
            models={"executor": {"model": "m", "temperature": 0}},
        ),
    )
    assert (
        (tmp_path / "new.yaml").read_text("utf-8")
        == """\
prompt: |
  Antworte höflich.
  Und kurz: 你好 😀

requirements: Short

count: 50

qa:
  - question: Wie geht's?
    answer: 'Yes'
  - question: |-
      two
      lines
    answer: None

models:
  executor:
    model: m
    temperature: 0
"""
    )


def test_a_file_is_replaced_in_one_step_with_its_mode_and_through_its_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "t.yaml"
    real.write_text(SPO_STYLE)
    real.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(real)
    save_template(link, change(read_template(link), prompt="new"))
    assert link.is_symlink()
    assert read_template(real).prompt == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert [each.name for each in real.parent.iterdir()] == ["t.yaml"]


def test_what_cannot_be_saved_leaves_the_file_alone(tmp_path: Path) -> None:
    good = parse_template(SPO_STYLE)
    cases = [
        ("prompt: 'p\n", "never closed"),
        ("- a\n", "not a template"),
        ("a: 1\na: 2\n", "twice"),
        ("\x00", "not a text"),
    ]
    for number, (text, word) in enumerate(cases):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text)
        with pytest.raises(TemplateError, match=word):
            save_template(path, good)
        assert path.read_text() == text
    for name, word in [("no/such/folder.yaml", "No such file"), (".", "folder"), ("a\0b", "file name")]:
        with pytest.raises(TemplateError, match=word):
            save_template(tmp_path / name, good)
    half = change(good, prompt="\ud800")
    with pytest.raises(TemplateError, match="half of a character"):
        to_yaml(half)
    with pytest.raises(TemplateError, match="half of a character"):
        edit_yaml(SPO_STYLE, half)
    with pytest.raises(TemplateError, match="`-1`"):
        to_yaml(change(good, count=-1))


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(TemplateError, match="Permission"):
        save_template(tmp_path / "t.yaml", parse_template(SPO_STYLE))


def test_a_long_list_is_edited_quickly() -> None:
    text = "prompt: p\nrequirements: r\nqa:\n" + "".join(
        f"  # number {number}\n  - question: q{number}\n    answer: a{number}\n" for number in range(2000)
    )
    before = parse_template(text)
    after = change(before, qa=tuple(QA(qa.question, f"{qa.answer}!") for qa in reversed(before.qa)))
    edited = edit_yaml(text, after)
    assert parse_template(edited) == after
    assert "  # number 7\n  - question: q7\n    answer: a7!\n" in edited


def test_saving_never_loads_ruamel(tmp_path: Path) -> None:
    code = (
        "import sys; from spotui.templates.model import Template; "
        "from spotui.templates.save import save_template; save_template(sys.argv[1], Template(prompt='p'));"
        "print('ruamel' in sys.modules or 'ruamel.yaml' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "t.yaml")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_one_of_several_prompts_is_changed_and_the_others_stay_as_they_are_written() -> None:
    text = (
        "# a program\nprompts:\n  planner: |  # plans\n    Plan it.\n  writer: 'Write it.'\n\n"
        "requirements: r\nqa:\n- question: q\n"
    )
    template = parse_template(text)
    assert template.parts == ("planner", "writer")
    changed = Part("writer").put(template.prompt, "Write it well.")
    new = edit_yaml(text, msgspec.structs.replace(template, prompt=changed))
    assert new == text.replace("Write it.", "Write it well.")
    assert parse_template(to_yaml(parse_template(new))) == parse_template(new)


TALK = """\
prompt: p
requirements: r
qa:
  - question: One?  # alone
    turns: ["And two?"]
  - question:
      - {role: system, content: Be kind.}
      - {role: user, content: Number 1207.}  # the order
    turns: [Thanks.]
  - question:
      - role: user
        content:
          - {type: text, text: What is this?}
          - {type: image_url, image_url: {url: cat.png}}
"""


@given(st.sampled_from([0, 1, 2]), st.text("ab :#-\n'\"[{", min_size=1, max_size=12).filter(str.strip))
def test_the_last_turn_of_a_conversation_is_edited_like_a_question(number: int, text: str) -> None:
    template = parse_template(TALK)
    rows = list(template.qa)
    rows[number] = msgspec.structs.replace(rows[number], question=text)
    new = edit_yaml(TALK, msgspec.structs.replace(template, qa=tuple(rows)))
    assert parse_template(new).qa == tuple(rows)
    assert parse_template(new).qa[number].question == text
    kept = [line for line in TALK.splitlines() if "turns" in line]
    assert [line for line in new.splitlines() if "turns" in line] == kept
