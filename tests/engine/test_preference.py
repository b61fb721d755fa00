"""--prefer: what breaks ties within noise, what it never does, and that a resumed run decides the same."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from spotui.domain.answer_cost import AnswerCost, is_cheaper, pareto_front
from spotui.domain.events import CandidateScored, RoundFinished
from spotui.domain.statistics import is_behind
from spotui.workspace.history import read_history
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Persona, conversation
from tests.row_model import kind_of, note
from tests.runs.starting import PRICED, Stage, bought
from tests.spo_model import role_of

_SUM = re.compile(r"What is (\d+) plus (\d+)\?")
_WORDY = 60


def test_a_lag_passes_as_noise_only_where_one_time_in_five_or_more_it_is_chance() -> None:
    for lost, won, behind in ((1, 0, False), (2, 0, False), (3, 0, True), (12, 9, False), (20, 9, True)):
        old, new = [1.0] * lost + [0.0] * won + [1.0] * 9, [0.0] * lost + [1.0] * won + [1.0] * 9
        assert is_behind(old, new) is behind
    assert is_behind([None, 1.0], [1.0, None])  # nothing in common shows nothing
    assert is_behind([0.9] * 40, [0.8] * 40)
    assert not is_behind([0.9, 0.5] * 10, [0.5, 0.9] * 10)


def test_cheaper_is_by_price_and_without_one_by_tokens_alone_where_that_is_certain() -> None:
    def cost(read: float, written: float, usd: float | None = None) -> AnswerCost:
        return AnswerCost(4, read, written, usd=usd)

    assert is_cheaper(cost(9, 9, 0.1), cost(1, 1, 0.2))
    assert is_cheaper(cost(9, 9, 0.2), cost(9, 9, 0.2)) is False
    assert is_cheaper(cost(5, 9), cost(9, 9, 0.3))
    assert is_cheaper(cost(5, 9), cost(9, 5)) is None
    assert is_cheaper(None, cost(9, 5)) is None
    points = {"a": (0.5, 1.0), "b": (0.7, 2.0), "c": (0.6, 3.0), "d": (0.7, 2.0), "e": (0.4, 1.0)}
    assert pareto_front(points) == {"a", "b", "d"}


def answer(request: JsonObject) -> str:
    """The right sum on all rows but one in six, in as many words as the prompt asks for."""
    text = conversation(request)
    one, other = map(int, _SUM.findall(text)[-1])
    is_wrong = one % 5 == 0 or ("wrong" in text and one % 3 == 0)
    words = "well, " * (0 if "briefly" in text else _WORDY)
    return f"{words}it is {one + other + is_wrong}."


def scored_proposals(*prompts: str) -> Persona:
    """A model whose proposals are these, in turn, and that answers as its prompt says."""
    asked: list[str] = []

    def propose(_request: JsonObject) -> str:
        asked.append(prompts[min(len(asked), len(prompts) - 1)])
        return f"<analyse>x</analyse><modification>y</modification><prompt>{asked[-1]}</prompt>"

    return Persona(kind_of, propose=propose, execute=answer, likelihood=note)


@pytest.mark.parametrize("prefer", ["none", "cheaper", "shorter"])
def test_of_scores_within_noise_the_preferred_prompt_is_the_best_and_a_loss_never_is(
    tmp_path: Path, prefer: str
) -> None:
    brief, wrong = "Add briefly, and mind each digit.", "Add briefly and wrong."
    with ModelServer(scored_proposals(wrong, brief, "Add.")) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(
            stage,
            "gpo",
            count=60,
            prefer=prefer,
            final_check=False,
            max_rounds=4,
            parameters={"candidates_per_step": 1, "descent_direction": "performance"},
        )
        told = stage.go(project, config=PRICED)
        rounds = read_history(project).rounds
        found = [(one.outcome, one.preferred) for one in rounds]
        assert (
            found
            == {
                "none": [("seed", None), ("loss", None), ("tie", None), ("lead", None)],
                "cheaper": [("seed", None), ("loss", None), ("lead", "cheaper"), ("tie", None)],
                "shorter": [("seed", None), ("loss", None), ("tie", None), ("lead", "shorter")],
            }[prefer]
        )
        best = {"cheaper": 3}.get(prefer, 4)
        assert (told.stopped.best, told.stopped.lead, told.stopped.improved) == (best, True, False)
        seed, _wrong, brief_one, _short = (one.per_answer for one in rounds)
        assert seed
        assert seed.usd
        assert brief_one
        assert brief_one.usd
        assert brief_one.usd < seed.usd / 5
        assert seed.usd == pytest.approx((seed.prompt_tokens + 4 * seed.completion_tokens) / 1e6)
        assert all(one.per_answer is not None and one.per_answer.seconds for one in told.of(CandidateScored))
        if prefer == "cheaper":
            assert "an answer, not $" in rounds[2].note
            assert "not preferred" in rounds[3].note
        # Cut off in the third round, it goes the same way and buys nothing twice.
        asked, lines = bought(project), project.journal.read_bytes().splitlines(keepends=True)
        ended = [at for at, line in enumerate(lines) if json.loads(line)["kind"] == "round"]
        project.journal.write_bytes(b"".join(lines[: ended[2]]))
        again = stage.go(project, config=PRICED)
        assert [(one.outcome, one.preferred) for one in read_history(project).rounds] == found
        assert again.stopped.best == best
        assert bought(project) == asked
        assert len(server.requests) < asked.total() + 1 + 12 + 2 * 36 + 1  # the fourth round and the test


def test_a_duel_without_a_winner_goes_to_the_cheaper_prompt_which_must_not_lose_to_the_last_that_won(
    tmp_path: Path,
) -> None:
    """Round 2 ties and is cheaper; round 3 ties with it and is cheaper still, but loses to the seed."""
    asked = Counter[str]()
    proposals = iter(("Answer briefly, 20.", "Answer briefly, 5.", "Answer at length, 90."))

    def propose(_request: JsonObject) -> str:
        return f"<analyse>x</analyse><modification>y</modification><prompt>{next(proposals)}</prompt>"

    def execute(request: JsonObject) -> str:
        found = re.search(r"(?:briefly|length), (\d+)", conversation(request))
        words = int(found[1]) if found else 60
        return f"[{words}] " + "word " * words

    def judge(request: JsonObject) -> str:
        text = conversation(request).split("<answers_of_A>")[1]
        first, last = (int(re.findall(r"\[(\d+)\]", one)[0]) for one in text.split("<answers_of_B>"))
        low = "A" if first < last else "B"
        asked[text] += 1
        is_for_the_shorter = {first, last} == {20, 90} or (asked[text] == 1 and {first, last} != {5, 60})
        choice = low if is_for_the_shorter else "AB".replace(low, "")
        return f"<analyse>z</analyse><choose>{choice}</choose>"

    with ModelServer(Persona(role_of, propose=propose, execute=execute, judge=judge)) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(max_rounds=4, prefer="cheaper")
        told = stage.go(project, config=PRICED)
        ends = told.of(RoundFinished)
        assert [(one.outcome, one.preferred) for one in ends][1] == ("lead", "cheaper")
        assert [one.best for one in ends] == [1, 2, 2, 2]
        assert "loses to round 1" in ends[2].note
        assert (told.stopped.best, told.stopped.lead) == (2, True)
        assert ends[1].per_answer is not None
