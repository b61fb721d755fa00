"""Commands: what each does, that the journal keeps it, and that a refused one changes nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.commands import (
    AnyCommand,
    Edit,
    Override,
    Pause,
    Resume,
    SetBudget,
    SetConcurrency,
    SetRounds,
    Stop,
    Vote,
)
from spotui.events import (
    CallStarted,
    CandidateProposed,
    CommandRefused,
    Event,
    LimitsChanged,
    RoundFinished,
    RoundStarted,
    RunStopped,
    StateChanged,
    VerdictOverridden,
    VoteCast,
)
from spotui.workspace.history import read_history
from spotui.workspace.journal import read_lines
from spotui.workspace.lines import EditLine, LimitsLine, OverrideLine, VoteLine
from spotui.workspace.projects import Project
from tests.model_server import JsonObject, ModelServer, Persona, Scripted, conversation
from tests.run.starting import Reaction, Stage, once, results_of, rounds_of, template, text_of, told
from tests.spo_model import climbing, execute, positional, prefer_higher_style, propose, role_of


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A place where every candidate wins."""
    with ModelServer(climbing) as server:
        yield Stage(tmp_path, server)


def at_round(number: int, *commands: AnyCommand) -> Reaction:
    """Send commands when a round starts."""
    return once(RoundStarted, lambda event: event.round == number, *commands)


def on_candidate(number: int, *commands: AnyCommand) -> Reaction:
    """Send commands when a round has a candidate."""
    return once(CandidateProposed, lambda event: event.round == number, *commands)


def both(*reactions: Reaction) -> Reaction:
    """The command of the first reaction that has one."""

    def react(event: Event) -> AnyCommand | None:
        return next((command for one in reactions if (command := one(event)) is not None), None)

    return react


def when_paused(*commands: AnyCommand) -> Reaction:
    """Send commands, one each time the run is paused."""
    return once(StateChanged, lambda event: event.state == "paused", *commands)


def resumed_alike(stage: Stage, project: Project) -> bool:
    """Whether another session asks for nothing and comes to the same end."""
    before, sent = (rounds_of(project), results_of(project)), len(stage.server.requests)
    best = read_history(project).best
    end = stage.go(project)
    assert best is not None
    assert (end.stopped.best, end.stopped.prompt) == (best.round, best.prompt)
    return len(stage.server.requests) == sent and before == (rounds_of(project), results_of(project))


def test_pause_sends_nothing_new_until_resume(stage: Stage) -> None:
    seen: list[Event] = []

    def react(event: Event) -> AnyCommand | None:
        seen.append(event)
        return pause(event) or resume(event)

    pause, resume = at_round(2, Pause()), when_paused(Resume())
    end = told(stage.run(stage.project()), react)
    states = [(event.state, event.cause) for event in end.of(StateChanged)]
    assert states == [("paused", "Paused by the user."), ("running", "")]
    start, stop = (seen.index(event) for event in end.of(StateChanged))
    assert not [event for event in seen[start:stop] if isinstance(event, CallStarted)]
    assert end.stopped.reason == "finished"


def test_pause_at_the_candidate_waits_before_it_is_executed(stage: Stage) -> None:
    end = told(stage.run(stage.project()), both(at_round(2, Pause(at="candidate")), when_paused(Resume())))
    states = end.of(StateChanged)
    assert [event.state for event in states] == ["paused", "running"]
    assert "candidate of round 2" in states[0].cause
    before = end.events[: end.events.index(states[1])]
    purposes = [(event.key.round, event.key.purpose) for event in before if isinstance(event, CallStarted)]
    assert purposes[-1] == (2, "propose")


def test_pause_at_the_candidate_means_a_new_one_when_a_run_is_resumed(stage: Stage) -> None:
    project = stage.project()
    told(stage.run(project), at_round(3, Stop()))
    run = stage.run(project)
    run.command(Pause(at="candidate"))
    end = told(run, when_paused(Resume()))
    assert "candidate of round 3" in end.of(StateChanged)[0].cause
    assert end.stopped.reason == "finished"


def test_stop_keeps_what_is_in_flight_and_the_best_and_can_be_resumed(stage: Stage) -> None:
    project = stage.project()
    react = once(CallStarted, lambda event: event.key.round == 3 and event.key.purpose == "execute", Stop())
    end = told(stage.run(project), react)
    assert (end.stopped.reason, end.stopped.best, end.stopped.rounds) == ("stopped", 2, 2)
    assert end.stopped.resumable
    sent = [text_of(request) for request in stage.server.requests]
    assert {request.outcome for request in stage.server.requests} == {"completed"}
    end = stage.go(project)
    again = [text_of(request) for request in stage.server.requests[len(sent) :]]
    assert not set(again) & set(sent)
    assert (end.stopped.reason, end.stopped.best) == ("finished", 3)


def test_stop_ends_a_paused_run(stage: Stage) -> None:
    end = told(stage.run(stage.project()), both(at_round(2, Pause()), when_paused(Stop())))
    assert (end.stopped.reason, end.stopped.cause) == ("stopped", "Stopped by the user.")


def test_more_rounds_can_be_asked_for(stage: Stage) -> None:
    project = stage.project(max_rounds=2)
    end = told(stage.run(project), at_round(2, SetRounds(4)))
    assert end.one(LimitsChanged).changes == {"rounds": 4}
    assert end.stopped.rounds == 4
    assert resumed_alike(stage, project)


def test_fewer_rounds_end_the_run_after_the_one_under_way(stage: Stage) -> None:
    project = stage.project(max_rounds=9)
    assert told(stage.run(project), at_round(2, SetRounds(2))).stopped.rounds == 2
    assert resumed_alike(stage, project)


def test_fewer_rounds_than_have_begun_are_refused(stage: Stage) -> None:
    project = stage.project()
    end = told(stage.run(project), at_round(3, SetRounds(2)))
    assert "at least 3" in end.one(CommandRefused).why
    assert end.stopped.rounds == 3
    assert not list(read_lines(project.journal, LimitsLine))


def test_a_smaller_budget_stops_the_run_and_the_journal_keeps_it(stage: Stage) -> None:
    project = stage.project()
    end = told(stage.run(project), at_round(2, SetBudget(calls=5)))
    assert (end.stopped.reason, len(stage.server.requests)) == ("budget", 5)
    assert stage.go(project).stopped.reason == "budget"
    end = told(stage.run(project, changes={"calls": None}))
    assert end.stopped.reason == "finished"


def test_a_part_of_the_budget_is_changed_and_the_rest_stays(stage: Stage) -> None:
    project = stage.project()
    end = told(stage.run(project), at_round(1, SetBudget(calls=100), SetBudget(tokens=None)))
    assert end.of(LimitsChanged)[0].changes == {"calls": 100}
    assert end.stopped.reason == "finished"


def test_concurrency_holds_from_the_next_call_on_and_in_later_sessions(tmp_path: Path) -> None:
    with ModelServer(climbing, delay=0.01) as server:
        stage = Stage(tmp_path, server)
        project = stage.project()
        run = stage.run(project)
        run.command(SetConcurrency(1))
        told(run, at_round(3, Stop()))
        stage.go(project)
        assert server.peak_open == 1


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
        end = told(stage.run(stage.project(text=template(5))), react)
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


@pytest.mark.parametrize(
    ("command", "name", "why"),
    [
        (SetRounds(0), "rounds", "at least 1"),
        (SetConcurrency(0), "concurrency", "at least 1"),
        (SetBudget(calls=-1), "budget", "calls cannot be below 0"),
        (SetBudget(usd=-0.5), "budget", "usd cannot be below 0"),
    ],
)
def test_impossible_limits_are_refused(stage: Stage, command: AnyCommand, name: str, why: str) -> None:
    project = stage.project()
    run = stage.run(project)
    run.command(command)
    end = told(run)
    refused = end.one(CommandRefused)
    assert refused.command == name
    assert why in refused.why
    assert not list(read_lines(project.journal, LimitsLine))
    assert isinstance(end.events[-1], RunStopped)
    assert end.stopped.reason == "finished"
