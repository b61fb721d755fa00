"""spotui score TEMPLATE."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from spotui.cli import exit_codes, options
from spotui.cli.exit_codes import UsageError
from spotui.cli.terminal import paint
from spotui.cli.trusting import add_trust, settle_trust
from spotui.domain.figures import gained, points
from spotui.domain.text import short
from spotui.lang import _, as_english, ngettext
from spotui.settings.table import Group

if TYPE_CHECKING:
    from collections.abc import Callable

    from spotui.domain.events import Event
    from spotui.engine.task import RowOutcome, Scored
    from spotui.runs.score import Ruler
    from spotui.templates.model import Template


_SPLITS = ("train", "eval", "test")
_SHOWN = 60
_CODES = {"budget": exit_codes.BUDGET, "unmarked": exit_codes.UNMARKED}
"""What the exit code says of a measurement that ended early."""


def add_score_arguments(parser: argparse.ArgumentParser) -> None:
    """What `score` takes."""
    parser.add_argument("template", metavar="TEMPLATE", help=_("a YAML file with rows, or a bundled example"))
    parser.add_argument(
        "--prompt",
        metavar="PROMPT",
        default="seed",
        help=_("seed (the template's), best (of the project), or a text file (default: seed)"),
    )
    parser.add_argument(
        "--against", metavar="PROMPT", help=_("a second prompt; the first is compared with it")
    )
    parser.add_argument("--project", metavar="NAME", help=_("whose best (default: the template's name)"))
    parser.add_argument("--split", choices=_SPLITS, default="test", help=_("which rows (default: test)"))
    parser.add_argument(
        "--all-rows", action="store_true", help=_("show every row, not only those that differ")
    )
    parser.add_argument("--json", action="store_true", help=_("one JSON object with the marks of every row"))
    options.add_yes(parser)
    add_trust(parser)
    options.add_workspace(parser)
    options.add_method(parser)
    options.add_settings(
        parser,
        Group.PROMPT,
        Group.SEED,
        Group.BUDGET,
        Group.CALLS,
        Group.MODELS,
        Group.EVALUATOR,
        Group.EXECUTOR,
    )


def score_command(parsed: argparse.Namespace) -> int:
    """Measure one prompt on a split, or two of them row by row; what was asked before costs nothing."""
    from spotui.cli.conduct import quiet_limits
    from spotui.cli.fetching import fetch_missing_models
    from spotui.domain.rows import slot_fault, slot_names
    from spotui.llm.limits import Halted
    from spotui.runs.launch import Launcher
    from spotui.runs.prepare import kept_as
    from spotui.runs.score import open_ruler
    from spotui.settings.resources import find_template

    launcher, path = Launcher(), find_template(parsed.template)
    prepared = options.prepare(launcher, path, parsed, "score")
    template = prepared.template
    names = [one for one in (parsed.against, parsed.prompt) if one]
    prompts = {name: _prompt(name, parsed, template, path) for name in names}
    for name, prompt in prompts.items():
        if fault := slot_fault(template.prompt, slot_names(template.prompt), prompt):
            print(
                _("spotui: {name}: {fault} It is measured as it is.", name=name, fault=fault), file=sys.stderr
            )
    settle_trust(parsed, launcher, prepared)
    fetch_missing_models(prepared.settings, yes=parsed.yes)
    connections = launcher.connections(prepared.settings)
    folder = options.workspace(parsed).measured(kept_as(prepared))
    opened = open_ruler(prepared, folder, connections, _teller())

    async def work() -> int:
        async with opened as ruler:
            if not len(ruler.rows(parsed.split)):
                raise UsageError(
                    _("{path} has no {split} rows.", path=path.name, split=parsed.split),
                    _("Choose another --split."),
                )
            try:
                return await _measure(ruler, parsed, prompts)
            except Halted as halt:
                print(
                    _(
                        "spotui: {cause} The answers so far are kept; the same command resumes.",
                        cause=halt.cause,
                    ),
                    file=sys.stderr,
                )
                return _CODES.get(halt.reason, exit_codes.CALL_FAILED)

    quiet_limits()
    return asyncio.run(work())


async def _measure(ruler: "Ruler", parsed: argparse.Namespace, prompts: dict[str, str]) -> int:
    """Measure, and print what came out."""
    layout = ruler.layout
    found = await ruler.measure([(prompt, layout) for prompt in prompts.values()], parsed.split)
    if sys.stderr.isatty():
        paint("\r\x1b[K", sys.stderr)
    if parsed.json:
        _print_json(parsed.split, prompts, found)
        return _code(prompts, found)
    for name, scored in zip(prompts, found, strict=True):
        print(_line(name, scored, parsed.split))
    outcomes = [
        await ruler.outcomes(prompt, layout, parsed.split)
        for prompt in prompts.values()
        if len(found) == 2 or parsed.all_rows
    ]
    if len(found) == 2:
        _print_comparison(ruler, parsed, list(prompts), found, outcomes)
    elif parsed.all_rows:
        for one in outcomes[0]:
            row = ruler.rows(parsed.split).row(one.position)
            asked, answered = short(row.question, _SHOWN), short(one.answer, _SHOWN)
            print(f"  {_mark(one.mark)}  {row.place:24}  {asked}  ->  {answered}")
    bought = ruler.spending
    print(
        ngettext(
            "Bought: {n:,} call; what was known before cost nothing.",
            "Bought: {n:,} calls; what was known before cost nothing.",
            bought.calls,
        ),
        file=sys.stderr,
    )
    return _code(prompts, found)


def _code(prompts: dict[str, str], found: "list[Scored]") -> int:
    """The exit code; a prompt without a single mark has no score, and that is a failure."""
    unmarked = [name for name, scored in zip(prompts, found, strict=True) if not scored.score.rows]
    for name in unmarked:
        text = _("spotui: No row could be marked with the prompt {name}; the lines above say why.", name=name)
        print(text, file=sys.stderr)
    return exit_codes.UNMARKED if unmarked else exit_codes.OK


def _print_comparison(
    ruler: "Ruler",
    parsed: argparse.Namespace,
    names: list[str],
    found: "list[Scored]",
    outcomes: "list[list[RowOutcome]]",
) -> None:
    from spotui.domain.statistics import compare

    paired = compare(found[0].marks, found[1].marks)
    interval = (paired.interval.low, paired.interval.high)
    sure = "" if paired.is_settled else _("; that may be chance")
    gain = gained(paired.difference, interval, paired.floor)
    print(f"{names[1]} against {names[0]}: {gain}, p {paired.p:.3f}{sure}")
    print(
        ngettext(
            "{n:,} row won, {losses} lost, {ties} alike.",
            "{n:,} rows won, {losses} lost, {ties} alike.",
            paired.wins,
            losses=paired.losses,
            ties=paired.ties,
        )
    )
    for old, new in zip(*outcomes, strict=True):
        if old.mark == new.mark and not parsed.all_rows:
            continue
        row = ruler.rows(parsed.split).row(old.position)
        sign = (
            " "
            if old.mark is None or new.mark is None or old.mark == new.mark
            else "+"
            if new.mark > old.mark
            else "-"
        )
        print(f"{sign} {_mark(old.mark)} -> {_mark(new.mark)}  {row.place:24}  {short(row.question, _SHOWN)}")
        print(f"      {names[0]}: {short(old.answer, _SHOWN)}")
        print(f"      {names[1]}: {short(new.answer, _SHOWN)}")


def _print_json(split: str, prompts: dict[str, str], found: "list[Scored]") -> None:
    import msgspec

    from spotui.domain.statistics import compare

    data: dict[str, object] = {
        "split": split,
        "prompts": [
            {"name": name, "prompt": prompt, "score": _score(scored), "marks": scored.marks}
            for (name, prompt), scored in zip(prompts.items(), found, strict=True)
        ],
    }
    if len(found) == 2:
        data["comparison"] = compare(found[0].marks, found[1].marks)
    print(msgspec.json.encode(data, enc_hook=as_english).decode())


def _score(scored: "Scored") -> "dict[str, object]":
    """A score as JSON; without a single mark there is no mean, and no interval of it."""
    import msgspec

    score = scored.score
    none = {} if score.rows else {"mean": None, "interval": None}
    return {**msgspec.structs.asdict(score), **none}


def _line(name: str, scored: "Scored", split: str) -> str:
    score = scored.score
    if not score.rows:
        return ngettext(
            "{name}: no score; the one {split} row errored",
            "{name}: no score; all {n:,} {split} rows errored",
            score.left_out,
            name=name,
            split=split,
        )
    found = ngettext(
        "{name}: {score} ({low} to {high}) on {n:,} {split} row",
        "{name}: {score} ({low} to {high}) on {n:,} {split} rows",
        score.rows,
        name=name,
        score=points(score.mean),
        low=points(score.interval.low),
        high=points(score.interval.high),
        split=split,
    )
    if not score.left_out:
        return found
    return _("{found}, {left_out:,} errored", found=found, left_out=score.left_out)


def _mark(mark: float | None) -> str:
    return "  –  " if mark is None else f"{points(mark):>5}"


def _prompt(name: str, parsed: argparse.Namespace, template: "Template", path: Path) -> str:
    """The prompt that a name stands for.

    Raises:
        SpotuiError: There is no such project, or no such file.
    """
    if name == "seed":
        return template.prompt
    if name == "best":
        from spotui.cli.show import best_round

        return best_round(options.workspace(parsed).existing(parsed.project or path.stem)).prompt
    try:
        return Path(name).expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else _("it is no UTF-8 text")
        raise UsageError(
            _("The prompt {name} cannot be read: {why}.", name=name, why=why),
            _("Give seed, best, or the path of a text file."),
        ) from None


def _teller() -> "Callable[[Event], None]":
    """Prints every notice once, and on a terminal how far it is."""
    from spotui.domain.events import CallFinished, Noticed

    printed: set[str] = set()

    def tell(event: "Event") -> None:
        if isinstance(event, Noticed) and event.text not in printed:
            printed.add(event.text)
            print(f"spotui: {event.text}", file=sys.stderr)
        elif isinstance(event, CallFinished) and sys.stderr.isatty():
            paint(f"\r{event.key.purpose.replace('_', ' ')}: row {event.key.index + 1} ", sys.stderr)

    return tell
