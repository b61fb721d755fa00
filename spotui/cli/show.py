"""spotui show NAME [ROUND]."""

import argparse
import shutil
import sys

from spotui.cli import exit_codes, options
from spotui.cli.reading import pick_round
from spotui.cli.rounds_table import FIGURES, GAP, RoundCells, fit, head, widest
from spotui.events import CandidateScored, decode_event
from spotui.judge_record import panel_of
from spotui.view.figures import count, duration, plural, points, usd, verdict
from spotui.view.short import width
from spotui.workspace.history import History, is_estimated, read_history, total_cost
from spotui.workspace.lines import CheckLine, RoundLine
from spotui.workspace.projects import Project

_WIDTH_OF_A_PIPE = 150


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `show` takes."""
    options.add_project(parser)
    parser.add_argument(
        "round", nargs="?", metavar="ROUND", help="seed, best, last or a number: that round in full"
    )
    parser.add_argument("--json", action="store_true", help="everything as one JSON object")


def main(parsed: argparse.Namespace) -> int:
    """Print the rounds of a project, or one round in full."""
    project = options.workspace(parsed).existing(parsed.name)
    history = read_history(project)
    if parsed.json:
        import msgspec

        shown = pick_round(project, history, parsed.round) if parsed.round else history
        print(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
    elif parsed.round:
        _print_round(pick_round(project, history, parsed.round))
    else:
        _print_history(project, history)
    return exit_codes.OK


def _print_history(project: Project, history: History) -> None:
    began = "" if history.rounds else "; no round has ended yet"
    print(f"{project.name}: {history.state}{began}")
    if history.rounds:
        _print_rounds(history)
    if history.judge and any(line.score is None for line in history.rounds):
        print(f"Judge: {history.judge}.")
    _print_reliability(history)
    if history.held_out is not None:
        held_out = history.held_out
        print(f"On {plural(held_out.questions, 'held-out question')}: {held_out.outcome} against the seed.")
    if history.test is not None:
        from spotui.events.telling import told_test
        from spotui.view.worth import test_result

        print(test_result(told_test(history.test, seed=0)))
    if history.check is not None:
        _print_check(history.check)
    if history.stop is not None:
        print(f"Stopped: {history.stop.reason}. {history.stop.cause}")
    if history.rounds:
        spent = usd(total_cost(history.rounds), estimated=is_estimated(history.rounds))
        print(f"Spent in rounds: {spent}.")


def _print_reliability(history: History) -> None:
    panel = panel_of(history.rounds)
    record = panel.together
    if record.flip_rate is not None and record.flip_interval is not None:
        low, high = record.flip_interval
        void = f"; {plural(record.voids, 'vote')} void" if record.voids else ""
        print(
            f"The order changed {record.flips} of {plural(record.pairs, 'pair')} of votes, "
            f"{record.flip_rate:.0%} ({low:.0%} to {high:.0%}){void}."
        )
    if panel.agreement is not None:
        print(f"The judges agreed in {panel.agreed} of {plural(panel.compared, 'comparison')}.")
    if panel.warning:
        print(panel.warning)


def _print_check(check: CheckLine) -> None:
    if check.skipped:
        print(f"Final check of round {check.best}: skipped. {check.skipped}")
        return
    print(f"Final check of round {check.best}: {check.headline}")
    if len(check.ranking) > 2:
        ranked = (f"{_named(one.round)} {one.strength:+.2f}" for one in check.ranking)
        print(f"Ranking by all votes (1 more wins 73% of them): {', '.join(ranked)}.")


def _named(number: int) -> str:
    return "seed" if number == 1 else f"round {number}"


def _print_rounds(history: History) -> None:
    best = history.best
    is_scored = any(line.score is not None for line in history.rounds)
    rows = [_cells(line, is_best=best is not None and line.round == best.round) for line in history.rounds]
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH_OF_A_PIPE
    fitted = fit([head(is_scored=is_scored), *rows], columns)
    widths = widest(fitted)
    for row in fitted:
        cells = [_padded(text, widths[name], right=name in FIGURES) for name, text in row.items()]
        print((" " * GAP).join(cells).rstrip())


def _cells(line: RoundLine, *, is_best: bool) -> RoundCells:
    wins = sum(vote.choice == "win" for vote in line.votes)
    losses = sum(vote.choice == "loss" for vote in line.votes)
    votes = f"{wins}:{losses}" if line.votes else ""
    return RoundCells(
        round=f"{line.round:>4}{'*' if is_best else ' '}",
        verdict=verdict(line.outcome, line.judged),
        votes=votes if line.score is None else points(line.score),
        tokens=count(
            line.tokens if line.added else line.prompt_tokens + line.completion_tokens,
            estimated=line.estimated,
        ),
        cost=usd(line.cost_usd, estimated=line.estimated),
        time=f"{line.at:%Y-%m-%d %H:%M}" if line.added else duration(line.seconds),
        modification=line.modification or line.note,
    )


def _padded(text: str, cells: int, *, right: bool) -> str:
    blanks = " " * (cells - width(text))
    return blanks + text if right else text + blanks


def _print_round(line: RoundLine) -> None:
    shown = verdict(line.outcome, line.judged)
    print(f"Round {line.round}: {shown}" + (f", from round {line.parent}" if line.parent else ""))
    if line.judged is not None:
        print(f"The verdict is yours; the judge's was {line.judged}.")
    if line.added:
        note = line.note[:1].upper() + line.note[1:]
        print(f"{note}, {line.at:%Y-%m-%d %H:%M:%S}; its answers have {plural(line.tokens, 'token')}.")
    if line.win_rate is not None and line.win_interval is not None:
        low, high = line.win_interval
        print(f"It wins {line.win_rate:.0%} of the votes that chose a side ({low:.0%} to {high:.0%}).")
    if line.length_ratio is not None:
        print(f"Its answers are {line.length_ratio:.2f} times as long as the best's.")
    for title, text in (
        ("Modification", line.modification),
        ("Reasoning", line.reasoning),
        ("Prompt", line.prompt),
    ):
        if text:
            print(f"\n{title}:\n{text}")
    for each in filter(None, map(decode_event, line.told)):
        if isinstance(each, CandidateScored):
            _print_scored(each, line.prompt)
    for number, one in enumerate(line.answers, 1):
        answer = f"No answer {number}:\n{one.error}" if one.error else f"Answer {number}:\n{one.answer}"
        print(f"\nQuestion {number}:\n{one.question}\n{answer}")
    for vote in line.votes:
        order = f" {vote.order}" if vote.order else ""
        model = f" {vote.model}" if vote.model else ""
        print(f"\nVote ({vote.voter}{model}{order}): {vote.choice}\n{vote.reason}")


def _print_scored(scored: CandidateScored, chosen: str) -> None:
    mark = "*" if scored.prompt == chosen else " "
    changed = "" if scored.words_changed is None else f", {plural(scored.words_changed, 'word')} changed"
    found = f"{points(scored.score)} ({points(scored.low)} to {points(scored.high)})"
    print(f"\n{mark} Score {found} on {plural(scored.rows, 'row')}{changed}:\n{scored.prompt}")
