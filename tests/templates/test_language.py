"""Chinese templates get Chinese meta-prompts, which have the slots and forms of the English ones."""

import re
from pathlib import Path

import pytest

from spotui.engine.meta_prompts import OF_ENGINE, MetaPrompt, MetaPrompts
from spotui.methods import declared_meta_prompts, load_method
from spotui.settings.resources import examples_dir
from spotui.templates.language import language_of
from spotui.templates.model import QA, Template
from spotui.templates.read import read_template

SPO = load_method("spo")
PROMPTS = [one for one in (*OF_ENGINE, *declared_meta_prompts().values()) if one.in_language("zh") is not one]
TAGS = re.compile(r"</?\w+>|\{\"\w+\"|\"\w+\": ")


def template(prompt: str, requirements: str = "", question: str = "?") -> Template:
    return Template(prompt=prompt, requirements=requirements, qa=(QA(question=question),))


@pytest.mark.parametrize(
    ("prompt", "requirements", "question", "language"),
    [
        ("解释这个成语。", "三句话，用词浅显。", "守株待兔", "zh"),
        ("把 JSON 里的 name 和 city 提取出来。", "只输出 JSON。", "张三住在北京", "zh"),
        ("Translate into Chinese.", "Natural and short.", "春眠不觉晓", ""),
        ("この文を要約してください。", "短く。", "今日は良い天気です", ""),
        ("Explain the idiom.", "", "What is it?", ""),
        ("", "", "", ""),
    ],
)
def test_the_language_of_a_template_is_that_of_most_of_its_words(
    prompt: str, requirements: str, question: str, language: str
) -> None:
    assert language_of(template(prompt, requirements, question)) == language


def test_the_chinese_examples_are_chinese_and_the_others_are_not() -> None:
    paths = sorted(examples_dir().glob("*.yaml"))
    assert [path.stem for path in paths if language_of(read_template(path))] == ["chinese-idioms"]
    chinese = sorted((examples_dir() / "zh_CN").glob("*.yaml"))
    assert len(chinese) >= 3
    assert [path.stem for path in chinese if language_of(read_template(path)) != "zh"] == []


def test_every_text_of_a_method_and_a_tool_is_there_in_chinese() -> None:
    names = {one.name for one in PROMPTS}
    used = MetaPrompts(declared=declared_meta_prompts().values()).texts
    assert used.keys() - names == {"judge_likelihood"}  # it has slots alone


@pytest.mark.parametrize("one", PROMPTS, ids=lambda one: one.name)
def test_a_chinese_text_has_the_slots_and_the_form_of_the_english_one(one: MetaPrompt) -> None:
    chinese = one.in_language("zh")
    assert re.search(r"[\u4e00-\u9fff]", chinese.text)
    assert TAGS.findall(chinese.text) == TAGS.findall(one.text)
    assert len(chinese.text.splitlines()) == len(one.text.splitlines())
    assert {*re.findall(r"\{(\w+)\}", chinese.text)} == {*one.slots}


def test_a_replacement_of_the_user_comes_before_the_chinese_text(tmp_path: Path) -> None:
    (tmp_path / "judge_repair.txt").write_text("Mine: {problem}")
    found = MetaPrompts(tmp_path, language="zh")
    assert found["judge_repair"].text == "Mine: {problem}"
    assert "评审" not in MetaPrompts(tmp_path)["judge_duel"].text
    assert "两个助手" in found["judge_duel"].text
