"""Reads DSPy's saved programs: the instructions and demos of each predictor."""

from collections.abc import Iterator
from typing import Any, Final

from spotui.lang import _
from spotui.templates.data.values import written
from spotui.templates.exchange.braces import literal, slot_of
from spotui.templates.exchange.imported import Imported, Record, SourceError, note_requirements
from spotui.templates.exchange.source import Source, listed

_REASONING: Final = ("reasoning", "rationale")
_OWN: Final = ("augmented", "dspy_uuid", "dspy_split")


def recognises(source: Source) -> bool:
    """Whether a file is a saved program."""
    return any(_predictors(source.document, ""))


def read(source: Source) -> list[Imported]:
    """A template for each predictor of a program."""
    found = []
    for path, predictor in _predictors(source.document, ""):
        found.append(_of_predictor(source, path, predictor))
    note_requirements(source.notes, source.name)
    return found


def _predictors(data: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The predictors of a program with their paths, however modules are nested."""
    if not isinstance(data, dict):
        return
    if isinstance(data.get("demos"), list) and (
        isinstance(data.get("signature"), dict) or "signature_instructions" in data
    ):
        yield path, data
        return
    for name, inner in data.items():
        if name != "metadata":
            yield from _predictors(inner, f"{path}.{name}" if path else name)


def _fields(predictor: dict[str, Any]) -> list[str]:
    """The names of the fields of a signature, spelled as in the demos."""
    signature = predictor.get("signature") or predictor.get("extended_signature") or {}
    fields = signature.get("fields") if isinstance(signature, dict) else None
    prefixes = [
        str(one.get("prefix", "")).strip().rstrip(":")
        for one in (fields if isinstance(fields, list) else [])
        if isinstance(one, dict)
    ]
    names = ["_".join(prefix.casefold().split()) for prefix in prefixes if prefix]
    demos = [one for one in predictor["demos"] if isinstance(one, dict)]
    seen = list(dict.fromkeys(key for one in demos for key in one if key not in _OWN))
    folded = {key.casefold(): key for key in seen}
    return [folded.get(name, name) for name in names] or seen


def _of_predictor(source: Source, path: str, predictor: dict[str, Any]) -> Imported:
    where = f"{source.name}, {path}" if path else source.name
    signature = predictor.get("signature") or {}
    instructions = signature.get("instructions", predictor.get("signature_instructions", ""))
    names = [name for name in _fields(predictor) if name not in _REASONING]
    if len(names) < 2:
        raise SourceError(
            _("{where}: The signature has no input and output.", where=where),
            _("Save the program with `program.save('program.json')`."),
        )
    *inputs, output = names
    what = _(
        "`{output}` is taken for the output, and {inputs} for the inputs.",
        output=output,
        inputs=listed(inputs),
    )
    source.notes.add(where, what, _("A saved program does not say it; the last field usually is."))
    rows = []
    several = predictor["demos"] or predictor.get("train") or []
    for number, demo in enumerate(several, 1):
        if not isinstance(demo, dict) or any(name not in demo for name in inputs):
            why = _("It lacks an input.")
            source.notes.add(f"{where}, demos[{number}]", _("The demo is left out."), why)
            continue
        row: Record = {name: demo[name] for name in inputs}
        if len(inputs) == 1:
            row = {"question": written(demo[inputs[0]])}
        if output in demo:
            row["answer" if len(inputs) == 1 else output] = demo[output]
        rows.append(row)
    if any(isinstance(one, dict) and one.keys() & {*_REASONING} for one in several):
        why = _("A template has rows, and no worked answers: see few_shot_demos.")
        source.notes.add(where, _("The reasoning of demos is left out."), why)
    if not rows:
        what = _("It has a prompt and no rows.")
        source.notes.add(where, what, _("List questions below `qa:`, or name a file below `data:`."))
    if predictor.get("lm"):
        source.notes.add(where, _("`{key}` is left out.", key="lm"), _("Choose models below `models:`."))
    imported = Imported(
        prompt=literal(str(instructions), source.notes, where),
        label=path,
        rows={None: rows} if rows else {},
        origin={"predictor": path, "inputs": inputs, "output": output},
    )
    _lay_out(imported, inputs, output)
    return imported


def _lay_out(imported: Imported, inputs: list[str], output: str) -> None:
    """Put the inputs where DSPy has them: in the user's message, below the instructions of the system."""
    if len(inputs) == 1:
        imported.extra = {"position": "system"}
        return
    slots = {slot_of(name): name for name in inputs}
    shown = "\n\n".join(f"{name}: {{{slot}}}" for slot, name in slots.items())
    imported.columns = {slot: name for slot, name in slots.items() if slot != name}
    imported.columns["answer"] = output
    imported.extra = {
        "messages": [{"role": "system", "content": "{prompt}"}, {"role": "user", "content": shown}]
    }
