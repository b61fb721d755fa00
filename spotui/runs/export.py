"""A run as a file to export: the prompt, the data, or what another tool reads."""

from pathlib import Path
from typing import Any

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.messages import user
from spotui.domain.program_prompts import split_prompts
from spotui.domain.records import RoundLine
from spotui.domain.rows import Row
from spotui.engine.layout import Layout
from spotui.lang import _, as_english
from spotui.runs.prepare import Prepared
from spotui.runs.snapshots import reopen
from spotui.templates.exchange.outgoing import Outgoing
from spotui.templates.exchange.put_back import put_back
from spotui.templates.exchange.source import Source
from spotui.templates.sections import criteria_of, metric_of, origin_of
from spotui.workspace.history import History, total_cost
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import read_snapshot


def export(project: str, history: History, line: RoundLine, form: str) -> str:
    """A run in one of the two forms that are not another tool's.

    Args:
        project: The project's name.
        history: What it holds.
        line: The round whose prompt is taken along.
        form: txt or json.
    """
    if form == "json":
        return _json(project, history, line)
    return line.prompt if line.prompt.endswith("\n") else line.prompt + "\n"


def outgoing(project: Project, history: History, line: RoundLine) -> Outgoing:
    """The prompt of a round for another tool, with what is around it and the rows of its run.

    Raises:
        SpotuiError: The project is damaged.
    """
    figures = _figures(project, history, line)
    if not project.is_ours:  # SPO's files have the questions of answers and nothing else
        asked = Row("{question}")
        rows = [Row(one.question) for one in line.answers]
        return _outgoing(project, line, Layout(), asked, rows, figures)
    prepared = reopen(project)
    rows = _rows(prepared)
    has_question = not rows or any(row.question for row in rows)
    found = _outgoing(
        project, line, prepared.layout, Row("{question}" if has_question else ""), rows, figures
    )
    template = prepared.template
    return msgspec.structs.replace(
        found,
        metric=metric_of(template),
        criteria=criteria_of(template),
        requirements=template.requirements,
        model=prepared.settings.roles.executor.model or "",
        parts=split_prompts(line.prompt) if template.parts else {},
        url=prepared.settings.program.url or "",
    )


def _outgoing(
    project: Project, line: RoundLine, layout: Layout, asked: Row, rows: list[Row], figures: dict[str, Any]
) -> Outgoing:
    messages = layout.messages(line.prompt, asked) or (user(line.prompt),)
    return Outgoing(
        project=project.name,
        round=line.round,
        prompt=line.prompt,
        messages=[{"role": one.role, "content": one.content} for one in messages],
        rows=rows,
        figures=figures,
    )


def _rows(prepared: Prepared) -> list[Row]:
    if prepared.rows is not None:
        rows = prepared.rows
        return [*rows.train, *rows.eval, *rows.test]
    task = prepared.task
    places = (*prepared.questions, *prepared.held_out)
    asked = dict(zip(places, (*task.questions, *task.held_out), strict=True))
    return [one.row or Row(one.question) for _place, one in sorted(asked.items())]


def _figures(project: Project, history: History, line: RoundLine) -> dict[str, Any]:
    """What a registry keeps beside a prompt."""
    best = history.best
    cost = total_cost(history.rounds)
    found = {
        "project": project.name,
        "round": line.round,
        "is_best": best is not None and best.round == line.round,
        "verdict": line.outcome,
        "win_rate": line.win_rate,
        "score": line.score,
        "score_interval": line.score_interval,
        "check": history.check.headline if history.check is not None else None,
        "rounds": len(history.rounds),
        "cost_usd": cost,
    }
    known = {key: value for key, value in found.items() if value not in (None, "")}
    plain: dict[str, Any] = msgspec.to_builtins(known, enc_hook=as_english)
    return plain


def back_to_source(project: Project, line: RoundLine, trusted: frozenset[Path]) -> list[tuple[Path, str]]:
    """The files of what a project's template was imported from, with the prompt of a round in them.

    Args:
        project: The project.
        line: The round.
        trusted: Files outside of the source's folder that may be read.

    Raises:
        SpotuiError: The template was not imported, or the source has changed.
    """
    missing = SpotuiError(
        _("The template of {project} was not imported, so it has no source.", project=project.name),
        _("Choose another format, e.g. --to txt."),
    )
    if not project.is_ours:
        raise missing
    template, folder = reopen(project).template, read_snapshot(project.snapshot).template_folder
    origin = origin_of(template)
    if origin is None:
        raise missing
    source = Source(Path(folder) / origin.path, lambda _where, path: path in trusted)
    return put_back(source, origin, template.prompt, line.prompt)


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
