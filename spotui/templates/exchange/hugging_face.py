"""Reads data sets of Hugging Face on disk: Arrow files of `save_to_disk`, and folders of Parquet files."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

from spotui.domain.rows import SPLIT_NAMES, SplitName
from spotui.lang import _
from spotui.templates.data.data_file import DataFile
from spotui.templates.data.record import BadRowError
from spotui.templates.data.source import DataSource
from spotui.templates.exchange.chats import chat_of
from spotui.templates.exchange.conversations import conversation, of_conversations
from spotui.templates.exchange.imported import Imported, Record, SourceError
from spotui.templates.exchange.records import of_table, roles_of
from spotui.templates.exchange.source import Source

MOST_ROWS: Final = 200_000
"""Rows of a data set that become rows of a template."""

_SPLIT: Final = re.compile(
    r"(?:^|[/._-])(?P<split>train(?:ing)?|validation|valid|val|dev|test)(?=[/._-]|$)", re.IGNORECASE
)
_ENDINGS: Final = (".parquet", ".arrow")


def recognises(source: Source) -> bool:
    """Whether a folder was written by `save_to_disk`, or has Parquet files."""
    names = source.names
    if any(PurePosixPath(name).name in ("state.json", "dataset_dict.json") for name in names):
        return True
    return any(name.endswith(_ENDINGS) for name in names)


def read(source: Source) -> list[Imported]:
    """The template of a data set.

    Raises:
        SourceError: It cannot be read, or does not say which column is the question.
    """
    rows: list[tuple[str, Record, SplitName | None]] = []
    labels: dict[str, list[str]] = {}
    for split, path in _files(source):
        labels |= _labels(source, path)
        for where, record in _records(source, path):
            if len(rows) == MOST_ROWS:
                what = _("Only the first {most:,} rows are imported.", most=MOST_ROWS)
                source.notes.add(source.name, what, _("A template can name the file itself below `data:`."))
                break
            rows.append((where, record, split))
    if not rows:
        raise SourceError(_("{name} has no rows.", name=source.name), _("Check the path."))
    columns = list(dict.fromkeys(column for _where, record, _split in rows[:100] for column in record))
    for turns in ("messages", "conversations"):
        if turns in columns and chat_of(rows[0][1].get(turns)) is not None and not source.chosen:
            return _conversations(source, rows, turns)
    roles = roles_of(columns, source.name, source.chosen)
    imported = of_table(rows, roles, source.notes, source.name)
    if roles.answer in labels:
        names = labels[roles.answer]
        for several in imported.rows.values():
            for row in several:
                answer = row.get("answer")
                if isinstance(answer, int) and 0 <= answer < len(names):
                    row["answer"] = names[answer]
                elif answer == -1:
                    del row["answer"]
        if imported.metric is None and len(names) > 1:
            imported.metric = {"name": "label", "labels": names}
    return [imported]


def _conversations(
    source: Source, rows: list[tuple[str, Record, SplitName | None]], turns: str
) -> list[Imported]:
    found, splits = [], []
    for where, record, split in rows:
        messages = chat_of(record.get(turns))
        if messages is None:
            source.notes.add(where, _("The row is left out."), _("It has no list of messages."))
        elif talk := conversation(messages, None, source.notes, where):
            found.append(talk)
            splits.append(split)
    imported = of_conversations(found, source.notes, source.name)
    for one in imported:
        divided: dict[SplitName | None, list[Record]] = {}
        for split, row in zip(splits, one.rows.get(None, []), strict=True):
            divided.setdefault(split, []).append(row)
        one.rows = divided
    return imported


def _files(source: Source) -> Iterator[tuple[SplitName | None, Path]]:
    """The data files with their splits: those that `state.json` names, or all of a kind."""
    states = sorted(name for name in source.names if PurePosixPath(name).name == "state.json")
    if states:
        for name in states:
            folder = source.folder / PurePosixPath(name).parent
            state = source.value(source.folder / name)
            listed = state.get("_data_files") if isinstance(state, dict) else None
            for one in listed if isinstance(listed, list) else []:
                file = one.get("filename") if isinstance(one, dict) else None
                if isinstance(file, str):
                    path = source.refer(folder, file, source.where(source.folder / name))[0]
                    yield _split_of(PurePosixPath(name).parent.as_posix()), path
        return
    for name in sorted(name for name in source.names if name.endswith(_ENDINGS)):
        yield _split_of(name), source.folder / name


def _split_of(name: str) -> SplitName | None:
    found = _SPLIT.search(name)
    return SPLIT_NAMES[found["split"].casefold()] if found else None


def _records(source: Source, path: Path) -> Iterator[tuple[str, Record]]:
    try:
        for read in DataFile(path, DataSource(), frozenset()).records():
            if isinstance(read.record, BadRowError):
                raise read.record
            yield source.where(path, read.line), dict(read.record)
    except BadRowError as bad:
        raise SourceError(f"{source.where(path)}: {bad.what}", bad.hint or _("Check the file.")) from None


def _labels(source: Source, path: Path) -> dict[str, list[str]]:
    """The names of classes, by column, that `dataset_info.json` beside a data file has."""
    info = path.parent / "dataset_info.json"
    if not info.is_file():
        return {}
    document: Any = source.value(info)
    features = document.get("features") if isinstance(document, dict) else None
    found = {}
    for column, feature in features.items() if isinstance(features, dict) else ():
        names = feature.get("names") if isinstance(feature, dict) else None
        if isinstance(names, list) and all(isinstance(one, str) for one in names):
            found[column] = names
    return found
