"""Models that can play all three roles of SPO: what they say depends on the request alone."""

import re
from hashlib import sha256

from spotui.methods.spo import IDEAS
from tests.model_server import JsonObject, Persona, conversation

_STEP = re.compile(r"style (\d+)")


def role_of(request: JsonObject) -> str:
    """Which role a request is for, told by the frames of the meta-prompts."""
    text = conversation(request)
    if "<best_prompt>" in text:
        return "propose"
    return "judge" if "<answers_of_A>" in text else "execute"


def is_repair(request: JsonObject) -> bool:
    """Whether the model is asked again, and what was wrong with its reply is named."""
    return "An earlier " in str(request["messages"][-1]["content"])


def propose(request: JsonObject) -> str:
    """One style further than the best prompt."""
    text = conversation(request)
    best = text.split("<best_prompt>")[1].split("</best_prompt>")[0]
    number = 1 + max(map(int, _STEP.findall(best)), default=0)
    return (
        f"<analyse>\nStyle {number - 1} leaves room.\n</analyse>\n"
        f"<modification>\nAsk for style {number}.\n</modification>\n"
        f"<prompt>\nAnswer in style {number}, with reasons.\n</prompt>"
    )


def execute(request: JsonObject) -> str:
    """An answer that carries the prompt's style."""
    text = conversation(request)
    number = max(map(int, _STEP.findall(text)), default=0)
    return f"In style {number}: {sha256(text.encode()).hexdigest()} " + "and so on, " * 20


def prefer_higher_style(request: JsonObject) -> str:
    """The vote of a judge that always sees the better answers."""
    text = conversation(request)
    sides = {side: text.split(f"<answers_of_{side}>")[1].split(f"</answers_of_{side}>")[0] for side in "AB"}
    styles = {side: max(map(int, _STEP.findall(body)), default=0) for side, body in sides.items()}
    choice = "A" if styles["A"] > styles["B"] else "B"
    return f"<analyse>\nStyle {styles[choice]} is better.\n</analyse>\n<choose>{choice}</choose>"


def prefer_first(request: JsonObject) -> str:
    """The vote of a judge that only has a taste for a position."""
    return "<analyse>\nThe first one.\n</analyse>\n<choose>A</choose>"


def idea_of(request: JsonObject) -> int:
    """Which of SPO's ideas a proposal is to follow, from 0; the free one where it has none to follow."""
    found = re.search(r"Your idea: (.*?) The other ideas", conversation(request))
    return IDEAS.render().splitlines().index(found[1]) if found else 0


def by_idea(request: JsonObject) -> str:
    """One style further than the best prompt for the free idea; the others only word the best's anew."""
    idea, proposal = idea_of(request), propose(request)
    if idea:
        number = int(_STEP.findall(proposal.split("<prompt>")[1])[0])
        proposal = proposal.replace(f"style {number},", f"style {number - 1}, in wording {number}.{idea},")
    return proposal


climbing = Persona(role_of, propose=propose, execute=execute, judge=prefer_higher_style)
"""Every candidate is better than its parent: no two proposals are alike, and each takes one call."""

widening = Persona(role_of, propose=by_idea, execute=execute, judge=prefer_higher_style)
"""Of several candidates of a round one is better than the best, and the others are as good as it."""

positional = Persona(role_of, propose=propose, execute=execute, judge=prefer_first)
"""The judge prefers whatever is shown first."""

mixed = Persona(role_of)
"""Proposals and votes that look like chance, the same in every run."""


def long_winded(request: JsonObject) -> str:
    """An answer that takes eight thousand tokens to say nothing."""
    return "word after word " * 2700
