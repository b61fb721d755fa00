"""spotui show NAME [ROUND], spotui best NAME, spotui diff NAME [A] [B]."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from spotui.cli import exit_codes, options
from spotui.cli.summary import GAP, TEXTS, answer_columns, fit, head, round_cells, widest
from spotui.cli.terminal import paint
from spotui.domain.answer_cost import in_words as cost_in_words
from spotui.domain.errors import SpotuiError
from spotui.domain.event_lines import decode_event
from spotui.domain.events import CandidateScored
from spotui.domain.figures import cell, floor_points, points, rounds_named, state_in_words, usd, verdict
from spotui.domain.records import CheckLine, HintLine, RoundLine, VoteRecord
from spotui.domain.text import visible, width
from spotui.judging.reliability import panel_of
from spotui.lang import _, as_english, ngettext
from spotui.lang.recognition import recognized
from spotui.view.picture import Picture
from spotui.view.word_diff import Piece, word_diff, words_changed
from spotui.workspace.history import History, read_history
from spotui.workspace.projects import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spotui.domain.records import CallKey


def best_round(project: Project) -> RoundLine:
    """The round with the best prompt.

    Raises:
        SpotuiError: No round has ended yet.
    """
    return pick_round(project, read_history(project), "best")


def pick_round(project: Project, history: History, wanted: str) -> RoundLine:
    """The round that `seed`, `best`, `last` or a number names.

    Raises:
        SpotuiError: There is none.
    """
    if not history.rounds:
        raise SpotuiError(
            _("No round of {name} has ended yet.", name=project.name),
            _("Continue with: spotui resume {name}", name=project.name),
        )
    with_prompt = [line for line in history.rounds if line.prompt]
    found: RoundLine | None
    match wanted:
        case "seed":
            found = with_prompt[0]
        case "best":
            found = history.best
        case "last":
            found = with_prompt[-1]
        case _:
            found = history.round(int(wanted)) if wanted.isdecimal() else None
    if found is None or not found.prompt:
        numbers = ", ".join(str(line.round) for line in with_prompt)
        raise SpotuiError(
            _("{name} has no prompt of round {wanted}.", name=project.name, wanted=wanted),
            _("Choose seed, best, last or one of {numbers}.", numbers=numbers),
        )
    return found


_WIDTH_OF_A_PIPE = 150
_WIDE = 110
"""Columns of a terminal in which the cost of an answer leaves room for what was changed."""

_TRACE_LINES = 40
"""Lines of a trace that are printed; --json has all that the journal has."""


def add_show_arguments(parser: argparse.ArgumentParser) -> None:
    """What `show` takes."""
    options.add_project(parser)
    parser.add_argument(
        "round", nargs="?", metavar="ROUND", help=_("seed, best, last or a number: that round in full")
    )
    parser.add_argument("--json", action="store_true", help=_("everything as one JSON object"))


def show_command(parsed: argparse.Namespace) -> int:
    """Print the rounds of a project, or one round in full."""
    project = options.workspace(parsed).existing(parsed.name)
    history = read_history(project)
    if parsed.json:
        import msgspec

        shown = pick_round(project, history, parsed.round) if parsed.round else history
        data = msgspec.json.decode(msgspec.json.encode(shown, enc_hook=as_english))
        _add_traces(data.get("rounds", [data]), _traces_of(project))
        print(msgspec.json.format(msgspec.json.encode(data), indent=2).decode())
    elif parsed.round:
        _print_round(pick_round(project, history, parsed.round), _traces_of(project))
    else:
        _print_history(project, history)
    return exit_codes.OK


def _traces_of(project: Project) -> "Mapping[CallKey, list[str]]":
    """What a program reported of the answers of all rounds."""
    from spotui.workspace.journal_reader import read_traces

    return read_traces(project.journal, "execute")


def _add_traces(rounds: list[dict[str, Any]], traces: "Mapping[CallKey, list[str]]") -> None:
    """Put the trace of each answer beside it, in a conversation one a turn."""
    from spotui.view.traces import answer_key, trace_values

    for one in rounds:
        for index, answer in enumerate(one.get("answers", ())):
            if found := traces.get(answer_key(one["round"], index, one.get("candidate", 0))):
                first, *others = values = trace_values(found)
                answer["trace"] = values if others else first


def _print_history(project: Project, history: History) -> None:
    print(f"{project.name}: {state_in_words(history.standing)}")
    if not history.rounds:
        print(_("No round has ended yet."))
    if history.rounds:
        _print_rounds(project, history)
    _print_hints(history.hints)
    if history.judge and history.rounds and all(line.score is None for line in history.rounds):
        print(_("Judge: {judge}.", judge=recognized(history.judge)))
    _print_reliability(history)
    if history.held_out is not None:
        held_out = history.held_out
        print(
            ngettext(
                "On {n:,} held-out question: {outcome} against the seed.",
                "On {n:,} held-out questions: {outcome} against the seed.",
                held_out.questions,
                outcome=verdict(held_out.outcome, None),
            )
        )
    if history.test is not None:
        from spotui.domain.outcomes import test_finished
        from spotui.view.telling import test_result

        print(test_result(test_finished(history.test, seed=0)))
    if history.check is not None:
        _print_check(history.check)
    if history.stop is not None:
        print(
            _(
                "Stopped: {reason}. {cause}",
                reason=state_in_words(history.stop.reason),
                cause=recognized(history.stop.cause),
            )
        )
    if history.rounds:
        cost, is_estimated = history.spent
        spent = usd(cost, estimated=is_estimated)
        print(
            _("Spent: {spent}.", spent=spent) if history.stop else _("Spent in rounds: {spent}.", spent=spent)
        )


def _print_hints(hints: Sequence[HintLine]) -> None:
    """Print what people told the optimizer, and from which round on."""
    for hint in hints:
        if hint.text:
            print(_("Hint from round {round} on: {text}", round=hint.before_round, text=visible(hint.text)))
        else:
            print(_("No hint from round {round} on.", round=hint.before_round))


def _print_reliability(history: History) -> None:
    panel = panel_of(history.rounds)
    record = panel.together
    if record.flip_rate is not None and record.flip_interval is not None:
        low, high = record.flip_interval
        print(
            ngettext(
                "The order changed {flips:,} of {n:,} pair of votes: {rate:.0%} (95% CI {low:.0%} to "
                "{high:.0%}).",
                "The order changed {flips:,} of {n:,} pairs of votes: {rate:.0%} (95% CI {low:.0%} to "
                "{high:.0%}).",
                record.pairs,
                flips=record.flips,
                rate=record.flip_rate,
                low=low,
                high=high,
            )
        )
    if record.voids:
        print(ngettext("{n:,} vote is void.", "{n:,} votes are void.", record.voids))
    if panel.agreement is not None:
        print(
            ngettext(
                "The judges agreed in {agreed:,} of {n:,} comparison.",
                "The judges agreed in {agreed:,} of {n:,} comparisons.",
                panel.compared,
                agreed=panel.agreed,
            )
        )
    if panel.warning:
        print(panel.warning)


def _print_check(check: CheckLine) -> None:
    if check.skipped:
        print(
            _(
                "Final check of round {best}: skipped. {skipped}",
                best=check.best,
                skipped=recognized(check.skipped),
            )
        )
        return
    print(_("Final check of round {best}: {headline}", best=check.best, headline=recognized(check.headline)))
    if len(check.ranking) > 2:
        ranked = (f"{_named(one.round)} {one.strength:+.2f}" for one in check.ranking)
        print(_("Ranking by all votes (1 more wins 73% of them): {ranked}.", ranked=", ".join(ranked)))


def _named(number: int) -> str:
    return _("seed") if number == 1 else _("round {number}", number=number)


def _print_rounds(project: Project, history: History) -> None:
    from spotui.view.retell import retell

    picture = Picture()
    for event in retell(project, history):
        picture.apply(event)
    cells_across = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH_OF_A_PIPE
    columns = picture.opened.columns if picture.opened is not None else ()
    columns += answer_columns(picture) if cells_across >= _WIDE else ()
    rows = [head(columns, is_scored=picture.is_scored)]
    for line in history.rounds:
        mark = "*" if history.best is not None and line.round == history.best.round else " "
        row = round_cells(picture.rounds[line.round], columns)._replace(round=f"{line.round:>4}{mark}")
        rows.append(row._replace(time=f"{line.at:%Y-%m-%d %H:%M}") if line.added else row)
    fitted = fit(rows, cells_across)
    widths = widest(fitted)
    for texts in fitted:
        cells = [_padded(text, widths[name], right=name not in TEXTS) for name, text in texts.items()]
        print((" " * GAP).join(cells).rstrip())
    _print_pareto(picture)


def _print_pareto(picture: Picture) -> None:
    """Print which prompts no other beats at their price; nothing where no prompt has both figures."""
    from spotui.view.pareto import pareto_of, table, title, without_empty_columns

    pareto = pareto_of(picture)
    rows = without_empty_columns(table(pareto))
    if not rows:
        return
    print(f"\n{title(pareto)}")
    widths = [max(width(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        cells = [_padded(text, widths[place], right=place > 0) for place, text in enumerate(row)]
        print((" " * GAP).join(cells).rstrip())
    print()


def _padded(text: str, cells: int, *, right: bool) -> str:
    blanks = " " * (cells - width(text))
    return blanks + text if right else text + blanks


def _print_round(line: RoundLine, traces: "Mapping[CallKey, list[str]]") -> None:
    from spotui.view.traces import answer_key, brief_trace

    shown = verdict(line.outcome, line.judged, line.preferred)
    if line.parent:
        origin = rounds_named((line.parent, *line.other_parents))
        print(_("Round {number}: {verdict}, from {origin}", number=line.round, verdict=shown, origin=origin))
    else:
        print(_("Round {number}: {verdict}", number=line.round, verdict=shown))
    if line.judged is not None:
        print(_("The verdict is yours; the judge's was {judged}.", judged=verdict(line.judged, None)))
    if line.added:
        note = line.note[:1].upper() + line.note[1:]
        print(f"{note}, {line.at:%Y-%m-%d %H:%M:%S}.")
        print(ngettext("Its answers have {n:,} token.", "Its answers have {n:,} tokens.", line.tokens))
    if line.win_rate is not None and line.win_interval is not None:
        low, high = line.win_interval
        print(
            _(
                "It wins {win_rate:.0%} of the votes that chose a side ({low:.0%} to {high:.0%}).",
                win_rate=line.win_rate,
                low=low,
                high=high,
            )
        )
    if line.gain is not None and line.floor is not None:
        print(
            _(
                "Against the last prompt that won: {gain:+.1f}, A/A floor {floor}.",
                gain=100 * line.gain,
                floor=floor_points(line.floor),
            )
        )
    if line.length_ratio is not None:
        print(
            _(
                "Its answers are {length_ratio:.2f} times as long as the best's.",
                length_ratio=line.length_ratio,
            )
        )
    if line.per_answer is not None:
        print(_("An answer: {facts}.", facts=cost_in_words(line.per_answer)))
    for name, value in line.columns.items():
        print(f"{name}: {cell(value)}")
    for title, text in (
        (_("Note"), line.note if line.outcome == "refused" or line.others or line.preferred else ""),
        (_("Modification"), line.modification),
        (_("Reasoning"), line.reasoning),
        (_("Prompt"), line.prompt),
    ):
        if text:
            print(f"\n{title}:\n{text}")
    for each in filter(None, map(decode_event, line.told)):
        if isinstance(each, CandidateScored):
            _print_scored(each, line.prompt)
    for number, one in enumerate(line.answers, 1):
        print(f"\n{_('Question {number}:', number=number)}\n{one.question}")
        if one.error:
            print(f"{_('No answer {number}:', number=number)}\n{one.error}")
        else:
            print(f"{_('Answer {number}:', number=number)}\n{one.answer}")
        if trace := brief_trace(traces, answer_key(line.round, number - 1, line.candidate), _TRACE_LINES):
            print(f"{_('Trace {number}:', number=number)}\n{visible(trace)}")
    _print_votes(line.votes)
    for other in line.others:
        shown = verdict(other.outcome, None)
        print(f"\n{_('Candidate {number}: {verdict}', number=other.number, verdict=shown)}\n{other.prompt}")
        _print_votes(other.votes)


def _print_votes(votes: Sequence[VoteRecord]) -> None:
    for vote in votes:
        voter = " ".join(filter(None, (vote.voter, vote.model, vote.order)))
        choice = verdict(vote.choice, None)
        print(f"\n{_('Vote ({voter}): {choice}', voter=voter, choice=choice)}\n{vote.reason}")


def _print_scored(scored: CandidateScored, chosen: str) -> None:
    mark = "*" if scored.prompt == chosen else " "
    low, high, score = points(scored.low), points(scored.high), points(scored.score)
    found = _("Score {score} ({low} to {high})", score=score, low=low, high=high)
    if scored.unasked:
        asked, every = len(scored.marks), len(scored.marks) + scored.unasked
        found = _("{score} on {asked:,} of {all:,} rows, dropped", score=found, asked=asked, all=every)
    else:
        found = ngettext("{score} on {n:,} row", "{score} on {n:,} rows", scored.rows, score=found)
    if scored.words_changed is not None:
        changed = ngettext("{n:,} word changed", "{n:,} words changed", scored.words_changed)
        found = f"{found}, {changed}"
    print(f"\n{mark} {found}:\n{scored.prompt}")


def add_best_arguments(parser: argparse.ArgumentParser) -> None:
    """What `best` takes."""
    options.add_project(parser)


def best_command(parsed: argparse.Namespace) -> int:
    """Print the best prompt alone, so that it can be piped."""
    best = best_round(options.workspace(parsed).existing(parsed.name))
    sys.stdout.write(best.prompt if best.prompt.endswith("\n") else best.prompt + "\n")
    return exit_codes.OK


_COLOURS = {"added": "\x1b[32m", "removed": "\x1b[31m"}
_MARKS = {"added": ("{+", "+}"), "removed": ("[-", "-]")}


def add_diff_arguments(parser: argparse.ArgumentParser) -> None:
    """What `diff` takes."""
    parser.add_argument("name", metavar="NAME", help=_("the project ('spotui list' shows them)"))
    parser.add_argument("a", nargs="?", default="seed", help=_("seed, best, last or a round (default: seed)"))
    parser.add_argument("b", nargs="?", default="best", help=_("the same (default: best)"))
    options.add_workspace(parser)


def diff_command(parsed: argparse.Namespace) -> int:
    """Print one prompt with the words marked that another one adds and removes."""
    project = options.workspace(parsed).existing(parsed.name)
    history = read_history(project)
    old, new = (pick_round(project, history, wanted) for wanted in (parsed.a, parsed.b))
    pieces = word_diff(old.prompt, new.prompt)
    added, removed = words_changed(pieces)
    print(
        _(
            "{old} to {new}: {words} added, {removed} removed",
            old=_prompt_name(old),
            new=_prompt_name(new),
            words=ngettext("{n:,} word", "{n:,} words", added),
            removed=removed,
        )
    )
    if _wants_colour():
        paint("".join(map(_coloured, pieces)) + "\n", sys.stdout)
    else:
        print("".join(map(_marked, pieces)))
    return exit_codes.OK


def _prompt_name(line: RoundLine) -> str:
    if line.judged is None:
        return _("round {number}", number=line.round)
    return _(
        "round {number} ({outcome} by your verdict)", number=line.round, outcome=verdict(line.outcome, None)
    )


def _wants_colour() -> bool:
    import os

    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _marked(piece: Piece) -> str:
    if piece.change == "same" or not piece.text.strip():
        return piece.text
    begin, end = _MARKS[piece.change]
    return f"{begin}{piece.text}{end}"


def _coloured(piece: Piece) -> str:
    text = visible(_marked(piece))
    colour = _COLOURS.get(piece.change, "")
    return f"{colour}{text}\x1b[0m" if colour and piece.text.strip() else text
