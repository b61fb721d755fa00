"""One slot rule: every method fills the slots of a prompt, and keeps them in every new one."""

import re
from pathlib import Path

import msgspec
import pytest

from spotui.domain.commands import Edit
from spotui.domain.events import (
    CandidateProposed,
    CandidateRefused,
    Noticed,
    RoundFinished,
    RoundStarted,
)
from spotui.workspace.snapshot import read_snapshot, write_snapshot
from tests.model_server import JsonObject, ModelServer, Persona, conversation
from tests.row_model import racing
from tests.runs.starting import Stage, Told, told
from tests.spo_model import execute, prefer_higher_style, role_of

QA = """\
prompt: "In style 0. Answer this: {question} Reply as {\\"a\\": 1} in \\\\boxed{answer}."
requirements: Short.
qa:
  - question: Who lives in Rome, {context}?
  - question: Who lives in Oslo?
"""
ROWS = """\
prompt: "In style 0. Read {context} and answer: {question}"
requirements: Short.
data: rows.csv
"""
TABLE = "question,context,answer\n" + "".join(
    f"Who lives in city {n}?,Person {n} does.,{n}\n" for n in range(9)
)


def proposal(prompt: str) -> str:
    return f"<analyse>a</analyse>\n<modification>m</modification>\n<prompt>{prompt}</prompt>"


class Asked:
    """Two rounds of SPO, and what the models were asked in them."""

    def __init__(
        self, folder: Path, text: str, monkeypatch: pytest.MonkeyPatch, *prompts: str, legacy: bool = False
    ) -> None:
        (folder / "rows.csv").write_text(TABLE)
        monkeypatch.chdir(folder)
        replies = iter(prompts)
        persona = Persona(
            role_of,
            propose=lambda _: proposal(next(replies)),
            execute=execute,
            judge=prefer_higher_style,
        )
        with ModelServer(persona) as server:
            stage = Stage(folder, server)
            project = stage.project(text=text, max_rounds=2, sample=2)
            if legacy:
                old = msgspec.structs.replace(read_snapshot(project.snapshot), edition=1)
                write_snapshot(project.snapshot, old)
            self.end: Told = stage.go(project)
            self.requests: list[JsonObject] = [one.json for one in server.requests]
            self.again: Told = stage.go(project)
            self.bought_again = len(server.requests) - len(self.requests)

    def of(self, role: str) -> list[str]:
        """The texts that a role was asked."""
        return [conversation(one) for one in self.requests if role_of(one) == role]


def test_the_questions_of_a_template_fill_their_slot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    better = 'In style 5. {question} {"a": 2} \\boxed{answer}'
    asked = Asked(tmp_path, QA, monkeypatch, better)
    assert asked.of("execute")[0] == (
        'In style 0. Answer this: Who lives in Rome, {context}? Reply as {"a": 1} in \\boxed{answer}.'
    )
    assert 'In style 5. Who lives in Oslo? {"a": 2} \\boxed{answer}' in asked.of("execute")
    assert "The prompt must hold {question} exactly as written" in asked.of("propose")[0]
    assert asked.end.stopped.prompt == better
    assert asked.bought_again == 0


def test_columns_are_filled_and_shown_to_judge_and_optimizer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(tmp_path, ROWS, monkeypatch, "In style 5. {context}\n{question}")
    first, *_ = asked.of("execute")
    assert first.startswith("In style 0. Read Person ")
    assert first.endswith("?")
    assert "must hold {context}, {question} exactly as written" in asked.of("propose")[0]
    for role in ("propose", "judge"):
        assert "?\ncontext: Person " in asked.of(role)[0]
    assert asked.bought_again == 0


@pytest.mark.parametrize(
    ("text", "bad", "good", "why"),
    [
        (QA, "In style 5.", "In style 5. {question}", "Its prompt has lost {question}, which must stay"),
        (
            QA,
            "{question} in {city}.",
            "In style 5. {question}",
            "Its prompt has {city}, which nothing fills.",
        ),
        (ROWS, "{question}", "In style 5. {context} {question}", "Its prompt has lost {context}, which must"),
        (ROWS, "In style 5. {{context}} {question}", "{question} {context}", "has lost {context}"),
    ],
)
def test_a_candidate_that_loses_or_invents_a_slot_is_returned_once_and_then_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, bad: str, good: str, why: str
) -> None:
    (tmp_path / "a").mkdir()
    repaired = Asked(tmp_path / "a", text, monkeypatch, bad, good)
    refused = repaired.end.one(CandidateRefused)
    assert why in refused.why
    assert not refused.final
    assert why in repaired.of("propose")[1]
    assert [event.prompt for event in repaired.end.of(CandidateProposed)] == [good]
    assert [event.why for event in repaired.again.of(CandidateRefused)] == [refused.why]
    assert repaired.bought_again == 0

    (tmp_path / "b").mkdir()
    lost = Asked(tmp_path / "b", text, monkeypatch, bad, bad)
    assert [event.final for event in lost.end.of(CandidateRefused)] == [False, True]
    last = lost.end.of(RoundFinished)[-1]
    assert (last.outcome, last.calls) == ("void", 2)
    assert lost.bought_again == 0


def test_a_run_that_began_before_the_rule_goes_on_as_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(tmp_path, QA, monkeypatch, "In style 5 for {city}.", legacy=True)
    assert asked.of("execute")[0].endswith(".\n\nWho lives in Rome, {context}?")
    assert "{question}" in asked.of("execute")[0]
    assert "slot" not in asked.of("propose")[0]
    assert not asked.end.of(CandidateRefused)
    assert asked.bought_again == 0


def test_a_prompt_of_a_person_is_used_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rows.csv").write_text(TABLE)
    monkeypatch.chdir(tmp_path)
    persona = Persona(
        role_of,
        propose=lambda _: proposal("{question} {context}"),
        execute=execute,
        judge=prefer_higher_style,
    )
    with ModelServer(persona) as server:
        stage = Stage(tmp_path, server)
        run = stage.run(stage.project(text=ROWS, max_rounds=2))
        end = told(
            run,
            lambda event: (
                Edit(round=2, prompt="In style 9, without slots.")
                if isinstance(event, RoundStarted) and event.round == 1
                else None
            ),
        )
    assert end.of(CandidateProposed)[-1].prompt == "In style 9, without slots."
    (warning,) = [one.text for one in end.of(Noticed) if one.level == "warning" and "your prompt" in one.text]
    assert "has lost {context}, {question}" in warning


def test_a_scored_method_fills_the_same_slots_of_listed_questions(tmp_path: Path) -> None:
    text = (
        "prompt: 'Style 0 of {topic}: {question}'\nrequirements: Right.\nmetric: number\nmethod: gpo\n"
        "qa:\n" + "".join(f"  - {{question: What is {n} plus 1?, answer: {n + 1}}}\n" for n in range(3))
    )
    with ModelServer(racing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=text, max_rounds=2)
        end = stage.go(project)
        asked = [conversation(one.json) for one in server.requests if "plus" in conversation(one.json)]
    assert any(re.fullmatch(r"Style 0 of \{topic\}: What is \d plus 1\?", one) for one in asked)
    assert end.outcomes[0] == "seed"
