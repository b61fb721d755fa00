"""Reads OpenAI's evals: registry and samples of the open-source tool, and exports of evals and data sets."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from spotui.domain.rows import fill
from spotui.lang import N_, _
from spotui.templates.data.values import is_nothing
from spotui.templates.exchange.braces import Slots, from_double, slot_of
from spotui.templates.exchange.chats import ChatPrompt, Message, chat_of, from_messages, message_of
from spotui.templates.exchange.conversations import conversation, of_conversations
from spotui.templates.exchange.imported import Imported, Notes, Record, SourceError
from spotui.templates.exchange.records import ANSWERS, CONTEXTS, QUESTIONS, Item, as_outputs, of_items
from spotui.templates.exchange.source import Source, listed

_CLASSES: Final[Mapping[str, Any]] = {
    "basic.match:match": {"name": "checks", "type": "starts-with"},
    "basic.includes:includes": {"name": "checks", "type": "contains"},
    "basic.fuzzy_match:fuzzymatch": "contains",
    "basic.json_match:jsonmatch": "json",
    "modelgraded.classify:modelbasedclassify": "judge",
}
_FACT: Final = "The answer is factually consistent with the reference answer."
_GRADED: Final[Mapping[str, str]] = {
    "fact": _FACT,
    "closedqa": "The answer meets the criterion that is given.",
}
_NO_COUNTERPART: Final = N_("It has no counterpart here.")
_CODE: Final = N_("spotui never runs code of a source.")
_OBJECTS: Final = ("eval", "eval.run", "eval.run.output_item")
_OPERATIONS: Final[Mapping[str, str]] = {
    "eq": "equals",
    "ne": "not-equals",
    "like": "contains",
    "ilike": "icontains",
}
_SIMILARITY: Final[Mapping[str, str]] = {
    "bleu": "bleu",
    "rouge_1": "rouge_1",
    "rouge_2": "rouge_2",
    "rouge_l": "rouge_l",
    "fuzzy_match": "chrf",
}


# The open-source tool: a registry in YAML and samples as JSONL


def recognises_openai_evals(source: Source) -> bool:
    """Whether a file is a registry or has samples, or a folder has registries."""
    if source.is_folder:
        return any(_entries(source.value(source.folder / name)) for name in _registries(source))
    if source.ending in (".yaml", ".yml"):
        return bool(_entries(source.document))
    return source.mostly(_is_sample)


def read_openai_evals(source: Source) -> list[Imported]:
    """The templates of evals, one for each set of samples."""
    if not source.is_folder and source.ending not in (".yaml", ".yml"):
        why = _("Name a metric; until then, the judge compares with `ideal`.")
        source.notes.add(source.name, _("Samples do not say how answers are marked."), why)
        return _of_samples(source, source.path, None, ())
    paths = [source.folder / name for name in _registries(source)] if source.is_folder else [source.path]
    found = []
    for path in paths:
        for name, entry in _entries(source.value(path)).items():
            found += _of_entry(source, path, name, entry)
    return found


def _registries(source: Source) -> list[str]:
    names = sorted(name for name in source.names if name.endswith((".yaml", ".yml")))
    inside = [name for name in names if "evals" in PurePosixPath(name).parts]
    return inside or names


def _entries(document: Any) -> dict[str, dict[str, Any]]:
    """The evals of a registry that have a class and samples."""
    return {
        name: entry
        for name, entry in (document.items() if isinstance(document, dict) else ())
        if isinstance(entry, dict)
        and isinstance(entry.get("class"), str)
        and isinstance(entry.get("args"), dict)
        and isinstance(entry["args"].get("samples_jsonl"), str)
    }


def _is_sample(record: Record) -> bool:
    has_input = isinstance(record.get("input"), str) or chat_of(record.get("input")) is not None
    return has_input and "ideal" in record


def _of_entry(source: Source, path: Path, name: str, entry: Mapping[str, Any]) -> list[Imported]:
    args, where = entry["args"], f"{source.where(path)}, {name}"
    kind = entry["class"].removeprefix("evals.elsuite.").casefold()
    metric, criteria = _CLASSES.get(kind), tuple[str, ...]()
    if metric is None:
        what = _("The class {kind} is left out.", kind=entry["class"])
        source.notes.add(where, what, _(_CODE))
    elif metric == "contains":
        what = _("A fuzzy match counts here where the answer contains the reference.")
        source.notes.add(
            where, what, _("The opposite, a reference that contains the answer, does not count.")
        )
    elif metric == "judge":
        spec = str(args.get("modelgraded_spec", ""))
        criteria = (_GRADED[spec],) if spec in _GRADED else ()
        if not criteria:
            what = _("The grading prompt {spec} is left out.", spec=spec)
            source.notes.add(where, what, _("Write what the judge has to look for below `criteria:`."))
    known = {"samples_jsonl", "modelgraded_spec"}
    if args.get("ignore_case") and kind.endswith("includes"):
        metric, known = {"name": "checks", "type": "icontains"}, {*known, "ignore_case"}
    for key in args.keys() - known:
        what = _("`{key}` of {name} is left out.", key=key, name=name)
        source.notes.add(where, what, _(_NO_COUNTERPART))
    samples = _samples(source, path, args["samples_jsonl"], where)
    imported = _of_samples(source, samples, metric, criteria)
    for one in imported:
        one.label, one.origin = name, {"eval": name}
    return imported


def _samples(source: Source, path: Path, name: str, where: str) -> Path:
    """The file of samples, beside the registry or in its folder `data`."""
    data = path.resolve().parent.parent / "data"
    for folder in (data, path.parent, source.folder, source.folder / "data", source.folder / "registry/data"):
        if (folder / name).is_file():
            return source.refer(folder, name, where)[0]
    raise SourceError(
        _("{where} refers to {name}, which does not exist.", where=where, name=name),
        _("It is looked for beside the registry and in the folder {folder}.", folder=data),
    )


def _of_samples(source: Source, path: Path, metric: Any, criteria: tuple[str, ...]) -> list[Imported]:
    rows = []
    for number, record in source.records(path):
        where = source.where(path, number)
        asked = record.get("input") if isinstance(record, dict) else None
        messages = chat_of(asked) or ([Message("user", asked)] if isinstance(asked, str) else None)
        if messages is None:
            source.notes.add(where, _("The row is left out."), _("It has no input."))
            continue
        if all(one.role == "system" for one in messages):  # as many samples of the registry have it
            messages = [*messages[:-1], Message("user", messages[-1].text)]
        for key in record.keys() - {"input", "ideal", "criteria"}:
            what = _("The column `{name}` is left out.", name=key)
            source.notes.add(where, what, _("Neither the prompt nor a metric uses it."))
        ideal = record.get("ideal", record.get("criteria"))
        if found := conversation(messages, ideal, source.notes, where):
            rows.append(found)
    imported = of_conversations(rows, source.notes, source.where(path))
    for one in imported:
        one.metric, one.criteria = metric, criteria
    return imported


# Exports of the platform: evals with their runs, and the items of data sets


def recognises_openai(source: Source) -> bool:
    """Whether records are evals, runs, or items of a data set."""
    if isinstance(source.document, dict):
        return source.document.get("object") in _OBJECTS[:2] or _is_bundle(source.document)
    return source.mostly(lambda one: one.get("object") in _OBJECTS or isinstance(one.get("item"), dict))


def read_openai(source: Source) -> list[Imported]:
    """The template of an eval: criteria, messages and items, whichever an export has."""
    notes, name = source.notes, source.name
    definition: dict[str, Any] = {}
    run: dict[str, Any] = {}
    items: list[Item] = []
    for where, record in _objects(source):
        match record.get("object"):
            case "eval":
                definition = record
            case "eval.run":
                run = record
            case "eval.run.output_item":
                items.append(Item(where, _dict(record.get("datasource_item")), {}))
            case _:
                items.append(Item(where, _dict(record.get("item")), {}))
    data = _dict(run.get("data_source"))
    if not items:
        content = _dict(data.get("source")).get("content")
        items = [
            Item(f"{name}, content[{at}]", _dict(_dict(one).get("item")), {})
            for at, one in enumerate(content if isinstance(content, list) else [], 1)
        ]
    items = [Item(one.where, _dict(one.given.get("item")) or one.given, {}) for one in items]
    prompt = _messages(data.get("input_messages"), notes, f"{name}, input_messages")
    metric, reference, criteria = _criteria(definition, notes, name)
    if not items:
        raise SourceError(
            _("{name} has no items.", name=name),
            _("Export the data set as JSONL, or a run with the content of its file."),
        )
    return _of_eval(source, items, prompt, metric, reference, criteria)


def _is_bundle(document: Mapping[str, Any]) -> bool:
    """Whether a document holds an eval and its run, by their names."""
    return any(_dict(document.get(key)).get("object") in _OBJECTS for key in ("eval", "run"))


def _objects(source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    document = source.document
    if isinstance(document, dict):
        several: list[Any] = [document]
        if _is_bundle(document):
            listed_items = document.get("output_items", document.get("items"))
            several = [_dict(document.get("eval")), _dict(document.get("run"))]
            several += listed_items if isinstance(listed_items, list) else []
        yield from ((source.name, one) for one in several if isinstance(one, dict) and one)
        return
    for number, record in source.lines:
        where = source.where(source.path, number)
        if isinstance(record, dict):
            yield where, record
        else:
            source.notes.add(where, _("The row is left out."), _("It is not an object."))


def _messages(data: Any, notes: Notes, where: str) -> ChatPrompt | None:
    template = _dict(data).get("template")
    messages = chat_of(template)
    if messages is None:
        return None
    found = from_messages(messages, notes, where)
    if found is None:
        return None
    prompt = of_item(Slots(found.prompt, found.names))
    extra = dict(found.extra)
    if "messages" in extra:
        extra["messages"] = [
            {**one, "content": of_item(Slots(one["content"], found.names)).text} for one in extra["messages"]
        ]
    return ChatPrompt(prompt.text, prompt.names, extra)


def of_item(slots: Slots) -> Slots:
    """A text whose slots have the names of columns, where the platform writes `item.` before them."""
    names = {slot: column.removeprefix("item.") for slot, column in slots.names.items()}
    renamed = {slot: slot if slot == "question" else slot_of(column) for slot, column in names.items()}
    text = fill(slots.text, {slot: f"{{{new}}}" for slot, new in renamed.items()})
    return Slots(text, {renamed[slot]: column for slot, column in names.items()})


def _criteria(definition: Mapping[str, Any], notes: Notes, name: str) -> tuple[Any, str, tuple[str, ...]]:
    """The metric, the column that it compares with, and what a judge looks for."""
    metric: Any = None
    reference, criteria = "", list[str]()
    several = definition.get("testing_criteria")
    for number, one in enumerate(several if isinstance(several, list) else [], 1):
        where = f"{name}, testing_criteria[{number}]"
        kind, column = _dict(one).get("type"), _column(_dict(one).get("reference"))
        found: Any = None
        if kind == "string_check" and column:
            operation = _OPERATIONS.get(str(one.get("operation")), "equals")
            found = "exact" if operation == "equals" else {"name": "checks", "type": operation}
        elif kind == "text_similarity" and column:
            found = _SIMILARITY.get(str(one.get("evaluation_metric")))
            if str(one.get("evaluation_metric")) == "fuzzy_match":
                notes.add(where, _("A fuzzy match is measured as chrF."), _("Both compare characters."))
        elif kind in ("label_model", "score_model"):
            text = "\n".join(message.text for message in map(message_of, _list(one.get("input"))) if message)
            criteria.append(from_double(text, notes, where).text.replace("{", "").replace("}", ""))
            what = _("The grader {name} becomes a criterion.", name=one.get("name", kind))
            notes.add(where, what, _("Its model, labels and range are left out."))
            continue
        if found is None or metric is not None:
            what = _("The grader {name} is left out.", name=_dict(one).get("name", kind))
            why = _(_CODE) if kind == "python" else _("A template has one metric.")
            notes.add(where, what, why if found is not None or kind == "python" else _(_NO_COUNTERPART))
        else:
            metric, reference = found, column
    return metric or ("judge" if criteria else None), reference, tuple(criteria)


def _column(text: Any) -> str:
    """The column of `{{item.column}}`; empty where it is something else."""
    inner = str(text or "").strip()
    if not (inner.startswith("{{") and inner.endswith("}}")):
        return ""
    inner = inner[2:-2].strip()
    return inner.removeprefix("item.") if inner.startswith("item.") else ""


def _of_eval(
    source: Source,
    items: Sequence[Item],
    prompt: ChatPrompt | None,
    metric: Any,
    reference: str,
    criteria: tuple[str, ...],
) -> list[Imported]:
    shown = dict(prompt.names) if prompt else {}
    columns = {column for one in items for column in one.given}
    answer = source.chosen.get("answer") or reference
    if not answer:
        folded = {column.casefold(): column for column in columns - set(shown.values())}
        likely = [folded[name.casefold()] for name in ANSWERS if name.casefold() in folded]
        if len(likely) == 1:
            answer = likely[0]
            what = _("`{column}` is taken for the answer that is right.", column=answer)
            source.notes.add(source.name, what, _("Its name says so; --answer names another column."))
        elif likely and metric is None:
            raise SourceError(
                _("{name} does not say which column is the answer.", name=source.name),
                _("Name it with --answer: {columns}.", columns=listed(likely)),
            )
    if not shown and "question" in source.chosen:
        shown = {"question": source.chosen["question"]}
    found = []
    for one in items:
        expected = as_outputs(one.given.get(answer)) if answer else {}
        keep = set(shown.values()) or columns - {answer}
        given = {key: value for key, value in one.given.items() if key in keep}
        questions = [key for key in given if key.casefold() in QUESTIONS]
        if not shown and questions and len(given) > 1:
            given = {key: given[key] for key in given if key == questions[0] or key.casefold() in CONTEXTS}
        for key in one.given.keys() - given.keys() - {answer}:
            if not is_nothing(one.given[key]):
                what = _("The column `{name}` is left out.", name=key)
                source.notes.add(one.where, what, _("Neither the prompt nor a metric uses it."))
        found.append(Item(one.where, given, expected))
    text = prompt.prompt if prompt else ""
    imported = of_items(found, source.notes, source.name, prompt=text, shown=shown)
    for template in imported:
        template.metric, template.criteria = metric, criteria
        if prompt:
            template.extra = prompt.extra
    return imported


def _list(data: Any) -> list[Any]:
    return data if isinstance(data, list) else []


def _dict(data: Any) -> dict[str, Any]:
    return data if isinstance(data, dict) else {}
