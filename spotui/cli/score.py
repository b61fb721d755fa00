"""spotui score TEMPLATE."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING, TextIO

from spotui.cli import exit_codes, options
from spotui.cli.annotations import add_annotate, as_plain_text, wants_annotations
from spotui.cli.exit_codes import UsageError
from spotui.cli.measured import (
    Measured,
    annotations_of,
    code_of,
    gates_of,
    junit_of,
    mark_text,
    score_line,
    unmarked,
)
from spotui.cli.measuring import share_of
from spotui.cli.prompt_names import label_of, named_prompt
from spotui.cli.terminal import paint
from spotui.cli.trusting import add_trust, settle_trust
from spotui.domain.answer_cost import in_words as cost_in_words
from spotui.domain.answer_cost import pareto_front
from spotui.domain.figures import gained
from spotui.domain.text import short
from spotui.lang import _, as_english, ngettext
from spotui.settings.table import Group

if TYPE_CHECKING:
    from collections.abc import Callable

    from spotui.domain.events import Event
    from spotui.engine.task import Scored
    from spotui.runs.gates import GateResult
    from spotui.runs.prepare import Prepared
    from spotui.runs.score import Ruler


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
        help=_(
            "seed (the template's), best (the project's), a text file, another template, a project, or "
            "'text:' and the prompt itself (default: seed)"
        ),
    )
    second = parser.add_mutually_exclusive_group()
    second.add_argument(
        "--against", metavar="PROMPT", help=_("a second prompt; the first is compared with it")
    )
    second.add_argument(
        "--fail-if-worse-than",
        metavar="PROMPT",
        help=_("the same, and exit code 9 if the first is worse beyond chance, row by row"),
    )
    parser.add_argument(
        "--fail-below", metavar="POINTS", help=_("exit code 9 if the score is below POINTS, 0 to 100")
    )
    parser.add_argument("--project", metavar="NAME", help=_("whose best (default: the template's name)"))
    parser.add_argument("--split", choices=_SPLITS, default="test", help=_("which rows (default: test)"))
    parser.add_argument(
        "--all-rows", action="store_true", help=_("show every row, not only those that differ")
    )
    parser.add_argument("--json", action="store_true", help=_("one JSON object with the marks of every row"))
    parser.add_argument("--junit", metavar="FILE", help=_("write gates and rows as JUnit XML, for a CI"))
    add_annotate(parser)
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
        Group.BATCHES,
        Group.MODELS,
        Group.EVALUATOR,
        Group.EXECUTOR,
        Group.TRACKING,
    )


def score_command(parsed: argparse.Namespace) -> int:
    """Measure one prompt on a split, or two of them row by row; what was asked before costs nothing."""
    from spotui.cli.conduct import quiet_limits
    from spotui.cli.fetching import fetch_missing_models
    from spotui.cli.tracking import chosen_trackers
    from spotui.domain.rows import slot_fault, slot_names
    from spotui.llm.limits import Halted
    from spotui.runs.launch import Launcher
    from spotui.runs.score import open_ruler
    from spotui.runs.snapshots import kept_as
    from spotui.settings.resources import find_template

    least = None if parsed.fail_below is None else _least(parsed.fail_below)
    launcher, path = Launcher(), find_template(parsed.template)
    trackers = chosen_trackers(parsed, launcher)
    prepared = options.prepare(launcher, path, parsed, "score")
    template, workspace = prepared.template, options.workspace(parsed)
    names = [one for one in (parsed.against or parsed.fail_if_worse_than, parsed.prompt) if one]
    own = parsed.project or path.stem
    prompts: dict[str, str] = {}
    for name in names:
        prompt, label = named_prompt(name, template, workspace, own), label_of(name)
        if prompts.get(label, prompt) != prompt:  # two texts that begin alike
            label = f"{label} (2)"
        prompts[label] = prompt
    for name, prompt in prompts.items():
        if fault := slot_fault(template.prompt, slot_names(template.prompt), prompt):
            print(
                _("spotui: {name}: {fault} It is measured as it is.", name=name, fault=fault), file=sys.stderr
            )
    settle_trust(parsed, launcher, prepared)
    fetch_missing_models(prepared.settings, yes=parsed.yes)
    connections = launcher.connections(prepared.settings)
    opened = open_ruler(prepared, workspace.measured(kept_as(prepared)), connections, _teller())

    async def work() -> "Measured | int":
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
    # Answers, and what an endpoint says of an error, are text to GitHub from here on.
    stream = sys.stderr if parsed.json else sys.stdout
    with as_plain_text(stream, annotates=wants_annotations(parsed)):
        measured = asyncio.run(work())
        if isinstance(measured, int):
            return measured
        gates = gates_of(parsed, measured, least)
        if sys.stderr.isatty():
            paint("\r\x1b[K", sys.stderr)
        if parsed.json:
            _print_json(parsed.split, measured, gates)
        else:
            _print(parsed, measured)
    code = _conclude(parsed, prepared, measured, gates, stream)
    if trackers:
        from spotui.cli.score_tracking import report_score

        report_score(trackers, prepared, parsed.split, measured, gates)
    return code


def _least(text: str) -> float:
    """The score that is required, 0..1.

    Raises:
        UsageError: It is not a number of points.
    """
    fault = UsageError(
        _("--fail-below takes points from 0 to 100, not {text}.", text=text),
        _("Write, for example, --fail-below 80 for a score of 80.0."),
    )
    return share_of(text, lambda points: points == 0 or 1 <= points <= 100, fault)


async def _measure(ruler: "Ruler", parsed: argparse.Namespace, prompts: dict[str, str]) -> Measured:
    layout = ruler.layout
    texts = list(dict.fromkeys(prompts.values()))
    found = dict(
        zip(texts, await ruler.measure([(text, layout) for text in texts], parsed.split), strict=True)
    )
    calls = ruler.spending.calls
    wants_rows = len(prompts) == 2 or parsed.all_rows or parsed.junit
    outcomes = {text: await ruler.outcomes(text, layout, parsed.split) for text in texts if wants_rows}
    return Measured(
        prompts,
        [found[text] for text in prompts.values()],
        [outcomes[text] for text in prompts.values()] if wants_rows else [],
        ruler.rows(parsed.split),
        calls,
    )


def _conclude(
    parsed: argparse.Namespace,
    prepared: "Prepared",
    measured: Measured,
    gates: "list[GateResult]",
    stream: TextIO,
) -> int:
    """Tell a CI what came out, and say by the exit code whether the prompt passes."""
    from spotui.runs.gates import have_passed

    for one in gates if not parsed.json else ():
        print(_("Passed: {text}", text=one.text) if one.passed else _("Failed: {text}", text=one.text))
    if parsed.junit:
        from spotui.cli.export import write_text

        write_text(junit_of(parsed, prepared, measured, gates), parsed.junit, to=sys.stderr)
    if wants_annotations(parsed):
        for line in annotations_of(parsed, prepared, measured, gates):
            print(line, file=stream, flush=True)
    for name in unmarked(measured):
        text = _("spotui: No row could be marked with the prompt {name}; the lines above say why.", name=name)
        print(text, file=sys.stderr)
    code = code_of(measured)
    return exit_codes.GATE if code == exit_codes.OK and not have_passed(gates) else code


def _print(parsed: argparse.Namespace, measured: Measured) -> None:
    """Print scores, the comparison, and the rows that were asked for."""
    for name, scored in zip(measured.prompts, measured.scores, strict=True):
        print(score_line(name, scored, parsed.split))
    if len(measured.scores) == 2:
        _print_comparison(measured, show_all=parsed.all_rows)
    elif parsed.all_rows:
        for one in measured.outcomes[0]:
            row = measured.rows.row(one.position)
            asked, answered = short(row.question, _SHOWN), short(one.answer, _SHOWN)
            print(f"  {mark_text(one.mark)}  {row.where:24}  {asked}  ->  {answered}")
    for name, scored in zip(measured.prompts, measured.scores, strict=True):
        if scored.cost is not None:
            print(_("An answer with {name}: {facts}.", name=name, facts=cost_in_words(scored.cost)))
    if dominating := _dominating(measured):
        print(_("{name} scores as high or higher for as much or less an answer.", name=dominating))
    print(
        ngettext(
            "Bought: {n:,} call; what was known before cost nothing.",
            "Bought: {n:,} calls; what was known before cost nothing.",
            measured.calls,
        ),
        file=sys.stderr,
    )


def _print_comparison(measured: Measured, *, show_all: bool) -> None:
    names, paired = list(measured.prompts), measured.compared
    assert paired is not None  # noqa: S101 - there are two
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
    for old, new in zip(*measured.outcomes, strict=True):
        if old.mark == new.mark and not show_all:
            continue
        row = measured.rows.row(old.position)
        sign = (
            " "
            if old.mark is None or new.mark is None or old.mark == new.mark
            else "+"
            if new.mark > old.mark
            else "-"
        )
        asked = short(row.question, _SHOWN)
        print(f"{sign} {mark_text(old.mark)} -> {mark_text(new.mark)}  {row.where:24}  {asked}")
        print(f"      {names[0]}: {short(old.answer, _SHOWN)}")
        print(f"      {names[1]}: {short(new.answer, _SHOWN)}")


def _dominating(measured: Measured) -> str:
    """The prompt that the other beats neither in score nor in price; empty where both have a point."""
    priced = {
        name: (scored.score.mean, scored.cost.usd)
        for name, scored in zip(measured.prompts, measured.scores, strict=True)
        if scored.cost is not None and scored.cost.usd is not None
    }
    front = pareto_front(priced) if len(priced) == 2 and any(cost for _s, cost in priced.values()) else ()
    return next(iter(front)) if len(front) == 1 else ""


def _print_json(split: str, measured: Measured, gates: "list[GateResult]") -> None:
    import msgspec

    data: dict[str, object] = {
        "split": split,
        "prompts": [
            {
                "name": name,
                "prompt": prompt,
                "score": _score(scored),
                "marks": scored.marks,
                "per_answer": scored.cost,
            }
            for (name, prompt), scored in zip(measured.prompts.items(), measured.scores, strict=True)
        ],
    }
    if (compared := measured.compared) is not None:
        data["comparison"] = compared
    if gates:
        data["gates"] = gates
    print(msgspec.json.encode(data, enc_hook=as_english).decode())


def _score(scored: "Scored") -> "dict[str, object]":
    """A score as JSON; without a single mark there is no mean, and no interval of it."""
    import msgspec

    score = scored.score
    none = {} if score.rows else {"mean": None, "interval": None}
    return {**msgspec.structs.asdict(score), **none}


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
