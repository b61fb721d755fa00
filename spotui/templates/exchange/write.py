"""Writes what was imported: a template, and its rows beside it; nothing is overwritten unasked."""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from spotui.domain.rows import normalise
from spotui.lang import _
from spotui.templates.data.values import MISSING, is_nothing, reach, written
from spotui.templates.exchange.imported import Imported, Notes, Record, SourceError
from spotui.templates.exchange.source import as_json
from spotui.templates.model import NONE, QA, Template
from spotui.templates.save import save_text, to_yaml

FEWEST: Final = 3
"""Different rows that can be divided into train, eval and test."""

FEW: Final = 20
"""Rows that a template lists itself, where they are questions and answers alone."""

_UNFIT: Final = re.compile(r"[^\w .-]+")


class Draft(msgspec.Struct):
    """A template that is ready to be written.

    Attributes:
        path: Where it goes.
        template: What it says.
        files: The texts of its files of rows, by their paths.
        imported: What it was made of.
    """

    path: Path
    template: Template
    files: dict[Path, str]
    imported: Imported


def draft(
    imported: Sequence[Imported], notes: Notes, *, format_name: str, source: Path, target: Path
) -> list[Draft]:
    """Lay out templates and rows; nothing is written yet.

    Args:
        imported: The templates of a source.
        notes: Takes what a person has to know about the rows.
        format_name: The format of the source.
        source: The source.
        target: The file of the template; of several templates, each gets a number behind its name.
    """
    stem = target.name.removesuffix(target.suffix)
    shared: dict[str, Path] = {}
    drafts = []
    tasks = [file_name(one.label) if "task" in one.origin or "eval" in one.origin else "" for one in imported]
    is_named = all(tasks) and len(set(tasks)) == len(tasks)
    names = tasks if is_named else [str(number) for number in range(1, len(imported) + 1)]
    for number, one in enumerate(imported, 1):
        path = (
            target if len(imported) == 1 else target.with_name(f"{stem}-{names[number - 1]}{target.suffix}")
        )
        origin = {"format": format_name, "path": _seen_from(source, target.parent), **one.origin}
        files: dict[Path, str] = {}
        qa = _as_questions(one)
        data = None
        if qa is None and one.count:
            data = _data(one, notes, path, path.stem if is_named else stem, files, shared)
        template = Template(
            prompt=one.prompt or NONE,
            requirements=one.requirements,
            qa=qa or (),
            method=one.method,
            data=data,
            metric=_plain(one.metric),
            criteria=list(one.criteria) or None,
            source=_plain(origin),
            **{key: _plain(value) for key, value in one.extra.items()},
        )
        drafts.append(Draft(path, template, files, one))
    return drafts


def write(drafts: Sequence[Draft], source: Path, *, replace: bool = False) -> list[Path]:
    """Write templates and rows.

    Args:
        drafts: What to write.
        source: The source, which is never replaced.
        replace: Whether files that exist are replaced.

    Returns:
        The files, templates first.

    Raises:
        SourceError: A file exists, or cannot be written.
        TemplateError: A template cannot be written.
    """
    texts = {one.path: to_yaml(one.template) for one in drafts}
    for one in drafts:
        texts |= one.files
    if any(path.resolve() == source.resolve() for path in texts):
        raise SourceError(
            _("{path} is what is imported, and is not replaced.", path=source),
            _("Choose another file with --output."),
        )
    if not replace and (taken := [path for path in texts if os.path.lexists(path)]):
        raise SourceError(
            _("{path} exists already.", path=taken[0]),
            _("Choose another file with --output, or add --force to replace it."),
        )
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(
                _("{path} cannot be made: {reason}.", path=path.parent, reason=error.strerror),
                _("Choose another folder."),
            ) from None
        save_text(path, text)
    return [*texts]


def file_name(wanted: str) -> str:
    """A name for a file, made of what something is called elsewhere."""
    name = " ".join(_UNFIT.sub(" ", wanted).split()).strip(" .-_")[:60].replace(" ", "-")
    return name or "imported"


def _as_questions(imported: Imported) -> tuple[QA, ...] | None:
    """The rows as a template lists them; None where they need a file."""
    rows = imported.rows.get(None, [])
    if not rows or imported.splits or len(rows) > FEW or imported.data:
        return None
    question = imported.columns.get("question", "question")
    answer = imported.columns.get("answer", "answer")
    found = []
    for record in rows:
        if record.keys() - {question, answer} or not isinstance(record.get(question), str):
            return None
        value = record.get(answer)
        if isinstance(value, list | dict) or (isinstance(value, str) and value.strip() == NONE):
            return None
        if not record[question].strip():
            return None
        found.append(QA(record[question], "" if is_nothing(value) else written(value)))
    slots = {*imported.columns} - {"question", "answer"}
    if slots or len({one.question for one in found}) < len(found):
        return None
    return tuple(found) if imported.metric is None or len(found) > 2 else None


def _data(
    imported: Imported,
    notes: Notes,
    template: Path,
    stem: str,
    files: dict[Path, str],
    shared: dict[str, Path],
) -> dict[str, Any]:
    """What the template says under `data`, with the files that it names."""
    parts = {split: imported.rows[split] for split in imported.splits}
    if rest := imported.rows.get(None):
        first = next(iter(parts), None)
        parts = {**parts, first: [*parts[first], *rest]} if first else {}
    data: dict[str, Any] = {}
    folder = template.parent
    if len(parts) < 2:
        (records,) = parts.values() or [rest or []]
        path = _place(records, folder / f"{stem}-rows.jsonl", files, shared)
        if _different(imported, records) < FEWEST:
            what = _("The same rows are used to write prompts and to choose among them.")
            notes.add(template.name, what, _("There are too few to divide them: add more."))
            data |= {"train": path, "eval": path, "allow_overlap": True}
        else:
            data["path"] = path
    else:
        for split, records in parts.items():
            path = _place(records, folder / f"{stem}-{split}.jsonl", files, shared)
            data[split if len(parts) > 2 or "test" not in parts or split == "test" else "path"] = path
    return {**data, **({"columns": imported.columns} if imported.columns else {}), **imported.data}


def _place(records: Sequence[Record], path: Path, files: dict[Path, str], shared: dict[str, Path]) -> str:
    """The name of the file of some rows; templates with the same rows share it."""
    text = "".join(f"{json.dumps(one, ensure_ascii=False, default=as_json)}\n" for one in records)
    if text not in shared:
        number = 2
        stem = path.stem
        while path in shared.values():
            path, number = path.with_name(f"{stem}-{number}{path.suffix}"), number + 1
        shared[text] = path
    files[shared[text]] = text
    return shared[text].name


def _different(imported: Imported, records: Sequence[Record]) -> int:
    """How many rows differ in what a model sees of them; counting ends where there are enough."""
    columns = [*imported.shown.values(), "messages"]
    seen: set[str] = set()
    for record in records:
        values = [reach(record, column) for column in columns]
        seen.add(normalise(" ".join(written(one) for one in values if one is not MISSING)))
        if len(seen) == FEWEST:
            break
    return len(seen)


def _plain(value: Any) -> Any:
    """A value as YAML has it."""
    return None if value is None else json.loads(json.dumps(value, default=as_json, ensure_ascii=False))


def _seen_from(source: Path, folder: Path) -> str:
    """The path of a source: relative where it is in or beside the template's folder."""
    source, folder = source.resolve(), folder.resolve()
    relative = os.path.relpath(source, folder)
    return relative if relative.count("..") <= 1 else str(source)
