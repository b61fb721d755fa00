"""Several judges, and people among them."""

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from spotui.domain.commands import AnyCommand, Vote
from spotui.domain.events import (
    CommandRefused,
    DuelOpened,
    Event,
    FinalCheckFinished,
    JudgeMeasured,
    Noticed,
    RoundFinished,
    RunOpened,
    VoteCast,
)
from spotui.domain.records import VoteLine
from spotui.judging import reliability
from spotui.workspace.journal_reader import read_lines
from tests.model_server import JsonObject, ModelServer, Persona, Scripted
from tests.runs.starting import Stage, Told, template, told
from tests.spo_model import climbing, execute, prefer_first, prefer_higher_style, propose, role_of


def judged(
    tmp_path: Path, vote: Callable[[JsonObject], str | Scripted], **changes: object
) -> tuple[Counter[str], Told]:
    """A run with two judges, and which was asked how often."""
    with ModelServer(Persona(role_of, propose=propose, execute=execute, judge=vote)) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project(text=template(3), judges=("other",), **changes))  # type: ignore[arg-type]
        asked = Counter(str(one.json["model"]) for one in server.requests if role_of(one.json) == "judge")
    return asked, end


def by_model(**votes: Callable[[JsonObject], str]) -> Callable[[JsonObject], str]:
    return lambda request: votes[str(request["model"]).replace("-", "_")](request)


def inverted(request: JsonObject) -> str:
    said = prefer_higher_style(request)
    return said[:-18] + (
        "<choose>A</choose>" if said.endswith("<choose>B</choose>") else "<choose>B</choose>"
    )


def test_judges_take_turns_each_in_both_orders_and_their_votes_are_pooled(tmp_path: Path) -> None:
    asked, end = judged(tmp_path, prefer_higher_style, judge="thorough", max_rounds=2)
    votes = sorted(end.of(VoteCast), key=lambda vote: vote.index)
    assert [(vote.model, vote.order) for vote in votes] == [
        *(("test-model", "AB"), ("test-model", "BA"), ("other", "AB"), ("other", "BA"), ("test-model", "AB"))
    ]
    assert asked == {"test-model": 3, "other": 2}
    assert end.one(RunOpened).judges == ("other",)
    measured = end.one(JudgeMeasured)
    assert (measured.compared, measured.agreed, measured.agreement) == (1, 1, 1.0)
    assert measured.agreement_interval is not None


def test_judges_that_contradict_each_other_promote_nothing_and_that_is_shown(tmp_path: Path) -> None:
    _, end = judged(tmp_path, by_model(test_model=prefer_higher_style, other=inverted), max_rounds=2)
    assert end.outcomes == ["seed", "undecided"]
    last = end.of(JudgeMeasured)[-1]
    assert (last.compared, last.agreed, last.agreement) == (1, 0, 0.0)


def test_a_judge_by_position_is_named_and_leaves_the_decision_to_the_other(tmp_path: Path) -> None:
    _, end = judged(tmp_path, by_model(test_model=prefer_first, other=prefer_higher_style), max_rounds=8)
    assert set(end.outcomes[1:]) == {"win"}
    (notice,) = [one for one in end.of(Noticed) if "by position" in one.text]
    assert notice.text.startswith("test-model: This judge decides by position")


def test_every_judge_votes_on_every_question_of_the_final_check(tmp_path: Path) -> None:
    asked, end = judged(tmp_path, prefer_higher_style, max_rounds=2, final_check=True)
    assert asked == {"test-model": 2 + 6, "other": 1 + 6}
    assert end.one(FinalCheckFinished).wins == 3


class Person:
    """Votes as soon as a duel is open, while the judge is still thinking."""

    def __init__(self, *commands: Callable[[DuelOpened], AnyCommand]) -> None:
        self.commands = commands
        self.opened: list[DuelOpened] = []

    def __call__(self, tmp_path: Path, *, vote: str = "A", waits: int = 0, **changes: object) -> Told:
        waiting, heard = threading.Event(), [0]

        def judge(request: JsonObject) -> str:
            waiting.wait(60)
            return f"<choose>{vote}</choose>" if vote else inverted(request)

        with ModelServer(Persona(role_of, propose=propose, execute=execute, judge=judge)) as server:
            stage = Stage(tmp_path, server)
            run = stage.run(stage.project(text=template(3), max_rounds=2, **changes))  # type: ignore[arg-type]

            def react(event: Event) -> None:
                if isinstance(event, DuelOpened):
                    self.opened.append(event)
                    for command in self.commands:
                        run.command(command(event))
                heard[0] += isinstance(event, (VoteCast, CommandRefused))
                if heard[0] >= waits:
                    waiting.set()

            run.subscribe(react)
            end = told(run)
            self.asked = sum(role_of(one.json) == "judge" for one in server.requests)
            self.project = run.project
            again = stage.go(run.project)
            assert again.outcomes == end.outcomes
            return end


def side_of_candidate(opened: DuelOpened) -> str:
    return "left" if opened.left == "candidate" else "right"


@pytest.mark.parametrize("wins", [True, False])
def test_a_person_votes_for_a_side_without_knowing_whose_it_is(tmp_path: Path, wins: bool) -> None:
    def vote(opened: DuelOpened) -> AnyCommand:
        mine = side_of_candidate(opened)
        other = "right" if mine == "left" else "left"
        return Vote(round=2, choice=mine if wins else other, outranks=True)  # type: ignore[arg-type]

    person = Person(vote)
    end = person(tmp_path, waits=1)
    (cast,) = [vote for vote in end.of(VoteCast) if vote.voter == "human"]
    assert (cast.choice, cast.outranks) == ("win" if wins else "loss", True)
    assert end.outcomes[1] == cast.choice
    (line,) = [one for one in read_lines(person.project.journal, VoteLine) if isinstance(one, VoteLine)]
    assert (line.choice, line.outranks, line.question) == (cast.choice, True, None)


def test_a_vote_that_outranks_ends_the_duel_and_buys_no_more_votes(tmp_path: Path) -> None:
    person = Person(lambda _: Vote(round=2, choice="win", outranks=True))
    end = person(tmp_path, vote="", waits=1, judge="thorough")
    assert end.outcomes[1] == "win"
    assert person.asked <= 2


def test_votes_on_every_question_are_one_vote_together(tmp_path: Path) -> None:
    choices = ("win", "loss", "win")
    person = Person(
        *(
            lambda _, number=number, choice=choice: Vote(round=2, choice=choice, question=number)
            for number, choice in enumerate(choices)
        )
    )
    end = person(tmp_path, vote="A", waits=3)  # the judge has a taste for A alone
    assert [(vote.question, vote.choice) for vote in end.of(VoteCast) if vote.voter == "human"] == [
        *enumerate(choices)
    ]
    last = end.of(RoundFinished)[1]
    assert last.outcome == "win"  # the judge is of two minds, so the person decides
    assert last.wins + last.losses == len([vote for vote in end.of(VoteCast) if vote.voter == "model"])


def test_a_question_that_there_is_not_is_refused(tmp_path: Path) -> None:
    person = Person(lambda _: Vote(round=2, choice="win", question=3))
    end = person(tmp_path, waits=1)
    assert "There is no question 3" in end.one(CommandRefused).why
    assert not list(read_lines(person.project.journal, VoteLine))


def test_whose_answers_are_on_the_left_is_not_always_the_same(tmp_path: Path) -> None:
    with ModelServer(Persona(role_of, propose=propose, execute=execute, judge=prefer_higher_style)) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(max_rounds=12)
        first = [event.left for event in stage.go(project).of(DuelOpened)]
        assert set(first) == {"best", "candidate"}
        assert [event.left for event in stage.go(project).of(DuelOpened)] == first


def test_a_fault_in_a_statistic_does_not_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def overflow(*_: object) -> float:
        raise OverflowError("int too large to convert to float")

    monkeypatch.setattr("spotui.judging.reliability._is_beyond_chance", overflow)
    reliability._fault.cache_clear()  # another test may have asked for the same votes
    monkeypatch.setattr("spotui.engine.final_check.strengths", overflow)
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project(final_check=True))
    assert end.stopped.reason == "finished"
    assert len(end.outcomes) == 3
    notices = [notice.text for notice in end.of(Noticed)]
    assert len(notices) == 2  # each once, however often it fails
    assert notices[0].startswith("The reliability of the judge could not be computed: int too large")
