"""What a run that is planned uses, and what it would take: asked of the command line, which asks no model."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import count, duration, limit, usd
from spotui.lang import _, ngettext
from spotui.settings.table import ROLES, Role
from spotui.tui.child import ask
from spotui.tui.judge_line import Offer
from spotui.tui.method_screen import MethodChoice
from spotui.workspace.projects import Workspace

FLAGS: Final = {
    "model": "--model",
    "optimizer": "--opt-model",
    "evaluator": "--eval-model",
    "executor": "--exec-model",
    "base_url": "--base-url",
    "rounds": "--max-rounds",
    "usd": "--budget-usd",
    "tokens": "--budget-tokens",
    "calls": "--budget-calls",
    "minutes": "--budget-minutes",
}
"""The flags of the choices that are typed."""


class Choices(NamedTuple):
    """What was typed; an empty text leaves it to the template and the settings.

    Attributes:
        model: One model for all three roles.
        base_url: Its endpoint.
        rounds: Rounds in all.
        usd: The budget in USD; the others alike.
        tokens: See `usd`.
        calls: See `usd`.
        minutes: See `usd`.
        method: The method and its parameters; nothing leaves it to the template.
        probes: Whether the run starts from the probes that beat the seed.
        optimizer: The model of this role, in place of `model`; the others alike.
        evaluator: See `optimizer`.
        executor: See `optimizer`.
    """

    model: str = ""
    base_url: str = ""
    rounds: str = ""
    usd: str = ""
    tokens: str = ""
    calls: str = ""
    minutes: str = ""
    method: MethodChoice = MethodChoice()
    probes: bool = False
    optimizer: str = ""
    evaluator: str = ""
    executor: str = ""

    @property
    def words(self) -> list[str]:
        """As options of the command line."""
        flags = ((flag, getattr(self, field)) for field, flag in FLAGS.items())
        # One word each, so that a value that begins with a dash is no option.
        words = [*(f"{flag}={value}" for flag, value in flags if value), *self.method.words]
        return [*words, "--start-from-probes"] if self.probes else words

    @property
    def judge_words(self) -> list[str]:
        """Those of them that a check of the run's judge takes."""
        method = MethodChoice(self.method.method)
        return self._replace(rounds="", probes=False, method=method, optimizer="").words

    @property
    def headroom_words(self) -> list[str]:
        """Those of them that a measurement of the headroom takes, which has another budget."""
        return self._replace(rounds="", usd="", tokens="", calls="", minutes="", probes=False).words


class Share(NamedTuple):
    """What a role, or all of them, would take.

    Attributes:
        calls: How many.
        tokens: Both ways.
        usd: USD, or None when a price is unknown.
    """

    calls: int = 0
    tokens: int = 0
    usd: float | None = 0.0

    @property
    def line(self) -> str:
        """On one line."""
        return ngettext(
            "{n:,} call, {tokens} tokens, {cost}",
            "{n:,} calls, {tokens} tokens, {cost}",
            self.calls,
            tokens=count(self.tokens),
            cost=usd(self.usd),
        )


def together(shares: Iterable[Share]) -> Share:
    """What several take together; a price that is unknown makes their sum unknown."""
    found = list(shares)
    costs = [one.usd for one in found]
    return Share(
        sum(one.calls for one in found),
        sum(one.tokens for one in found),
        None if None in costs else sum(filter(None, costs)),
    )


class Expected(NamedTuple):
    """What a run would take.

    Attributes:
        line: On one line.
        shares: What each role would take; nothing where there is no estimate.
        used: What the run would use, by the names of the choices, as text.
        warnings: What stands against it.
        judge: What is known of its judge; None when that cannot be checked.
        seconds: How long it would take.
    """

    line: str
    shares: Mapping[Role, Share]
    warnings: list[str]
    judge: Offer | None
    used: Mapping[str, str] = {}
    seconds: float = 0.0


async def expect(workspace: Workspace, template: Path, choices: Choices) -> Expected:
    """Estimate a run; asks no model.

    Args:
        workspace: Whose earlier runs have measured the speed of models.
        template: What the run works on.
        choices: What it uses.

    Raises:
        SpotuiError: The template or a choice is wrong.
    """
    told = await ask(["estimate", str(template), "--json", f"--workspace={workspace.root}", *choices.words])
    if told.fault:
        raise SpotuiError(told.fault)
    found = json.loads(told.out)
    if found is None:
        return Expected(_("unknown, because the method gives no estimate"), {}, [], None)
    shares = {role: together(_shares_of(found["shares"], role)) for role in ROLES}
    whole = together(shares.values())
    line = ngettext(
        "about {n:,} call, {tokens} tokens, {cost}, {time}",
        "about {n:,} calls, {tokens} tokens, {cost}, {time}",
        whole.calls,
        tokens=count(whole.tokens),
        cost=usd(whole.usd),
        time=duration(found["seconds"]),
    )
    if found["measured"]:
        line = _("{line} (speed measured in earlier runs)", line=line)
    return Expected(
        line=line,
        shares=shares,
        warnings=found["warnings"],
        judge=msgspec.convert(found["judge"], Offer | None),
        used=_in_words(found["uses"]),
        seconds=found["seconds"],
    )


def _shares_of(shares: Sequence[Mapping[str, Any]], role: str) -> Iterator[Share]:
    """What each model of a role takes: several can share it."""
    for one in shares:
        if one["role"] == role:
            yield Share(one["calls"], one["prompt_tokens"] + one["completion_tokens"], one["usd"])


def _in_words(uses: Mapping[str, Any]) -> dict[str, str]:
    """What a run would use, as the fields show it where nothing is typed."""
    models: Mapping[str, str] = uses["models"]
    each = set(models.values())
    addresses = {
        address or _("{partition}, its usual address", partition=model.partition("/")[0]): None
        for model, address in uses["endpoints"].items()
    }
    return {
        "model": each.pop() if len(each) == 1 else ", ".join(f"{role} {of}" for role, of in models.items()),
        **models,
        "base_url": ", ".join(addresses),
        "rounds": str(uses["rounds"]),
        **{
            name: _("empty = no limit")
            if uses[name] is None
            else _("{use}, as in your settings", use=limit(uses[name]))
            for name in ("usd", "tokens", "calls", "minutes")
        },
    }
