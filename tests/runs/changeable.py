"""A model with which a run meets wins, losses, repairs and refusals, the same in every run."""

import re

from tests.model_server import JsonObject, Persona, Scripted, conversation
from tests.spo_model import execute, is_repair, role_of

_STYLE = re.compile(r"style (\d+)")


def propose(request: JsonObject) -> str:
    """One style further than the best prompt, or two when that was refused."""
    best = request["messages"][0]["content"].split("<best_prompt>")[1].split("</best_prompt>")[0]
    number = max(map(int, _STYLE.findall(best)), default=0) + (2 if is_repair(request) else 1)
    return (
        f"<analyse>\nmore\n</analyse>\n<modification>\nStyle {number}.\n</modification>\n"
        f"<prompt>\nAnswer in style {number}.\n</prompt>"
    )


def answer(request: JsonObject) -> str | Scripted:
    """An answer of the prompt's style; in style 4 the first one is cut."""
    if "style 4" in conversation(request) and not is_repair(request):
        return Scripted(text="In style 4: it is", finish_reason="length")
    return execute(request)


def judge(request: JsonObject) -> str:
    """The higher style is better, except 2 and 5; about style 3 the first reply is muddled."""
    text = request["messages"][0]["content"]
    sides = {side: text.split(f"<answers_of_{side}>")[1].split(f"</answers_of_{side}>")[0] for side in "AB"}
    styles = {side: max(map(int, _STYLE.findall(body)), default=0) for side, body in sides.items()}
    higher = max(styles, key=lambda side: styles[side])
    if styles[higher] == 3 and not is_repair(request):
        return "<choose>A or B</choose>"
    best = min(styles, key=lambda side: styles[side]) if styles[higher] % 3 == 2 else higher
    return f"<analyse>\nIt is.\n</analyse>\n<choose>{best}</choose>"


changeable = Persona(role_of, propose=propose, execute=answer, judge=judge)
"""Of the rounds after the seed: win, loss, win after a refusal, win after cut answers, loss, …"""
