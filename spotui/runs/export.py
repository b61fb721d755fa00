"""A run as a file to export: the prompt, the data, or a report."""

import msgspec

from spotui.domain.figures import count, usd
from spotui.domain.records import RoundLine
from spotui.lang import _, as_english
from spotui.workspace.history import History, is_estimated, total_cost


def export(project: str, history: History, line: RoundLine, form: str) -> str:
    """A run in one of three forms.

    Args:
        project: The project's name.
        history: What it holds.
        line: The round whose prompt is taken along.
        form: txt, json or markdown.
    """
    match form:
        case "json":
            return _json(project, history, line)
        case "markdown":
            return _markdown(project, history, line)
        case _:
            return line.prompt if line.prompt.endswith("\n") else line.prompt + "\n"


def _json(project: str, history: History, line: RoundLine) -> str:
    whole = {
        "project": project,
        "round": line.round,
        "prompt": line.prompt,
        "rounds": history.rounds,
        "held_out": history.held_out,
        "check": history.check,
        "stop": history.stop,
    }
    return msgspec.json.format(msgspec.json.encode(whole, enc_hook=as_english), indent=2).decode() + "\n"


def _markdown(project: str, history: History, line: RoundLine) -> str:
    seed = history.rounds[0]
    parts = [
        f"# {project}",
        _("Prompt of round {round} ({verdict}).", round=line.round, verdict=_verdict(line)),
        _block(line.prompt),
    ]
    if history.held_out is not None:
        held_out = history.held_out
        verdict = _("round {best} against the seed: {outcome}", best=held_out.best, outcome=held_out.outcome)
        parts.append(
            _("On {questions} held-out questions, {verdict}.", questions=held_out.questions, verdict=verdict)
        )
    if history.check is not None:
        skipped = f"skipped. {history.check.skipped}" if history.check.skipped else ""
        parts.append(
            _(
                "Final check of round {best}: {skipped}",
                best=history.check.best,
                skipped=skipped or history.check.headline,
            )
        )
    if history.stop is not None:
        parts.append(
            _("The run stopped: {reason}. {cause}", reason=history.stop.reason, cause=history.stop.cause)
        )
    spent = usd(total_cost(history.rounds), estimated=is_estimated(history.rounds))
    parts.append(_("Spent in its rounds: {spent}.", spent=spent))
    parts += ["## Rounds", _table(history)]
    parts += [_("## Answers of round {round}", round=line.round)]
    for number, one in enumerate(line.answers, 1):
        parts += [f"### Question {number}", _block(one.question)]
        parts += [_("No answer:"), _block(one.error)] if one.error else ["Answer:", _block(one.answer)]
    if seed.round != line.round:
        parts += [_("## Seed prompt"), _block(seed.prompt)]
    return "\n\n".join(parts) + "\n"


def _table(history: History) -> str:
    rows = [_("| round | verdict | tokens | cost | modification |"), "|---|---|---|---|---|"]
    for one in history.rounds:
        text = " ".join((one.modification or one.note).replace("|", "\\|").split())
        tokens = count(one.prompt_tokens + one.completion_tokens, estimated=one.estimated)
        cost = usd(one.cost_usd, estimated=one.estimated)
        rows.append(f"| {one.round} | {_verdict(one)} | {tokens} | {cost} | {text} |")
    return "\n".join(rows)


def _verdict(line: RoundLine) -> str:
    """A verdict for other readers than the user."""
    if line.judged is None:
        return line.outcome
    return _(
        "{outcome}, set by hand; the judge's verdict was {judged}", outcome=line.outcome, judged=line.judged
    )


def _block(text: str) -> str:
    """A fenced block whose fence is longer than any inside the text."""
    longest = max((len(run) for run in text.split() if set(run) == {"`"}), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"
