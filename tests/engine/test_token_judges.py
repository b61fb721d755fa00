"""The judge by likelihood: what the evaluator finds more probable."""

from collections import Counter
from pathlib import Path

from spotui.domain.events import HeldOutFinished, Likelihood, RoundFinished, VoteCast
from spotui.llm.local.server import literal_text
from tests.model_server import JsonObject, ModelServer, Persona, Scripted, conversation
from tests.runs.starting import Stage, template
from tests.spo_model import execute, propose, role_of


def kind_of(request: JsonObject) -> str:
    """Like `role_of`, with forced answers told apart."""
    return "likelihood" if "grammar" in request else role_of(request)


def by_style(request: JsonObject) -> Scripted:
    """The requirements make an answer the more probable the higher its style; two styles are nearly equal."""
    text = literal_text(request["grammar"]) or ""
    style = int(text.split("In style ")[1].split(":")[0])
    gain = {0: 0.0, 1: 4.0}.get(style, 4.5) if "Vivid." in conversation(request) else 0.0
    return Scripted(pieces=(text[:9], text[9:]), logprobs=(-1.0, -9.0 + gain))


def likely(likelihood: object = by_style) -> Persona:
    """A model whose evaluator measures so."""
    return Persona(kind_of, propose=propose, execute=execute, likelihood=likelihood)  # type: ignore[arg-type]


def test_the_more_probable_answers_win_and_a_small_difference_is_a_tie(tmp_path: Path) -> None:
    with ModelServer(likely()) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project(text=template(2), judge="likelihood"))
    assert end.outcomes == ["seed", "win", "tie"]
    assert [event.best for event in end.of(RoundFinished)] == [1, 2, 2]
    (first, second) = end.of(VoteCast)
    assert (first.voter, first.choice, second.choice) == ("likelihood", "win", "tie")
    assert first.reason == (
        "the requirements make its answers more likely by 2.83 on average, the best's by 0.00"
    )


def test_every_answer_is_measured_once_in_its_life(tmp_path: Path) -> None:
    with ModelServer(likely()) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project(text=template(2), judge="likelihood"))
    measured = [one.json for one in server.requests if kind_of(one.json) == "likelihood"]
    asked = Counter((literal_text(one["grammar"]), conversation(one)) for one in measured)
    assert len(asked) == len(measured) == 3 * 2 * 2  # with the requirements and without
    assert {(one["temperature"], one["logprobs"]) for one in measured} == {(0.0, True)}
    assert sum("Vivid." in text for _, text in asked) == 6
    assert all("style" not in text for _, text in asked)
    assert [event.calls for event in end.of(RoundFinished)] == [2, 1 + 2 + 8, 1 + 2 + 4]
    assert {(event.round, event.index) for event in end.of(Likelihood)} == {
        (round_, index) for round_ in (1, 2, 3) for index in (0, 1)
    }


def test_held_out_questions_are_measured_too(tmp_path: Path) -> None:
    with ModelServer(likely()) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project(text=template(5), judge="likelihood", final_check=True))
    final = end.one(HeldOutFinished)
    assert (final.outcome, final.best, final.questions, final.wins) == ("win", 2, 2, 2)


def test_an_evaluator_without_log_probabilities_ends_the_run_and_says_why(tmp_path: Path) -> None:
    with ModelServer(likely(lambda _: Scripted(text="x", logprobs=(), pieces=()))) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project(text=template(2), judge="likelihood"))
    assert end.stopped.reason == "failed"
    assert "test-model returns no log-probabilities" in end.stopped.cause
    assert end.outcomes == ["seed"]
