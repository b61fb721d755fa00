"""A model for scored methods: the further a prompt's style, the more rows it answers right."""

import re
from hashlib import sha256

from tests import spo_model
from tests.model_server import JsonObject, Persona, Scripted, conversation
from tests.model_server.persona import choice

_STYLE = re.compile(r"style (\d+)")
NOTES = ("<failures>", "<latest>", "<failure>", "<gradients>")
_SUM = re.compile(r"What is (\d+) plus (\d+)\?")


def kind_of(request: JsonObject) -> str:
    """What a request asks for, told by the frames of the meta-prompts."""
    if "input" in request:
        return "embed"
    text = str(request["messages"][0]["content"])
    if any(tag in text for tag in NOTES):
        return "likelihood"
    if "<current_prompt>" in text:
        return "propose"
    return "judge" if "<criteria>" in text else "execute"


def answer(request: JsonObject) -> str:
    """The sum, or one more when the style is too low for this row."""
    text = conversation(request)
    one, other = map(int, _SUM.findall(text)[-1])
    is_hard = sha256(f"{one}+{other}".encode()).digest()[0] / 256
    style = max(map(int, _STYLE.findall(text)), default=0)
    return f"The answer is {one + other + (is_hard > 0.3 + 0.1 * style)}."


def propose(request: JsonObject) -> str:
    """A prompt one style further than the current one; no two requests bring the same words."""
    text = conversation(request)
    current = text.split("<current_prompt>")[1].split("</current_prompt>")[0]
    style = 1 + max(map(int, _STYLE.findall(current)), default=0)
    slot = "{question} " if "{question}" in current else ""
    propose.calls += 1  # type: ignore[attr-defined]
    return (
        f"<analyse>Style {style - 1} is too low.</analyse>\n<modification>Style {style}.</modification>\n"
        f"<prompt>{slot}Add in style {style}, way {propose.calls}.</prompt>"  # type: ignore[attr-defined]
    )


propose.calls = 0  # type: ignore[attr-defined]


def grade(request: JsonObject) -> str:
    """1 for an answer that holds an even number."""
    text = conversation(request).split("<answer>")[1].split("</answer>")[0]
    even = int(re.findall(r"\d+", text)[-1]) % 2 == 0
    return f"<reason>It is {'even' if even else 'odd'}.</reason><score>{int(even)}</score>"


def note(request: JsonObject) -> Scripted:
    """What a model writes about failures."""
    return Scripted(text=f"Carry the one. {sha256(conversation(request).encode()).hexdigest()[:6]}")


adding = Persona(kind_of, propose=propose, execute=answer, judge=grade, likelihood=note)
"""Every proposal is better than the prompt it was made from."""


def rows(count: int, *, first: int = 0) -> str:
    """A JSONL file of sums."""
    return "".join(
        f'{{"question": "What is {n} plus {n * 7 % 50}?", "answer": "{n + n * 7 % 50}"}}\n'
        for n in range(first, first + count)
    )


def template(**more: str) -> str:
    """A template whose rows lie beside it."""
    keys = {"data": "rows.jsonl", "metric": "number", **more}
    head = "prompt: Add in style 0.\nrequirements: The right sum.\n"
    return head + "".join(f"{key}: {value}\n" for key, value in keys.items())


def racing(request: JsonObject) -> str | Scripted:
    """The same, and a part in SPO: its proposals go one style further, its judge flips a coin."""
    text = conversation(request)
    if "<best_prompt>" in text:
        return spo_model.propose(request)
    return choice(request) if "<answers_of_A>" in text else adding(request)


def unending(request: JsonObject) -> str | Scripted:
    """The same, but no prompt gets beyond style 4: there is always something left to learn."""
    return (
        re.sub(r"style \d+", "style 4", propose(request))
        if kind_of(request) == "propose"
        else adding(request)
    )
