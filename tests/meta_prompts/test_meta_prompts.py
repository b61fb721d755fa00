"""The texts that steer optimizer and judge."""

from pathlib import Path

import pytest

from spotui.meta_prompts import SLOTS, MetaPrompt, MetaPromptError, MetaPrompts


def test_every_shipped_meta_prompt_has_exactly_its_slots(tmp_path: Path) -> None:
    meta = MetaPrompts(tmp_path / "none")
    for name, slots in SLOTS.items():
        filled = meta[name].render(**{slot: f"[{slot} filled]" for slot in slots})
        assert all(f"[{slot} filled]" in filled for slot in slots)


def test_a_users_file_stands_in_for_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "judge_repair.txt").write_text("Noch einmal: {problem}\n")
    meta = MetaPrompts(tmp_path)
    assert meta["judge_repair"].render(problem="unklar") == "Noch einmal: unklar"
    assert meta["spo_repair"].text == MetaPrompts()["spo_repair"].text


@pytest.mark.parametrize(
    ("text", "slot"), [("Once more.", r"lacks the slot \{problem\}"), ("{problem} {hint}", r"slot \{hint\}")]
)
def test_a_file_with_wrong_slots_is_refused_by_name(tmp_path: Path, text: str, slot: str) -> None:
    (tmp_path / "spo_repair.txt").write_text(text)
    with pytest.raises(MetaPromptError, match=slot) as refused:
        MetaPrompts(tmp_path)
    assert str(tmp_path / "spo_repair.txt") in str(refused.value)
    assert refused.value.mend


def test_a_file_that_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "spo_repair.txt").write_bytes(b"\xff\xfe{problem}")
    with pytest.raises(MetaPromptError, match=r"spo_repair\.txt cannot be read"):
        MetaPrompts(tmp_path)


def test_what_fills_a_slot_is_not_filled_again() -> None:
    assert MetaPrompt("spo_repair", "{problem}", "here").render(problem="{problem} {x}") == "{problem} {x}"


def test_an_empty_slot_leaves_no_gap() -> None:
    judged = MetaPrompts()["judge_duel"].render(requirements="r", references="", answers_a="a", answers_b="b")
    assert "\n\n\n" not in judged
    assert "reference_answers" not in judged
