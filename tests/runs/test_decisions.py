"""Votes, edits and verdicts of people: each counts and is kept, or is refused and changes nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.domain.commands import AnyCommand, Edit, Override, Pause, Resume, Vote
from spotui.domain.events import (
    CallStarted,
    CandidateProposed,
    CommandRefused,
    Event,
    RoundFinished,
    RoundStarted,
    StateChanged,
    VerdictOverridden,
    VoteCast,
)
from spotui.domain.records import EditLine, OverrideLine, VoteLine
from spotui.workspace.journal_reader import read_lines
from tests.model_server import JsonObject, ModelServer, Persona, Scripted, conversation
from tests.runs.reactions import at_round, resumed_alike
from tests.runs.starting import Stage, once, results_of, rounds_of, template, text_of, told
from tests.spo_model import climbing, execute, positional, prefer_higher_style, propose, role_of
from tests.view.test_picture import painted


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A place where every candidate wins."""
    with ModelServer(climbing) as server:
        yield Stage(tmp_path, server)


@pytest.mark.parametrize("choice", ["win", "loss"])
def test_a_persons_vote_counts_and_is_counted_again(tmp_path: Path, choice: str) -> None:
    # The model's votes are two against two, so that the person decides.
    waiting = {"open": True}

    def judge(request: JsonObject) -> str | Scripted:
        vote = "<choose>A</choose>"
        return Scripted(text=vote, delay=0.3) if waiting["open"] else vote

    persona = Persona(role_of, propose=propose, execute=execute, judge=judge)
    with ModelServer(persona) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(1), max_rounds=2)
        voting = once(
            CallStarted,
            lambda event: event.key.purpose == "vote",
            Vote(round=2, choice="win" if choice == "win" else "loss"),
        )
        end = told(stage.run(project), voting)
        waiting["open"] = False
        human = [vote for vote in end.of(VoteCast) if vote.voter == "human"]
        assert [(vote.round, vote.choice, vote.order) for vote in human] == [(2, choice, "")]
        assert end.outcomes[1] == choice
        (line,) = read_lines(project.journal, VoteLine)
        assert isinstance(line, VoteLine)
        assert line.choice == choice
        assert resumed_alike(stage, project)


def test_a_vote_outside_a_duel_is_refused(stage: Stage) -> None:
    project = stage.project()
    end = told(stage.run(project), at_round(2, Vote(round=2, choice="win"), Vote(round=7, choice="win")))
    refused = end.one(CommandRefused)
    assert refused.command == "vote"
    assert "Round 2 is not being judged now." in refused.why
    assert not list(read_lines(project.journal, VoteLine))


def test_an_edited_candidate_is_the_one_that_is_executed(stage: Stage) -> None:
    project = stage.project()
    at_two, run = at_round(2, Pause(at="candidate")), stage.run(project)

    def edit_then_resume(event: Event) -> AnyCommand | None:
        if isinstance(event, StateChanged) and event.state == "paused":
            asyncio.get_running_loop().call_later(0.05, run.command, Resume())
            return Edit(round=2, prompt="Mine, in style 9.")
        return at_two(event)

    end = told(run, edit_then_resume)
    edited = [event for event in end.of(CandidateProposed) if event.edited]
    assert [(event.round, event.prompt) for event in edited] == [(2, "Mine, in style 9.")]
    executed = [text_of(one) for one in stage.server.requests if role_of(one.json) == "execute"]
    assert sum("Mine, in style 9." in text for text in executed) == 3
    assert not any("Answer in style 1," in text for text in executed)
    assert end.stopped.prompt == "Answer in style 10, with reasons."
    assert resumed_alike(stage, project)
    assert any(round_[1] == "Mine, in style 9." for round_ in rounds_of(project))


def test_an_edit_saves_a_round_whose_proposal_is_unusable(tmp_path: Path) -> None:
    persona = Persona(role_of, propose=lambda _: "nothing", execute=execute, judge=prefer_higher_style)
    with ModelServer(persona) as server:
        stage = Stage(tmp_path, server)
        end = told(stage.run(stage.project(max_rounds=2)), at_round(2, Edit(round=2, prompt="In style 3.")))
    assert end.outcomes == ["seed", "win"]
    assert end.stopped.prompt == "In style 3."


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (
            Edit(round=2, prompt="late"),
            "Round 2 has been executed already. The next round that can be edited is 3.",
        ),
        (Edit(round=1, prompt="seed"), "Round 1 has been executed already."),
        (Edit(round=3, prompt="  "), "The prompt is empty."),
    ],
)
def test_an_edit_that_comes_too_late_or_is_empty_is_refused(stage: Stage, edit: Edit, why: str) -> None:
    project = stage.project()
    voted = once(VoteCast, lambda event: event.round == 2, edit)
    end = told(stage.run(project), voted)
    assert why in end.one(CommandRefused).why
    assert not list(read_lines(project.journal, EditLine))
    assert end.stopped.prompt == "Answer in style 2, with reasons."


@pytest.mark.parametrize("when", [None, 2, 3])
def test_what_an_earlier_session_executed_cannot_be_edited(stage: Stage, when: int | None) -> None:
    project = stage.project()
    stage.go(project)
    sent = len(stage.server.requests)
    run, edit = stage.run(project), Edit(round=3, prompt="Rewrite history.")
    run.command(edit if when is None else Pause())

    def edit_then_resume(event: Event) -> AnyCommand | None:
        if not isinstance(event, CandidateProposed):
            return None
        asyncio.get_running_loop().call_later(0.05, run.command, Resume())
        return edit if event.round == when else None

    end = told(run, edit_then_resume)
    assert "The next round that can be edited is 4." in end.one(CommandRefused).why
    assert len(stage.server.requests) == sent


def test_an_overridden_verdict_holds_from_the_next_round_on(stage: Stage) -> None:
    project = stage.project(max_rounds=4)
    end = told(stage.run(project), at_round(3, Override(round=2, outcome="loss")))
    overridden = end.one(VerdictOverridden)
    assert (overridden.round, overridden.outcome, overridden.before_round) == (2, "loss", 4)
    assert [event.best for event in end.of(RoundStarted)] == [0, 1, 2, 3]
    assert [line[3] for line in results_of(project)] == [True, False, True, True]
    assert resumed_alike(stage, project)
    again = painted(*stage.go(project).events)
    assert {n: (one.outcome, one.judged) for n, one in again.rounds.items()} == {
        1: ("seed", None),
        2: ("loss", "win"),
        3: ("win", None),
        4: ("win", None),
    }, "a resumed run no longer marks the user's verdict"


def test_an_overridden_loss_becomes_the_parent_of_the_next_candidate(tmp_path: Path) -> None:
    with ModelServer(positional) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(max_rounds=3)
        react = once(RoundFinished, lambda event: event.round == 2, Override(round=2, outcome="win"))
        end = told(stage.run(project), react)
        # The command comes when round 3 has begun, so the end is the first to know.
        assert (end.stopped.best, end.stopped.improved) == (2, True)
        assert resumed_alike(stage, project)


def test_a_verdict_can_be_overridden_after_the_end(stage: Stage) -> None:
    project = stage.project()
    stage.go(project)
    run = stage.run(project)
    run.command(Override(round=3, outcome="loss"))
    end = told(run)
    assert end.one(VerdictOverridden).before_round == 4
    assert end.stopped.best == 2
    assert [line[3] for line in results_of(project)] == [True, True, False]
    assert resumed_alike(stage, project)
    more = stage.go(project, changes={"rounds": 4})
    assert more.of(RoundStarted)[-1].best == 2
    assert "In style 1:" in next(
        text for one in reversed(stage.server.requests) if "<best_prompt>" in (text := conversation(one.json))
    )


def test_an_override_at_the_end_decides_what_meets_the_held_out_questions(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        react = once(VoteCast, lambda event: event.round == 3, Override(round=2, outcome="loss"))
        end = told(stage.run(stage.project(text=template(5), final_check=True)), react)
        assert end.stopped.best == 3
        project = stage.project("other", text=template(5), max_rounds=2)
        stage.go(project)
        run = stage.run(project)
        run.command(Override(round=2, outcome="loss"))
        assert told(run).stopped.best == 1


@pytest.mark.parametrize("round_", [1, 2, 9])
def test_a_round_without_a_verdict_cannot_be_overridden(stage: Stage, round_: int) -> None:
    project = stage.project()
    end = told(stage.run(project), at_round(2, Override(round=round_, outcome="loss")))
    assert f"Round {round_} has no verdict" in end.one(CommandRefused).why
    assert not list(read_lines(project.journal, OverrideLine))
    assert end.stopped.best == 3
