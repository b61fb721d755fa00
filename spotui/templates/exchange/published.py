"""Reads data sets as they are published: GPO's folders, BIG-bench, MMLU, GSM8K, WSC and WebNLG."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final
from xml.etree import ElementTree as ET

from spotui.domain.rows import SPLIT_NAMES, SplitName
from spotui.lang import _
from spotui.templates.data.values import written
from spotui.templates.exchange.imported import Imported, Record, SourceError, note_requirements
from spotui.templates.exchange.records import metric_of_answers, note_empty
from spotui.templates.exchange.source import Source

GPO_PROMPT: Final = "Let's think step by step."
"""The prompt that GPO starts from unless its user gives another one."""

_GPO_FILES: Final = ("train.jsonl", "eval.jsonl", "test.jsonl")
_GPO_OTHERS: Final = ("few_shot_examples.jsonl", "format.jsonl")
_METRICS: Final[dict[str, Any]] = {
    "word_sorting": "word_list",
    "dyck_languages": "label",
    "formal_fallacies": {"name": "label", "labels": ["valid", "invalid"]},
    "webnlg": {"name": "rouge_l", "over": "mean"},
    "gsm8k": "number",
}
"""The metrics of tasks whose answers do not show them."""

_SUBJECT: Final = re.compile(r"(?P<subject>.+?)_(?P<split>dev|val|test|train|auxiliary_train)")
_MMLU_SPLITS: Final[dict[str, SplitName]] = {"dev": "train", "train": "train", "val": "eval", "test": "test"}
_FINAL: Final = re.compile(r"####\s*(?P<answer>[^\n]+?)\s*\Z")
_ENTITY: Final = re.compile(r"<!ENTITY", re.IGNORECASE)
_DECLARATION: Final = re.compile(r"\A\s*<\?xml[^>]*\?>")


_LETTER: Final = re.compile(r"\([A-Z]\)")
_MOST: Final = 0.9
"""The share of letters from which on an answer that is none is a fault of its row; BIG-bench has some."""


def _metric(task: str, answers: Sequence[str]) -> Any:
    known = _METRICS.get(task.casefold()) or metric_of_answers(answers)
    letters = sum(_LETTER.fullmatch(one.strip()) is not None for one in answers)
    return known or ("multiple_choice" if answers and letters >= _MOST * len(answers) else None)


def _without_faults(source: Source, where: str, metric: Any, rows: list[Record]) -> list[Record]:
    """The rows whose answers the metric takes: of a multiple-choice task, those with a letter."""
    if metric != "multiple_choice":
        return rows
    found = []
    for number, row in enumerate(rows, 1):
        if "options" in row or _LETTER.fullmatch(written(row["answer"]).strip()):
            found.append(row)
        else:
            what = _("The row is left out.")
            source.notes.add(f"{where}, row {number}", what, _("Its answer is not the letter of an option."))
    return found


# GPO


def recognises_gpo(source: Source) -> bool:
    """Whether a folder has GPO's files, or folders with them."""
    return bool(_tasks(source))


def read_gpo(source: Source) -> list[Imported]:
    """A template for each task: its columns, metric and split files."""
    found = []
    for folder in _tasks(source):
        task = (source.folder / folder).resolve().name
        rows: dict[SplitName | None, list[Record]] = {}
        answers: list[str] = []
        for file in _GPO_FILES:
            split = SPLIT_NAMES[file.removesuffix(".jsonl")]
            path = source.folder / folder / file
            rows[split] = []
            for number, record in source.records(path):
                row = _input_and_target(source, record, path, number)
                rows[split].append(row)
                answers += map(written, row["answer"] if isinstance(row["answer"], list) else [row["answer"]])
        for file in _GPO_OTHERS:
            if (folder / file).as_posix() in source.names:
                why = _("Examples are drawn from the rows to train on: see few_shot_demos and task_examples.")
                source.notes.add(str(folder / file), _("The file is left out."), why)
        what = _("The prompt is the one that GPO starts from: {prompt}", prompt=GPO_PROMPT)
        source.notes.add(source.name, what, _("Its data has none."))
        metric = _metric(task, answers)
        fitting = {
            split: _without_faults(source, f"{folder}, {split}", metric, several)
            for split, several in rows.items()
        }
        found.append(
            Imported(
                prompt=GPO_PROMPT,
                label=task,
                metric=metric,
                method="gpo",
                rows=fitting,
                origin={"task": folder.as_posix()} if folder.as_posix() != "." else {},
            )
        )
    note_requirements(source.notes, source.name)
    return found


def _tasks(source: Source) -> list[PurePosixPath]:
    """The folders below a source that hold a task of GPO."""
    folders = {PurePosixPath(name).parent for name in source.names if name.endswith(_GPO_FILES[0])}
    return sorted(
        folder
        for folder in folders
        if all((folder / file).as_posix() in source.names for file in _GPO_FILES)
        and any((folder / file).as_posix() in source.names for file in _GPO_OTHERS)
    )


def _input_and_target(source: Source, record: Any, path: Path, number: int) -> Record:
    answer = record.get("target", record.get("output")) if isinstance(record, dict) else None
    if not isinstance(record, dict) or "input" not in record or answer is None:
        raise SourceError(
            _("{place}: The row has no `input` with `target` or `output`.", place=source.where(path, number)),
            _("Name another format with --from."),
        )
    return {"question": written(record["input"]), "answer": answer}


# BIG-bench


def recognises_bbh(source: Source) -> bool:
    """Whether a file is a task of BIG-bench (Hard), or a folder has such tasks only."""
    if source.is_folder:
        names = [name for name in source.names if name.endswith(".json")]
        return bool(names) and all(_is_task(source.value(source.folder / name)) for name in names[:40])
    return _is_task(source.document)


def read_bbh(source: Source) -> list[Imported]:
    """A template for each task."""
    if not source.is_folder:
        return [_of_task(source, source.path, {})]
    names = sorted(name for name in source.names if name.endswith(".json"))
    return [_of_task(source, source.folder / name, {"task": name}) for name in names]


def _is_task(document: Any) -> bool:
    if not isinstance(document, dict) or not isinstance(document.get("examples"), list):
        return False
    examples = document["examples"]
    return bool(examples) and all(
        isinstance(one, dict) and "input" in one and one.keys() & {"target", "target_scores"}
        for one in examples[:20]
    )


def _of_task(source: Source, path: Path, origin: Record) -> Imported:
    document = source.value(path)
    if not isinstance(document, dict) or not isinstance(document.get("examples"), list):
        raise _other(source.where(path), _("a list of `examples`"))
    task = path.name.removesuffix(".json") if path.stem != "task" else path.resolve().parent.name
    rows, answers, has_options = [], list[str](), False
    for number, one in enumerate(document["examples"], 1):
        where = f"{source.where(path)}, examples[{number}]"
        if not isinstance(one, dict) or "input" not in one:
            source.notes.add(where, _("The row is left out."), _("It has no input."))
        elif isinstance(one.get("target_scores"), dict):
            has_options = True
            rows.append({"question": one["input"], "options": one["target_scores"]})
        else:
            target = one.get("target")
            rows.append({"question": one["input"], "answer": target})
            answers += map(written, target if isinstance(target, list) else [target])
    prompt = ""
    if isinstance(document.get("task_prefix"), str):
        from spotui.templates.exchange.braces import literal

        prompt = literal(document["task_prefix"].strip(), source.notes, source.where(path))
    else:
        note_empty(source.notes, source.where(path))
    note_requirements(source.notes, source.where(path))
    metric = "multiple_choice" if has_options else _metric(task, answers)
    return Imported(
        prompt=prompt,
        label=task,
        metric=metric,
        rows={None: _without_faults(source, source.where(path), metric, rows)},
        data={"options": "options"} if has_options else {},
        origin=origin,
    )


# MMLU


def recognises_mmlu(source: Source) -> bool:
    """Whether a table without header has a question, four options and a letter; or a folder of tables."""
    if not source.is_folder:
        return source.ending == ".csv" and _is_mmlu(source, source.path)
    names = _subject_files(source)
    return bool(names) and _is_mmlu(source, source.folder / names[0][2])


def read_mmlu(source: Source) -> list[Imported]:
    """A template for each subject; dev, val and test become the splits."""
    subjects: dict[str, dict[SplitName | None, list[Record]]] = {}
    if source.is_folder:
        for subject, split, name in _subject_files(source):
            rows = subjects.setdefault(subject, {})
            rows.setdefault(split, []).extend(_of_mmlu(source, source.folder / name))
    else:
        match = _SUBJECT.fullmatch(source.path.name.removesuffix(".csv"))
        subjects[match["subject"] if match else source.path.stem] = {None: _of_mmlu(source, source.path)}
    note_empty(source.notes, source.name)
    note_requirements(source.notes, source.name)
    return [
        Imported(
            prompt="",
            label=subject,
            metric="multiple_choice",
            rows=rows,
            data={"options": "options"},
            origin={"task": subject} if source.is_folder else {},
        )
        for subject, rows in subjects.items()
    ]


def _subject_files(source: Source) -> list[tuple[str, SplitName, str]]:
    found = []
    for name in sorted(source.names):
        match = _SUBJECT.fullmatch(PurePosixPath(name).name.removesuffix(".csv"))
        if match and name.endswith(".csv") and match["split"] in _MMLU_SPLITS:
            found.append((match["subject"], _MMLU_SPLITS[match["split"]], name))
    return found


def _is_mmlu(source: Source, path: Path) -> bool:
    rows = source.cells(path)
    return bool(rows) and all(
        len(row.record) == 6 and str(row.record[5]).strip() in ("A", "B", "C", "D") for row in rows[:20]
    )


def _of_mmlu(source: Source, path: Path) -> list[Record]:
    rows = []
    for number, cells in source.cells(path):
        if len(cells) != 6:
            raise SourceError(
                _(
                    "{place}: A row has 6 cells, but this one has {n}.",
                    place=source.where(path, number),
                    n=len(cells),
                ),
                _("Question, four options and a letter make a row."),
            )
        rows.append({"question": cells[0], "options": cells[1:5], "answer": str(cells[5]).strip()})
    return rows


# GSM8K


def recognises_gsm8k(source: Source) -> bool:
    """Whether answers end in `#### 42`, in a file or in the train and test files of a folder."""
    if source.is_folder:
        if "train.jsonl" not in source.names or recognises_gpo(source):
            return False
        return Source(source.folder / "train.jsonl").mostly(_is_gsm8k)
    return source.mostly(_is_gsm8k)


def read_gsm8k(source: Source) -> list[Imported]:
    """The template of word problems: the number behind `####` is the answer."""
    rows: dict[SplitName | None, list[Record]] = {}
    if source.is_folder:
        for name in ("train.jsonl", "test.jsonl"):
            if name in source.names:
                path = source.folder / name
                rows[SPLIT_NAMES[name.removesuffix(".jsonl")]] = [*_of_gsm8k(source, path)]
    else:
        rows[None] = [*_of_gsm8k(source, source.path)]
    what = _("The worked solutions are left out.")
    source.notes.add(source.name, what, _("The number behind #### is the answer."))
    note_empty(source.notes, source.name)
    note_requirements(source.notes, source.name)
    return [Imported(prompt="", metric="number", rows=rows)]


def _is_gsm8k(record: Record) -> bool:
    asked, answer = record.get("question"), record.get("answer")
    return isinstance(asked, str) and isinstance(answer, str) and _FINAL.search(answer) is not None


def _of_gsm8k(source: Source, path: Path) -> Iterator[Record]:
    for number, record in source.records(path):
        answer = record.get("answer") if isinstance(record, dict) else None
        found = _FINAL.search(answer) if isinstance(answer, str) else None
        if found is None or not isinstance(record.get("question"), str):
            where = source.where(path, number)
            source.notes.add(
                where, _("The row is left out."), _("Its answer does not end in #### and a number.")
            )
        else:
            yield {"question": record["question"], "answer": found["answer"].replace(",", "")}


# WSC


def recognises_wsc(source: Source) -> bool:
    """Whether a file has Winograd schemas, as SuperGLUE has them or in the original XML."""
    if source.ending == ".xml":
        return "<schema>" in source.text(source.path)[:10_000]
    return source.mostly(
        lambda one: isinstance(one.get("target"), dict) and "span1_text" in one["target"] and "text" in one
    )


def read_wsc(source: Source) -> list[Imported]:
    """The template of Winograd schemas."""
    rows = [*_of_schemas(source)] if source.ending == ".xml" else [*_of_spans(source)]
    note_empty(source.notes, source.name)
    note_requirements(source.notes, source.name)
    if source.ending == ".xml":
        return [Imported(prompt="", metric="multiple_choice", rows={None: rows}, data={"options": "options"})]
    return [Imported(prompt="", metric="yes_no", rows={None: rows})]


def _of_spans(source: Source) -> Iterator[Record]:
    for number, record in source.lines:
        where = source.where(source.path, number)
        target = record.get("target") if isinstance(record, dict) else None
        text = record.get("text") if isinstance(record, dict) else None
        if not isinstance(target, dict) or text is None or not isinstance(record.get("label"), bool):
            source.notes.add(where, _("The row is left out."), _("It has no label, as rows to test on."))
            continue
        asked = f"{text}\nDoes “{target.get('span2_text')}” refer to “{target.get('span1_text')}”?"
        yield {"question": asked, "answer": "yes" if record["label"] else "no"}


def _of_schemas(source: Source) -> Iterator[Record]:
    for number, schema in enumerate(_xml(source, source.path).iter("schema"), 1):
        parts = [" ".join((schema.findtext(f"text/{tag}") or "").split()) for tag in ("txt1", "pron", "txt2")]
        options = [" ".join((one.text or "").split()) for one in schema.iterfind("answers/answer")]
        right = (schema.findtext("correctAnswer") or "").strip().strip(".").upper()
        if len(options) < 2 or right not in ("A", "B") or not all(options):
            where = f"{source.name}, schema {number}"
            source.notes.add(where, _("The row is left out."), _("It has no two answers with the right one."))
            continue
        asked = f"{' '.join(filter(None, parts))}\nWhat does “{parts[1]}” refer to?"
        yield {"question": asked, "options": options, "answer": right}


# WebNLG


def recognises_webnlg(source: Source) -> bool:
    """Whether a file has entries with triples and lexicalisations, or a folder has such XML files."""
    if source.is_folder:
        names = [name for name in source.names if name.endswith(".xml")]
        return bool(names) and "<mtriple>" in source.text(source.folder / min(names))
    if source.ending == ".xml":
        return "<mtriple>" in source.text(source.path)
    document = source.document
    entries = document.get("entries") if isinstance(document, dict) else None
    return isinstance(entries, list) and bool(entries) and "modifiedtripleset" in str(entries[0])[:10_000]


def read_webnlg(source: Source) -> list[Imported]:
    """The template of triples: every text that people wrote for them is an answer that is right."""
    rows: dict[SplitName | None, list[Record]] = {}
    if source.is_folder:
        for name in sorted(name for name in source.names if name.endswith(".xml")):
            split = next(
                (SPLIT_NAMES[part] for part in PurePosixPath(name).parts if part in SPLIT_NAMES), None
            )
            rows.setdefault(split, []).extend(_of_entries(source, source.folder / name))
    elif source.ending == ".xml":
        rows[None] = [*_of_entries(source, source.path)]
    else:
        rows[None] = [*_of_json_entries(source)]
    note_empty(source.notes, source.name)
    note_requirements(source.notes, source.name)
    return [Imported(prompt="", metric={"name": "rouge_l", "over": "mean"}, rows=rows)]


def _of_entries(source: Source, path: Path) -> Iterator[Record]:
    for number, entry in enumerate(_xml(source, path).iter("entry"), 1):
        triples = [(one.text or "").strip() for one in entry.iterfind("modifiedtripleset/mtriple")]
        texts = [(one.text or "").strip() for one in entry.iterfind("lex")]
        yield from _entry(source, f"{source.where(path)}, entry {number}", triples, texts)


def _of_json_entries(source: Source) -> Iterator[Record]:
    document = source.document
    if not isinstance(document, dict) or not isinstance(document.get("entries"), list):
        raise _other(source.name, _("a list of `entries`"))
    for number, one in enumerate(document["entries"], 1):
        where = f"{source.name}, entries[{number}]"
        entry = next(iter(one.values())) if isinstance(one, dict) and len(one) == 1 else one
        if not isinstance(entry, dict):
            source.notes.add(where, _("The row is left out."), _("It is not a mapping."))
            continue
        triples = [
            " | ".join(written(triple.get(part)) for part in ("subject", "property", "object"))
            for triple in _list(entry.get("modifiedtripleset"))
            if isinstance(triple, dict)
        ]
        texts = [
            written(one.get("lex")) for one in _list(entry.get("lexicalisations")) if isinstance(one, dict)
        ]
        yield from _entry(source, where, triples, texts)


def _entry(source: Source, where: str, triples: Sequence[str], texts: Sequence[str]) -> Iterator[Record]:
    texts = [text for text in texts if text]
    if triples and texts:
        yield {"question": "\n".join(triples), "answer": texts}
    else:
        source.notes.add(where, _("The row is left out."), _("It has no triples or no text."))


def _list(data: Any) -> list[Any]:
    return data if isinstance(data, list) else []


def _other(where: str, wanted: str) -> SourceError:
    """The error of a file that has another shape than its format."""
    return SourceError(
        _("{place} does not hold {wanted}.", place=where, wanted=wanted),
        _("Check the path, or name another format with --from."),
    )


def _xml(source: Source, path: Path) -> ET.Element:
    """The root of an XML file.

    Raises:
        SourceError: It is not XML, or declares entities, which could make a small file huge.
    """
    text = source.text(path)
    if _ENTITY.search(text):
        raise SourceError(
            _("{place} declares entities.", place=source.where(path)),
            _("Remove them and import again."),
        )
    try:
        return ET.fromstring(_DECLARATION.sub("", text).encode())  # noqa: S314 - entities are refused above
    except ET.ParseError as error:
        line = error.position[0]
        raise SourceError(
            _("{place}: This is not XML: {error}.", place=source.where(path, line), error=error),
            _("Correct it and import again."),
        ) from None
