"""A prompt optimized in one call of Python: with models, programs and functions, new and continued."""

import asyncio
import io
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import spotui
from spotui.cli import exit_codes
from spotui.domain.errors import SpotuiError
from spotui.domain.events import CallStarted, Event, Noticed
from spotui.domain.rows import Row
from tests import row_model
from tests.command_line import move_in, type_in
from tests.model_server import ModelServer
from tests.spo_model import climbing, role_of

SUMS = [
    {"question": f"What is {n} plus {n + 3}?", "answer": str(2 * n + 3), "level": "easy"} for n in range(24)
]
SPLIT = {"train": 4, "eval": 8, "test": 12}
GPO = {"max_steps": 1, "candidates_per_step": 2}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    move_in(monkeypatch, tmp_path, OPENAI_API_KEY="sk-test")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def adding(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with ModelServer(row_model.adding) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        yield server


def agent(prompt: str, question: str, row: dict[str, str]) -> dict[str, object]:
    """A program that gets better with the style of its prompt."""
    assert row == {"level": "easy"}
    one, other = (int(word.strip("?")) for word in question.split() if word.strip("?").isdigit())
    right = one % 4 == 0 or "style 0" not in prompt
    return {"answer": f"It is {one + other + (not right)}.", "cost_usd": 0, "trace": {"prompt": prompt}}


def test_questions_are_compared_by_a_judge_and_progress_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: Path
) -> None:
    events: list[Event] = []
    with ModelServer(climbing) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        result = spotui.optimize(
            "Answer.",
            questions=["Why is the sky blue?", ("Why do leaves fall?", "It is cold.")],
            requirements="Give a reason.",
            models={"optimizer": "opt-model", "evaluator": "eval-model", "executor": {"model": "exec-model"}},
            budget={"calls": 100},
            max_rounds=2,
            on_event=events.append,
        )
        asked = {(role_of(one.json), one.json["model"]) for one in server.requests}
    assert asked == {("propose", "opt-model"), ("execute", "exec-model"), ("judge", "eval-model")}
    assert (result.improved, result.best, result.reason) == (True, 2, "finished")
    assert result.prompt == "Answer in style 1, with reasons."
    assert result.project == "prompt"
    assert result.folder == place / "data" / "workspace" / "prompt"
    assert result.gain == 0.5, "every answer won"
    assert result.interval is not None
    assert result.interval[0] < 0.5 == result.interval[1]
    assert (result.cost_usd, result.score) == (None, None), "nobody knows what the server costs"
    assert result.calls == len([one for one in events if isinstance(one, CallStarted)])
    out = capsys.readouterr().out
    assert "prompt: spo, 2 rounds" in out
    assert "Final prompt:\nAnswer in style 1, with reasons." in out


def test_functions_are_executor_and_metric_and_a_second_call_continues_the_first(
    adding: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    threads, marked = set[int](), list[str]()

    def right(answer: str, row: Row) -> bool:
        threads.add(threading.get_ident())
        marked.append(answer)
        assert row.slots == {"level": "easy"}
        return row.references[0] in answer

    arguments: dict[str, Any] = {
        "rows": SUMS,
        "split": SPLIT,
        "metric": right,
        "parameters": GPO,
        "models": {"optimizer": "test-model", "executor": agent},
        "name": "sums",
        "quiet": True,
    }
    result = spotui.optimize("Add in style 0.", **arguments)
    assert result.improved
    assert result.gain is not None
    assert result.gain > 0.5
    assert result.score == 1.0
    assert result.interval is not None
    assert result.interval[0] > 0
    assert threading.get_ident() not in threads
    asked, marks = len(adding.requests), len(marked)
    assert {row_model.kind_of(one.json) for one in adding.requests} == {"propose"}
    assert capsys.readouterr() == ("", "")

    again = spotui.optimize("Add in style 0.", **arguments)
    assert again == result
    assert (len(adding.requests), len(marked)) == (asked, marks), "nothing is asked twice"
    with pytest.raises(SpotuiError, match="sums was started with another text of the template"):
        spotui.optimize("Add.", **arguments)
    with pytest.raises(SpotuiError, match="sums was started with other rows"):
        spotui.optimize("Add in style 0.", **{**arguments, "rows": [*SUMS[:-1], {**SUMS[-1], "answer": "0"}]})
    assert spotui.optimize("Add.", **{**arguments, "fresh": True}).reason in {"finished", "perfect"}

    said = type_in(capsys, "resume", "sums", "--max-rounds", "3")
    assert said.code == exit_codes.FAILED
    assert "Python function" in said.err
    assert type_in(capsys, "show", "sums").code == exit_codes.OK
    assert type_in(capsys, "replay", "sums", "--speed", "0").code == exit_codes.OK


def test_coroutines_are_awaited_on_the_running_loop_and_run_at_once(adding: ModelServer) -> None:
    running: list[int] = []
    loops: set[asyncio.AbstractEventLoop] = set()
    most = 0

    async def slowly(prompt: str, question: str, row: dict[str, str]) -> str:
        nonlocal most
        running.append(1)
        most = max(most, len(running))
        await asyncio.sleep(0.01)
        running.pop()
        return str(agent(prompt, question, row)["answer"])

    async def right(answer: str, row: Row) -> float:
        await asyncio.sleep(0)
        loops.add(asyncio.get_running_loop())
        return float(row.references[0] in answer)

    async def main() -> spotui.Optimization:
        loops.add(asyncio.get_running_loop())
        return await spotui.aoptimize(
            "Add in style 0.",
            rows=SUMS,
            split=SPLIT,
            metric=right,
            parameters=GPO,
            models={"optimizer": "test-model", "executor": slowly},
        )

    result = asyncio.run(main())
    assert len(loops) == 1
    assert result.improved
    assert result.cost_usd is None
    assert most > 1


def test_a_function_that_fails_leaves_its_row_without_a_mark(adding: ModelServer) -> None:
    notices: list[str] = []

    def failing(prompt: str, question: str, row: dict[str, str]) -> dict[str, object]:
        if "What is 1 plus" in question:
            raise LookupError("no such page")
        return agent(prompt, question, row)

    result = spotui.optimize(
        "Add in style 0.",
        rows=SUMS,
        split=SPLIT,
        metric="number",
        parameters=GPO,
        models={"optimizer": "test-model", "executor": failing},
        on_event=lambda event: notices.append(event.text) if isinstance(event, Noticed) else None,
        quiet=True,
    )
    assert result.reason in {"finished", "perfect"}
    assert any("failing raised LookupError" in one and "no such page" in one for one in notices)

    def broken(prompt: str, question: str, row: dict[str, str]) -> str:
        raise LookupError("no index")

    models: dict[str, Any] = {"optimizer": "test-model", "executor": broken}
    ended = spotui.optimize("Add.", rows=SUMS, split=SPLIT, metric="number", models=models, quiet=True)
    assert ended.reason == "failed"
    assert "broken raised LookupError" in ended.cause


def test_a_program_and_a_data_file_are_taken_by_name(adding: ModelServer, place: Path) -> None:
    (place / "sums.jsonl").write_text(row_model.rows(24))
    (place / "agent.py").write_text(
        "import json, sys\nfor line in sys.stdin:\n    asked = json.loads(line)\n"
        "    print(json.dumps({'id': asked['id'], 'answer': '8', 'cost_usd': 0.001}))\n"
    )
    result = spotui.optimize(
        "Add in style 0.",
        rows="sums.jsonl",
        split=SPLIT,
        metric={"name": "number", "tolerance": 1},
        parameters=GPO,
        models={"optimizer": "test-model", "executor": {"command": [sys.executable, "agent.py"]}},
        budget={"usd": 0.01, "calls": 500},
        quiet=True,
    )
    assert result.reason in {"budget", "failed"}, "the model's price is unknown, or the budget is spent"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({}, "either of them has to be given"),
        ({"questions": ["a"], "rows": [{"question": "a"}]}, "either of them has to be given"),
        ({"rows": "none.jsonl"}, "none.jsonl cannot be read"),
        ({"rows": [{"question": object()}]}, "cannot be written as JSON"),
        ({"questions": ["a"], "metric": "mine:right"}, "pass it itself: metric=right"),
        ({"questions": ["a"], "models": {"executer": "m"}}, "Did you mean executor"),
        ({"questions": ["a"], "models": {"executor": {"modell": "m"}}}, "Did you mean model"),
        ({"questions": ["a"], "models": {"evaluator": agent}}, "only the executor can be one"),
        ({"questions": ["a"], "budget": {"dollars": 1}}, "It takes usd, tokens, calls, minutes"),
        ({"questions": ["a"], "budget": -1}, "budget_usd must be"),
        ({"questions": ["a"], "method": "spoo"}, "Did you mean"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_fix(
    arguments: dict[str, Any], what: str, place: Path
) -> None:
    with pytest.raises(SpotuiError, match=what):
        spotui.optimize("Answer.", **arguments)
    assert not (place / "data" / "workspace").exists()


def test_an_unknown_argument_is_an_error_of_the_call() -> None:
    with pytest.raises(TypeError, match="no argument 'max_round'"):
        spotui.optimize("Answer.", questions=["a"], max_round=3)


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_how_far_the_run_is(adding: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Tty()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "100")

    async def slowly(prompt: str, question: str, row: dict[str, str]) -> str:
        await asyncio.sleep(0.05)
        return str(agent(prompt, question, row)["answer"])

    spotui.optimize(
        "Add in style 0.",
        rows=SUMS,
        split=SPLIT,
        metric="number",
        parameters=GPO,
        models={"optimizer": "test-model", "executor": slowly},
        name="shown",
    )
    shown = terminal.getvalue()
    assert re.search(r"round \d of 2  \d+ calls, ", shown)
    assert "shown: gpo, 2 rounds" in shown
    assert "Final prompt:" in shown
