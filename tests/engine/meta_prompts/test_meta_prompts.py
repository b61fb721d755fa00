"""The texts that steer optimizer and judge."""

import os
import re
from pathlib import Path

import pytest

from spotui.domain.tags import read_form
from spotui.engine.meta_prompts import MetaPrompt, MetaPromptError, MetaPrompts, folder_beside
from spotui.llm.providers.chat.reasoning import split_reasoning
from spotui.methods import check_meta_prompts, declared_meta_prompts, meta_prompts
from spotui.methods.spo import PROPOSE, SPO
from spotui.settings import locations


def test_every_shipped_meta_prompt_has_exactly_its_slots(tmp_path: Path) -> None:
    meta = MetaPrompts(tmp_path / "none", declared=declared_meta_prompts().values())
    assert {"spo_propose", "gpo_reflect", "gradsum_edit", "judge_duel"} <= meta.texts.keys()
    for name in meta.texts:
        slots = meta[name].slots
        assert all(slots.values())
        filled = meta[name].render(**{slot: f"[{slot} filled]" for slot in slots})
        assert all(f"[{slot} filled]" in filled for slot in slots)


PROPOSAL, VOTE, GRADE = ("analyse", "modification", "prompt"), ("analyse", "choose"), ("reason", "score")
FORMS = {
    **dict.fromkeys(
        ("spo_propose", "gpo_propose", "gradsum_edit", "headroom_propose", "spo_repair"), PROPOSAL
    ),
    **dict.fromkeys(("gepa_reflect", "gepa_merge"), PROPOSAL),
    **dict.fromkeys(("judge_duel", "judge_repair"), VOTE),
    **dict.fromkeys(("mark_answer", "mark_repair"), GRADE),
    "judge_tune": ("analyse", "modification", "criteria"),
    "gpo_reflect": ("diagnosis",),
    "gpo_summarize": ("summary",),
    "gradsum_gradient": ("change",),
    "gradsum_summarize": ("summary",),
}
WITHOUT_TAGS = {"execute_repair", "judge_token", "judge_likelihood", "judge_duel_json", "judge_repair_json"}
OF_VARIABLE_FORM = {"write_rows"}
WITHIN_OTHERS = {"spo_lessons", "spo_rework", "spo_rivals", "spo_ideas", "propose_hinted", "migrate_goal"}


def test_every_shipped_meta_prompt_explains_its_parts_and_ends_with_their_form() -> None:
    meta = MetaPrompts(declared=declared_meta_prompts().values())
    assert FORMS.keys() | WITHOUT_TAGS | OF_VARIABLE_FORM | WITHIN_OTHERS == meta.texts.keys()
    for name, parts in FORMS.items():
        text = meta[name].text
        assert text.endswith("\n\n" + "\n".join(f"<{part}>...</{part}>" for part in parts)), name
        if not name.endswith("_repair"):
            assert all(f"\n- {part}: " in text for part in parts), name
        assert not re.search(r"\btag\b", text), name
        assert read_form(text, *parts, asked=text) == {}, name
        reply = "\n".join(f"<{part}>x</{part}>" for part in parts)
        assert split_reasoning(reply) == (reply, ""), "no model's reasoning is marked like that"
    for name in ("judge_duel_json", "judge_repair_json"):
        assert meta[name].text.endswith('\n\n{"evidence": "...", "choice": "..."}')


def test_a_users_file_stands_in_for_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "judge_repair.txt").write_text("Noch einmal: {problem}\n")
    meta = MetaPrompts(tmp_path)
    assert meta["judge_repair"].render(problem="unklar") == "Noch einmal: unklar"
    assert meta["spo_repair"].text == MetaPrompts()["spo_repair"].text


def test_a_template_s_own_file_beats_the_users(tmp_path: Path) -> None:
    beside, own = folder_beside(tmp_path / "poem.yaml"), tmp_path / "own"
    for folder, word in ((beside, "template"), (own, "user")):
        folder.mkdir()
        (folder / "judge_repair.txt").write_text(f"{word}: {{problem}}")
    (own / "spo_repair.txt").write_text("user: {problem}")
    meta = MetaPrompts(beside, own)
    assert beside == tmp_path / "poem.prompts"
    assert meta["judge_repair"].render(problem="x") == "template: x"
    assert meta["spo_repair"].render(problem="x") == "user: x"
    assert meta["execute_repair"].text == MetaPrompts()["execute_repair"].text


def test_a_file_that_nothing_asks_for_is_refused_with_the_name_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / "judge_duell.txt").write_text("{problem}")
    with pytest.raises(MetaPromptError, match=r"judge_duell\.txt is not a meta-prompt") as refused:
        meta_prompts(tmp_path)
    assert refused.value.hint == "Did you mean judge_duel.txt?"


@pytest.mark.parametrize(
    ("text", "slot"), [("Once more.", r"lacks the slot \{problem\}"), ("{problem} {hint}", r"slot \{hint\}")]
)
def test_a_file_with_wrong_slots_is_refused_by_name(tmp_path: Path, text: str, slot: str) -> None:
    (tmp_path / "spo_repair.txt").write_text(text)
    with pytest.raises(MetaPromptError, match=slot) as refused:
        MetaPrompts(tmp_path)
    assert str(tmp_path / "spo_repair.txt") in str(refused.value)
    assert refused.value.hint


def test_a_file_that_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "spo_repair.txt").write_bytes(b"\xff\xfe{problem}")
    with pytest.raises(MetaPromptError, match=r"spo_repair\.txt cannot be read"):
        MetaPrompts(tmp_path)


def test_a_file_for_another_method_does_not_disturb_a_run_and_is_checked(tmp_path: Path) -> None:
    (tmp_path / "gpo_reflect.txt").write_text("No slot.")
    assert "gpo_reflect" not in meta_prompts(tmp_path, method=SPO).texts
    with pytest.raises(MetaPromptError, match=r"gpo_reflect\.txt lacks the slot \{failures\}"):
        check_meta_prompts(tmp_path)


def test_a_meta_prompt_that_is_not_declared_is_named() -> None:
    with pytest.raises(LookupError, match="'spo_propose' is not declared"):
        MetaPrompts()["spo_propose"]


@pytest.mark.parametrize("name", ["", "../spo_repair", "Spo", "a b"])
def test_a_meta_prompt_has_a_name_that_a_file_can_have(name: str) -> None:
    with pytest.raises(MetaPromptError, match="cannot be called"):
        MetaPrompt(name, "{problem}", {"problem": "what is wrong"})


def test_what_fills_a_slot_is_not_filled_again() -> None:
    assert (
        MetaPrompt("spo_repair", "{problem}", {"problem": "what is wrong"}).render(problem="{problem} {x}")
        == "{problem} {x}"
    )


def test_tags_around_nothing_are_left_out() -> None:
    text = "Do it.\n<a>\n{requirements}\n</a>\n<b>{prompt}</b>\n{answers} {references} {limit}"
    rest = {"answers": "x", "references": "", "limit": ""}
    meta = PROPOSE.replaced(text, "here")
    assert meta.render(requirements=" \n", prompt="", **rest) == "Do it.\n\nx"
    assert meta.render(requirements="r", prompt="p", **rest) == "Do it.\n<a>\nr\n</a>\n<b>p</b>\nx"
    old = PROPOSE.replaced(text, "here", keeps_empty=True)
    assert old.render(requirements="", prompt="", **rest) == "Do it.\n<a>\n\n</a>\n<b></b>\nx"


def test_an_empty_slot_leaves_no_gap() -> None:
    judged = MetaPrompts()["judge_duel"].render(requirements="r", references="", answers_a="a", answers_b="b")
    assert "\n\n\n" not in judged
    assert "reference_answers" not in judged


@pytest.mark.parametrize("kind", ["link", "folder link", "pipe", "device"])
def test_a_file_beside_a_template_leads_nowhere_and_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "judge_repair.txt").write_text("the user's own words {problem}")
    beside = folder_beside(tmp_path / "poem.yaml")
    if kind == "folder link":
        beside.symlink_to(secret)
    else:
        beside.mkdir()
    path = beside / "judge_repair.txt"
    match kind:
        case "link":
            path.symlink_to(secret / "judge_repair.txt")
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
    with pytest.raises(
        MetaPromptError, match=r"poem\.prompts.* cannot be read: .* is a (symbolic link|pipe)"
    ):
        MetaPrompts(beside)


def test_a_link_in_the_user_s_own_folder_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOTUI_CONFIG_DIR", str(tmp_path))
    (tmp_path / "dotfiles.txt").write_text("Noch einmal: {problem}")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "judge_repair.txt").symlink_to("../dotfiles.txt")
    meta = MetaPrompts(locations.meta_prompts_dir())
    assert meta["judge_repair"].text == "Noch einmal: {problem}"
