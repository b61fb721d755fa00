import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_markdown_tells_the_run_from_prompt_to_seed() -> None:
    text = export("sea", history(), line(), "markdown")

    assert text.startswith("# sea\n\nPrompt of round 2 (win).\n\n```\nSay it well.\n```\n")
    for said in (
        "On 4 held-out questions, round 2 against the seed: win.",
        "Final check of round 2: Better than the seed on 6 of 7 questions.",
        "The run stopped: finished. All 2 rounds are done.",
        "Spent in its rounds: $0.0300.",
        "### Question 1\n\n```\nWhy?\nReally?\n```\n\nAnswer:\n\n```\nBecause.\n```\n",
        "## Seed prompt\n\n```\nSay.\n```\n",
    ):
        assert said in text


def test_the_seed_is_not_told_twice_and_an_unknown_price_is_unknown() -> None:
    unpriced = RoundLine(round=1, outcome="seed", prompt="Say.")
    text = export("sea", history(unpriced), unpriced, "markdown")

    assert "## Seed prompt" not in text
    assert "Spent in its rounds: $ unknown." in text


def test_a_modification_cannot_break_the_table() -> None:
    text = export("sea", history(SEED, line(modification="Ask | for\nless")), line(), "markdown")

    (row,) = [one for one in text.splitlines() if one.startswith("| 2 |")]
    assert row.endswith("| Ask \\| for less |")
    assert len(re.findall(r"(?<!\\)\|", row)) == 6


@given(st.text(st.sampled_from("`~ x\n"), max_size=30) | st.just(FENCED))
def test_no_text_can_leave_its_block(prompt: str) -> None:
    text = export("sea", history(SEED, line(prompt)), line(prompt), "markdown")

    fence, rest = re.search(r"\n(`{3,})\n(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    inside, after = rest.split(f"\n{fence}\n\n", 1)
    assert after.startswith("On 4 held-out questions")
    assert inside == prompt
    assert not re.search(rf"^ {{0,3}}`{{{len(fence)},}}\s*$", inside, re.MULTILINE)
