"""judge-check --labels: a judge against what people decided, and criteria that agree with them more."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from spotui.templates.read import read_template
from spotui.workspace.projects import Project, Workspace
from tests.cli.conftest import Shell
from tests.command_line import Outcome, write_template
from tests.model_server import JsonObject, ModelServer, conversation

SHORT = "Prefer the shorter answer."


def sides(text: str) -> dict[str, str]:
    return {side: text.split(f"<answers_of_{side}>")[1].split(f"</answers_of_{side}>")[0] for side in "AB"}


def by_length(request: JsonObject) -> str:
    """A judge that prefers long answers until its criteria ask for short ones, and an optimizer that does."""
    text = conversation(request)
    if "<disagreements>" in text:
        return f"<analyse>x</analyse><modification>Short.</modification><criteria>{SHORT}</criteria>"
    if "<answer>" in text:  # marks: long answers pass
        answer = text.split("<answer>")[1].split("</answer>")[0].strip()
        return f"<reason>x</reason><score>{int((len(answer) > 12) != (SHORT in text))}</score>"
    shown = sides(text)
    chosen = (min if SHORT in text else max)(shown, key=lambda side: len(shown[side]))
    return f"<analyse>x</analyse><choose>{chosen}</choose>"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(by_length) as model:
        yield model


def pairs(count: int, prefer_short: Callable[[int], bool]) -> list[JsonObject]:
    return [
        {
            "question": f"Why {n}?",
            "a": "Brief." if n % 2 else f"A long answer with many words, {n}.",
            "b": f"A long answer with many words, {n}." if n % 2 else "Brief.",
            "label": "a" if prefer_short(n) == bool(n % 2) else "b",
            "kind": "facts" if n % 3 else "form",
        }
        for n in range(count)
    ]


def write(path: Path, records: list[JsonObject]) -> None:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in records))


def check(shell: Shell, server: ModelServer, template: str, *words: str) -> Outcome:
    return shell("judge-check", template, "--model", "m", "--base-url", server.base_url, *words)


def test_a_judge_is_compared_with_people_by_kind(
    shell: Shell, template: str, home: Path, server: ModelServer
) -> None:
    write(home / "labels.jsonl", pairs(30, lambda n: n % 5 == 0))
    estimate = json.loads(
        check(shell, server, template, "--labels", "labels.jsonl", "--estimate", "--json").out
    )
    assert (estimate["calls"], len(server.requests)) == (60, 0)
    said = check(shell, server, template, "--labels", "labels.jsonl")
    assert said.code == exit_codes.OK
    assert len(server.requests) == 60
    lines = said.out.splitlines()
    assert lines[1] == "The judge agrees with people on 24 of 30 labels, 80% (95% CI 63% to 90%)."
    assert lines[2].startswith("Cohen's kappa: 0.6")
    assert any(line.startswith("  facts: The judge agrees with people on 16 of 20") for line in lines)
    assert any("people first, judge second" in line for line in lines)
    assert "Position bias: the order decided 0 of 30 pairs, 0% (95% CI 0% to 11%)." in lines
    found = json.loads(check(shell, server, template, "--labels", "labels.jsonl", "--json").out)
    assert len(server.requests) == 60  # nothing is bought twice
    assert (found["calls"], found["agreed"], found["labels"], found["fit"]) == (0, 24, 30, True)
    assert set(found["kinds"]) == {"facts", "form"}
    assert sum(sum(row.values()) for row in found["confusion"].values()) == 30


def test_tuning_proves_better_criteria_on_the_other_half_and_writes_them_when_asked(
    shell: Shell, template: str, home: Path, server: ModelServer
) -> None:
    write(home / "labels.jsonl", pairs(40, lambda n: n % 10 != 0))
    before = Path(template).read_text()
    said = check(shell, server, template, "--labels", "labels.jsonl", "--tune")
    assert said.code == exit_codes.NO_IMPROVEMENT  # the judge as it is agrees with nobody
    assert re.search(r"On the other 20 labels: (80|85|90|95)% against (20|15|10|5)%, \+[6-9]0\.0", said.out)
    assert "They are better beyond chance. --write puts them into `requirements`" in said.out
    assert Path(template).read_text() == before
    sent = len(server.requests)
    data = json.loads(check(shell, server, template, "--labels", "labels.jsonl", "--tune", "--json").out)
    assert (len(server.requests), data["written"], data["key"]) == (sent, False, "requirements")
    assert data["tuned"]["proven"]
    assert data["tuned"]["learned"] + data["tuned"]["before"]["labels"] == 40
    shown = "".join(
        conversation(one.json) for one in server.requests if "<disagreements>" in conversation(one.json)
    )
    unseen = [one for one in range(40) if f"Why {one}?" not in shown]
    assert len(unseen) >= 20  # the optimizer reads the one half alone
    check(shell, server, template, "--labels", "labels.jsonl", "--tune", "--write")
    assert read_template(template).requirements == SHORT
    assert Path(template).read_text() == before.replace("Be correct, and give a reason.", SHORT)


def test_what_is_within_noise_is_said_to_be_and_never_written(
    shell: Shell, template: str, home: Path, server: ModelServer
) -> None:
    write(home / "labels.jsonl", pairs(24, lambda n: n % 2 == 0 or n % 7 == 0))
    before = Path(template).read_text()
    said = check(shell, server, template, "--labels", "labels.jsonl", "--tune", "--write")
    within = "within noise. Nothing was written." in said.out
    assert within or "the criteria stay as they are" in said.out
    assert Path(template).read_text() == before


def test_marks_are_compared_with_those_of_the_evaluator(
    shell: Shell, home: Path, server: ModelServer
) -> None:
    path = write_template(
        home,
        "prompt: Answer.\nrequirements: None\ncount: None\ncriteria: Be long.\nqa:\n  - question: Why?\n",
        "marks.yaml",
    )
    (home / "labels.csv").write_text(
        "id,answer,mark\n"
        + "".join(f"1,{'Brief.' if n % 2 else 'A very long answer.'},{n % 2}\n" for n in range(20))
    )
    said = check(shell, server, path, "--labels", "labels.csv")
    assert said.code == exit_codes.NO_IMPROVEMENT
    assert "agrees with people on 0 of 20 labels" in said.out
    assert "Its marks differ from people's by 1.00 on average." in said.out
    assert "That is not more than chance" in said.out
    assert check(shell, server, path, "--labels", "labels.csv", "--tune", "--write").code == exit_codes.OK
    assert read_template(path).criteria == SHORT


@pytest.fixture
def voted(workspace: Path) -> Project:
    """The finished project `why`, with a person's votes in its last round."""
    project = Workspace(workspace).existing("why")
    lines = project.journal.read_bytes().splitlines(keepends=True)
    for at, line in enumerate(lines):
        record = json.loads(line)
        if record["kind"] == "round" and record["round"] == 3:
            votes = [
                {"choice": "loss", "voter": "human"},
                {"choice": "win", "voter": "human", "question": 1},
                {"choice": "tie", "voter": "human", "question": 1},
            ]
            record["votes"] = [*record.get("votes", []), *votes]
            lines[at] = json.dumps(record, separators=(",", ":")).encode() + b"\n"
    project.journal.write_bytes(b"".join(lines))
    return project


def test_the_votes_of_a_project_are_labels(
    shell: Shell, template: str, voted: Project, server: ModelServer
) -> None:
    said = check(shell, server, template, "--labels", "why", "--json")
    found = json.loads(said.out)
    assert [one["people"] for one in found["decisions"]] == ["first", "tie"]
    assert set(found["kinds"]) == {"all answers of a round", "one question"}
    asked = [conversation(one.json) for one in server.requests]
    assert len(asked) == 4
    assert sum("(1) Why is the sky blue?" in text for text in asked) == 2


def test_what_is_wrong_with_labels_is_said_before_anything_is_bought(
    shell: Shell, template: str, home: Path, workspace: Path, server: ModelServer
) -> None:
    write(home / "unknown.jsonl", [{"id": 9, "a": "x", "b": "y", "label": "a"}])
    write(home / "few.jsonl", pairs(6, bool))
    for words, code, text in (
        (("--labels", "unknown.jsonl"), 1, "unknown.jsonl, line 1: why.yaml has no row with the id 9."),
        (("--labels", "few.jsonl", "--tune"), 1, "There are 6 labels, and tuning takes 20."),
        (("--labels", "unknwon.jsonl"), 2, "Did you mean unknown.jsonl?"),
        (("--labels", "why"), 1, "Nobody has voted in why, so there are no labels."),
        (("--tune",), 2, "--tune needs labels."),
        (("--labels", "few.jsonl", "--write"), 2, "--write is for --tune."),
    ):
        said = check(shell, server, template, *words)
        assert (said.code, text in said.err) == (code, True), said
    said = check(shell, server, "poem", "--labels", "few.jsonl", "--tune", "--write")
    assert (said.code, "belongs to spotui" in said.err) == (2, True)
    assert not server.requests
