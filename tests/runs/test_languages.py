"""Templates in other languages and models that reason aloud are read as all others are."""

from pathlib import Path

import pytest

from spotui.domain.events import CandidateRefused, RoundFinished
from tests.model_server import JsonObject, ModelServer, Persona, Scripted, conversation
from tests.runs.starting import Stage
from tests.spo_model import role_of

TEMPLATES = {
    "Chinese": (
        "用第0级风格描述大海。",
        "生动,真实。",
        "什么是潮汐?",
        "用第{}级风格回答,并说明理由。",
        "<choose>选{}</choose>",
    ),
    "German": (
        "Beschreibe das Meer, Stufe 0.",
        "Anschaulich.",
        "Was ist Ebbe?",
        "Antworte auf Stufe {}.",
        "<choose>Antwort {}</choose>",
    ),
    "Russian": (
        "Опиши море, уровень 0.",
        "Живо.",
        "Что такое прилив?",
        "Отвечай на уровне {}.",
        "<choose>Ответ {}</choose>",
    ),
    "Arabic": ("صف البحر، المستوى 0.", "بوضوح.", "ما هو المد؟", "أجب على المستوى {}.", "<choose>{}</choose>"),
}
DRAFT = "<prompt>a draft</prompt> or <choose>A</choose>? <modification>no</modification>"


def thinking(text: str, how: str) -> Scripted:
    """A reply of a model that reasons first, as endpoints send that."""
    match how:
        case "tags":
            return Scripted(f"<think>{DRAFT}</think>{text}")
        case "unopened":
            return Scripted(f"{DRAFT}</think>{text}")
        case "field":
            return Scripted(text, reasoning=DRAFT)
        case _:
            return Scripted(text)


@pytest.mark.parametrize("how", ["not at all", "tags", "unopened", "field"])
@pytest.mark.parametrize("language", TEMPLATES)
def test_every_language_with_and_without_reasoning(tmp_path: Path, language: str, how: str) -> None:
    prompt, requirements, question, proposal, choice = TEMPLATES[language]

    def level(text: str) -> int:
        return max((int(one) for one in text if one.isascii() and one.isdigit()), default=0)

    def propose(request: JsonObject) -> Scripted:
        best = conversation(request).split("<best_prompt>")[1].split("</best_prompt>")[0]
        new = proposal.format(level(best) + 1)
        return thinking(
            f"<analyse>{requirements}</analyse><modification>{new}</modification><prompt>{new}</prompt>", how
        )

    def execute(request: JsonObject) -> Scripted:
        return thinking(f"[{level(conversation(request))}] {question}", how)

    def judge(request: JsonObject) -> Scripted:
        text = conversation(request)
        sides = {side: text.split(f"<answers_of_{side}>")[1].split("[")[1][0] for side in "AB"}
        better = "A" if sides["A"] > sides["B"] else "B"
        return thinking(f"<analyse>{requirements}</analyse>\n{choice.format(better)}", how)

    with ModelServer(Persona(role_of, propose=propose, execute=execute, judge=judge)) as server:
        stage = Stage(tmp_path, server)
        text = (
            f"prompt: {prompt}\nrequirements: {requirements}\n"
            f'qa:\n  - {{question: "{question}", answer: None}}\n'
        )
        end = stage.go(stage.project(text=text))
    assert end.outcomes == ["seed", "win", "win"]
    assert end.stopped.prompt == proposal.format(2)
    assert not end.of(CandidateRefused)
    assert {(one.voids, one.losses) for one in end.of(RoundFinished)} == {(0, 0)}
