"""SPO with several candidates a round: proposed, executed and judged at once, and never bought twice."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from spotui.domain.commands import AnyCommand, Edit, Pause, Resume, Vote
from spotui.domain.errors import SpotuiError
from spotui.domain.events import (
    Answered,
    CandidateProposed,
    CandidateRefused,
    CommandRefused,
    DuelOpened,
    Event,
    RoundFinished,
    StateChanged,
    VoteCast,
)
from spotui.domain.records import CallLine
from spotui.view.picture import Picture
from spotui.view.retell import retell
from spotui.workspace.history import read_history
from spotui.workspace.journal_reader import read_lines
from spotui.workspace.projects import Project
from tests.model_server import JsonObject, ModelServer, Persona, conversation
from tests.runs.starting import Stage, prepared, results_of, template, told
from tests.spo_model import by_idea, execute, idea_of, prefer_higher_style, propose, role_of, widening

WIDE = "parameters: {width: 3}\n"


def wide(stage: Stage, name: str = "sea", **changes: Any) -> Project:
    """A project with three candidates a round, three rounds and two questions."""
    return stage.project(name, template(2) + WIDE, **changes)


def kinds(server: ModelServer) -> Counter[str]:
    return Counter(role_of(one.json) for one in server.requests)


def test_all_candidates_of_a_round_are_asked_at_once_and_the_best_is_kept(tmp_path: Path) -> None:
    with ModelServer(widening, delay=0.02) as server:
        stage = Stage(tmp_path, server)
        project = wide(stage, max_rounds=2, concurrency=16)
        end = stage.go(project)
    assert end.outcomes == ["seed", "win"]
    # One candidate wins by 3:0; the two that are at 2:1 by then cannot reach that, and get no further vote.
    assert kinds(server) == {"propose": 3, "execute": 2 + 3 * 2, "judge": 3 * 3}
    assert server.peak_open > 3
    proposed = end.of(CandidateProposed)
    assert [one.index for one in proposed] == [0, 1, 2]
    assert len({one.prompt for one in proposed}) == 3
    asked = [conversation(one.json) for one in server.requests if role_of(one.json) == "propose"]
    ideas = [
        re.search(r"Your idea: (.*?) The other ideas, which are not yours: (.*)", text) for text in asked
    ]
    mine = {found[1] for found in ideas if found}
    assert len(mine) == 3
    assert all(found and all(one in found[2] for one in mine - {found[1]}) for found in ideas)
    finished = end.of(RoundFinished)[1]
    assert (finished.candidate, finished.wins, finished.losses) == (1, 3, 0)
    assert finished.note == (
        "Candidate 1 has the best votes (candidate 1: 3:0, candidate 2: 2:1, candidate 3: 2:1)"
    )
    assert {(one.candidate, one.index) for one in end.of(Answered) if one.round == 2} == {
        (number, index) for number in (1, 2, 3) for index in (0, 1)
    }
    assert Counter(one.candidate for one in end.of(VoteCast)) == {1: 3, 2: 3, 3: 3}
    assert end.stopped.prompt == "Answer in style 1, with reasons."
    line = next(one for one in read_history(project).rounds if one.round == 2)
    assert [(one.number, one.outcome, len(one.answers)) for one in line.others] == [
        (2, "undecided", 2),
        (3, "undecided", 2),
    ]
    assert results_of(project)[1][2] == "Answer in style 1, with reasons."


def all_better(request: JsonObject) -> str:
    """Every idea is better than the best, those further down the list more so."""
    text = propose(request)
    number = max(map(int, re.findall(r"style (\d+)", text)))
    return text.replace(f"style {number},", f"style {number + idea_of(request)},")


def test_candidates_with_the_same_votes_are_compared_with_each_other(tmp_path: Path) -> None:
    persona = Persona(role_of, propose=all_better, execute=execute, judge=prefer_higher_style)
    with ModelServer(persona) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(wide(stage, max_rounds=2))
    best = max(end.of(CandidateProposed), key=lambda one: int(re.findall(r"style (\d+)", one.prompt)[0]))
    finished = end.of(RoundFinished)[1]
    assert (finished.outcome, finished.candidate) == ("win", best.index + 1)
    assert finished.note.startswith(
        "Several candidates have the best votes (candidate 1: 3:0, candidate 2: 3:0, candidate 3: 3:0)"
    )
    assert kinds(server)["judge"] == 3 * 3 + 3 * 2  # three pairs, each in both orders
    assert end.stopped.prompt == best.prompt


def test_the_paper_s_run_is_the_same_with_a_width_of_one(tmp_path: Path) -> None:
    with ModelServer(widening) as server:
        stage = Stage(tmp_path, server)
        stage.go(stage.project(text=template(2) + "parameters: {width: 1}\n"))
    assert not [one for one in server.requests if "Your idea:" in conversation(one.json)]


def test_equal_proposals_are_refused_and_one_alone_is_judged_as_ever(tmp_path: Path) -> None:
    with ModelServer(Persona(role_of, propose=propose, execute=execute, judge=prefer_higher_style)) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(wide(stage, max_rounds=2))
    refused = end.of(CandidateRefused)
    assert [one.why for one in refused] == ["Its prompt is the same as that of candidate 1."] * 2
    assert len(end.of(DuelOpened)) == 1
    assert end.of(RoundFinished)[1].candidate == 0


def test_a_candidate_without_an_answer_leaves_the_others_their_round(tmp_path: Path) -> None:
    def silent(request: JsonObject) -> str:
        return "" if "wording" in conversation(request) else execute(request)

    persona = Persona(role_of, propose=by_idea, execute=silent, judge=prefer_higher_style)
    with ModelServer(persona) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(wide(stage, max_rounds=2))
    assert end.outcomes == ["seed", "win"]
    assert "void" in end.of(RoundFinished)[1].note


@pytest.mark.parametrize("judge", ["balanced", "thorough", "reference"])
def test_speed_and_order_of_replies_change_nothing(tmp_path: Path, judge: str) -> None:
    ends = []
    for name, concurrency, delay in (("one by one", 1, 0.0), ("at once", 16, 0.003)):
        with ModelServer(Persona(role_of), delay=delay) as server:
            stage = Stage(tmp_path, server)
            end = stage.go(wide(stage, name, max_rounds=4, concurrency=concurrency, judge=judge))
            asked = Counter(conversation(one.json) for one in server.requests)
            ends.append(
                (end.outcomes, end.stopped.prompt, [one.note for one in end.of(RoundFinished)], asked)
            )
    assert ends[0] == ends[1]


def test_a_wide_round_that_was_cut_off_anywhere_ends_as_it_would_have_and_buys_no_call_twice(
    tmp_path: Path,
) -> None:
    with ModelServer(Persona(role_of)) as server:
        stage = Stage(tmp_path, server)
        project = wide(stage, max_rounds=3)
        whole = stage.go(project)
        asked = Counter(conversation(one.json) for one in server.requests)
        lines = project.journal.read_bytes().splitlines(keepends=True)
        wanted = results_of(project)
        for length in range(1, len(lines), 5):
            copy = stage.workspace.project(f"cut-{length}")
            copy.prompts.mkdir(parents=True)
            shutil.copy(project.snapshot, copy.snapshot)
            copy.journal.write_bytes(b"".join(lines[:length]))
            kept = Counter(
                conversation(_request(line))
                for line in read_lines(copy.journal, CallLine)
                if isinstance(line, CallLine)
            )
            before = len(server.requests)
            end = stage.go(copy)
            bought = Counter(conversation(one.json) for one in server.requests[before:])
            assert end.outcomes == whole.outcomes
            assert end.stopped.prompt == whole.stopped.prompt
            assert results_of(copy) == wanted
            assert kept + bought == asked


def _request(line: CallLine) -> JsonObject:
    found: JsonObject = json.loads(bytes(line.request))
    return found


def test_what_is_read_from_the_project_shows_every_candidate(tmp_path: Path) -> None:
    with ModelServer(widening) as server:
        stage = Stage(tmp_path, server)
        project = wide(stage, max_rounds=3)
        end = stage.go(project)
    live, read = Picture(), Picture()
    for event in end.events:
        live.apply(event)
    for event in retell(project, read_history(project)):
        read.apply(event)
    for picture in (live, read):
        one = picture.rounds[3]
        assert (one.several, one.shown, one.best) == (3, 1, 2)
        assert one.candidate is not None
        assert one.candidate.prompt == "Answer in style 2, with reasons."
        assert len(one.answers) == 2
        assert [vote.choice for vote in one.votes] == ["win"] * 3
        assert all(len(entry.votes) == 3 for entry in one.entries.values())


def test_a_person_sees_all_candidates_writes_one_in_their_place_and_cannot_vote_on_several(
    tmp_path: Path,
) -> None:
    commands: list[AnyCommand] = []

    def react(event: Event) -> AnyCommand | None:
        match event:
            case RoundFinished(round=1):
                return Pause(at="candidate")
            case StateChanged(state="paused"):
                commands.append(Resume())
                return Edit(round=3, prompt="Answer in style 7, by hand.")
            case VoteCast(round=2, candidate=1, index=0):
                return Vote(round=2, choice="win")
            case _:
                return commands.pop() if commands else None

    with ModelServer(widening) as server:
        stage = Stage(tmp_path, server)
        end = told(stage.run(wide(stage, max_rounds=3)), react)
    (paused,) = [one for one in end.of(StateChanged) if one.state == "paused"]
    assert paused.cause == "The candidates of round 2 are ready to be looked at."
    (refused,) = end.of(CommandRefused)
    assert (
        refused.why.startswith("Round 2 compares several candidates at once.")
        or "not being judged" in refused.why
    )
    assert [one.round for one in end.of(DuelOpened)] == [3]
    assert end.stopped.prompt == "Answer in style 7, by hand."


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"width": "0"}, "It takes a whole number from 1 to 8."),
        ({"width": "9"}, "It takes a whole number from 1 to 8."),
        ({"feedback": "all"}, "It takes reasons, none."),
        ({"rework_every": "1"}, "It takes a whole number from 2 to 1000 or none."),
    ],
)
def test_wrong_parameters_are_refused_with_what_they_take(
    tmp_path: Path, parameters: dict[str, str], said: str
) -> None:
    from tests.runs.test_estimate import some_settings

    with pytest.raises(SpotuiError) as error:
        prepared(template(2), some_settings(), parameters=parameters)
    assert said in str(error.value)
