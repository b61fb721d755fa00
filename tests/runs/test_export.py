import json

import pytest

from spotui.domain.records import AnswerRecord, CheckLine, HeldOutLine, RoundLine, StopLine, VoteRecord
from spotui.runs.export import export
from spotui.workspace.history import History

SEED = RoundLine(
    round=1, outcome="seed", prompt="Say.", answers=(AnswerRecord("Why?", "So."),), cost_usd=0.01
)
VOTES = (VoteRecord(choice="win", order="AB", reason="Clearer."),)
FENCED = "Use this:\n```python\nx = 1\n```\n"


def line(prompt: str = "Say it well.", answer: str = "Because.", **more: object) -> RoundLine:
    return RoundLine(
        round=2,
        outcome="win",
        prompt=prompt,
        parent=1,
        answers=(AnswerRecord("Why?\nReally?", answer),),
        votes=VOTES,
        cost_usd=0.02,
        **more,  # type: ignore[arg-type]
    )


def history(*rounds: RoundLine) -> History:
    stop = StopLine(reason="finished", cause="All 2 rounds are done.", best=2)
    check = CheckLine(best=2, outcome="win", headline="Better than the seed on 6 of 7 questions.")
    held_out = HeldOutLine(best=2, outcome="win", questions=4)
    return History(rounds or (SEED, line()), stop, held_out, state="ended", check=check)


@pytest.mark.parametrize("prompt", ["Say it.", "Say it.\n", "Two\nlines"])
def test_txt_is_the_prompt_alone_and_ends_its_line(prompt: str) -> None:
    assert export("sea", history(), line(prompt), "txt") == prompt.rstrip("\n") + "\n"


def test_json_holds_the_whole_run() -> None:
    whole = json.loads(export("sea", history(), line(), "json"))

    assert whole["project"] == "sea"
    assert (whole["round"], whole["prompt"]) == (2, "Say it well.")
    assert [one["outcome"] for one in whole["rounds"]] == ["seed", "win"]
    assert whole["rounds"][1]["votes"] == [{"choice": "win", "order": "AB", "reason": "Clearer."}]
    assert whole["held_out"]["questions"] == 4
    assert whole["check"]["outcome"] == "win"
    assert whole["stop"]["reason"] == "finished"
