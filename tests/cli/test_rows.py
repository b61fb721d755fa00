"""`spotui rows`: the optimizer's model writes rows, and a person keeps, edits or drops them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.templates.read import read_template
from tests.cli.conftest import Shell
from tests.cli.terminal import Terminal
from tests.command_line import TEMPLATE, places, write_template
from tests.model_server import JsonObject, ModelServer, conversation
from tests.row_model import rows, template

SUBJECTS = (
    *("tides", "glaciers", "magnets", "volcanoes", "echoes", "mirrors"),
    *("rust", "yeast", "comets", "deserts", "thunder", "compasses"),
)


def question_on(subject: str) -> str:
    return f"{subject.capitalize()} {subject[::-1]}: how so?"


def author(request: JsonObject) -> str:
    """Rows on subjects that are not shown yet; the first of each reply is known already."""
    text = conversation(request)
    if (wanted := re.search(r"Write (\d+) more", text)) is None:
        return "An answer."
    count = int(wanted[1])
    names = re.findall(r"^- (\w+):", text, re.MULTILINE)
    new = [one for one in SUBJECTS if one.capitalize() not in text][:count]
    shown = re.findall(r"question: (.*)", text)
    blocks = [{"question": shown[0].upper(), "answer": "Because."}] if shown else []
    blocks += [{"question": question_on(one), "answer": one} for one in new]
    blocks += [{"question": "...", "answer": "..."}]
    parts = [
        "\n".join(
            f"<{name}>{one.get(name, f'{name} of ' + one['question'][17:30])}</{name}>" for name in names
        )
        for one in blocks
    ]
    return "\n".join(f"<row>\n{part}\n</row>" for part in parts)


@pytest.fixture
def writer() -> Iterator[ModelServer]:
    with ModelServer(author) as server:
        yield server


def asking(server: ModelServer) -> tuple[str, ...]:
    return ("--opt-model", "test-model", "--base-url", server.base_url)


def test_rows_are_added_to_the_questions_marked_and_bought_once(
    shell: Shell, home: Path, writer: ModelServer
) -> None:
    path = write_template(home, "# mine\n" + TEMPLATE)
    shown = shell("rows", path, "--synthesize", "4", "--json", *asking(writer))
    assert shown.code == 0, shown.err
    assert [one["question"] for one in json.loads(shown.out)["rows"]] == [*map(question_on, SUBJECTS[:4])]
    assert json.loads(shown.out)["left_out"] == 1
    bought = len(writer.requests)
    ended = shell("rows", path, "--synthesize", "4", "--keep-all", *asking(writer))
    assert len(writer.requests) == bought
    assert f"4 rows are added to {path}, marked as synthetic." in ended.out
    found = read_template(path)
    assert [one.synthetic for one in found.qa] == [False] * 3 + [True] * 4
    assert Path(path).read_text().startswith("# mine\n" + TEMPLATE.rstrip("\n"))
    assert shell("check", path).code == 0


def test_rows_of_a_file_go_into_one_beside_it_and_never_into_the_test(
    shell: Shell, home: Path, writer: ModelServer
) -> None:
    (home / "rows.jsonl").write_text(rows(20).replace('"question"', '"ask"').replace('"answer"', '"gold"'))
    columns = "{path: rows.jsonl, columns: {question: ask, answer: gold}}"
    (home / "sums.yaml").write_text(template(data=columns, metric="contains"))
    ended = shell("rows", "sums.yaml", "--synthesize", "6", "--keep-all", *asking(writer))
    assert "6 rows are added to " in ended.out, ended.err
    lines = [json.loads(one) for one in (home / "sums.synthetic.jsonl").read_text().splitlines()]
    assert lines[0] == {
        "synthetic": True,
        "ask": question_on(SUBJECTS[0]),
        "gold": SUBJECTS[0],
    }
    assert "synthetic: sums.synthetic.jsonl" in (home / "sums.yaml").read_text()
    checked = shell("check", "sums.yaml").out
    assert "26 rows (7 to write prompts from, 7 to choose by, 12 to test on), no error." in checked
    asked = columns.replace("gold}", "gold}, synthetic: sums.synthetic.jsonl, synthetic_splits: [test]")
    (home / "sums.yaml").write_text(template(data=asked, metric="contains"))
    assert (
        "26 rows (4 to write prompts from, 4 to choose by, 18 to test on)" in shell("check", "sums.yaml").out
    )
    shell("rows", "sums.yaml", "--synthesize", "6", "--keep-all", *asking(writer))
    assert len((home / "sums.synthetic.jsonl").read_text().splitlines()) == 12


def test_questions_of_a_model_are_never_held_out(shell: Shell, home: Path, writer: ModelServer) -> None:
    own = "".join(f"- question: Own {n}?\n" for n in range(4))
    written = "".join(f"- question: Written {n}?\n  synthetic: true\n" for n in range(20))
    path = write_template(home, f"prompt: p\nrequirements: r\nqa:\n{own}{written}")
    words = ("--model", "test-model", "--base-url", writer.base_url, "--max-rounds", "1", "--json")
    opened = json.loads(shell("run", path, *words).out.splitlines()[0])
    asked = sum(one.startswith("Own") for one in opened["questions"])
    assert opened["held_out"] == 4 - asked


def test_each_row_is_kept_edited_or_dropped_on_a_terminal(
    shell: Shell, home: Path, writer: ModelServer
) -> None:
    path = write_template(home)
    with Terminal(
        "rows", path, "--synthesize", "4", *asking(writer), env=places(home, OPENAI_API_KEY="sk-the-key")
    ) as terminal:
        terminal.read_until("1/4")
        terminal.type("\r")
        terminal.read_until("2/4")
        terminal.type("d\r")
        terminal.read_until("3/4")
        terminal.type("e\r")
        terminal.read_until("question: ")
        terminal.type("Why do magnets turn?\r")
        terminal.read_until("4/4")
        terminal.type("q\r")
        terminal.read_until("2 rows are added to")
    assert [one.question for one in read_template(path).qa[3:]] == [
        question_on(SUBJECTS[0]),
        "Why do magnets turn?",
    ]
    # What was not decided comes again at no cost, also behind half of a line that a crash has left.
    bought = len(writer.requests)
    with (home / "data" / "workspace" / ".scores" / "why-rows" / "drafts.jsonl").open("a") as file:
        file.write('{"template":')
    again = shell("rows", path, "--synthesize", "1", "--json", *asking(writer))
    assert [one["question"] for one in json.loads(again.out)["rows"]] == [question_on(SUBJECTS[3])]
    assert len(writer.requests) == bought
    more = shell("rows", path, "--synthesize", "3", "--json-lines", *asking(writer))
    lines = [json.loads(one) for one in more.out.splitlines()]
    asked = [one["row"]["question"] for one in lines if "row" in one]
    assert asked[0] == question_on(SUBJECTS[3])
    assert len(asked) == 3
    assert not {question_on(SUBJECTS[0]), question_on(SUBJECTS[1])} & {*asked}
    assert [one["calls"] for one in lines if one.get("event") == "spending_changed"][-1] > 0
    assert lines[0] == {"model": "test-model"}


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("why.yaml", "--synthesize", "4"), "There is no terminal on which you could keep or drop a row."),
        (("why.yaml", "--synthesize", "0", "--json"), "a whole number from 1 to 1000 is wanted"),
        (("poem", "--synthesize", "4", "--keep-all"), "is a bundled example, which cannot be changed."),
        (("why.yaml",), "required: --synthesize"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_bought(
    shell: Shell, home: Path, writer: ModelServer, words: tuple[str, ...], fault: str
) -> None:
    write_template(home)
    ended = shell("rows", *words, *asking(writer))
    assert ended.code == 2
    assert fault in ended.err
    assert writer.requests == []


def test_a_model_that_writes_nothing_usable_is_named(shell: Shell, home: Path) -> None:
    path = write_template(home)
    before = Path(path).read_text()
    with ModelServer(lambda request: "I cannot.") as server:
        ended = shell("rows", path, "--synthesize", "4", "--keep-all", *asking(server))
    assert ended.code == 1
    assert "The optimizer wrote no row that can be used." in ended.err
    assert Path(path).read_text() == before
