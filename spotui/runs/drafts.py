"""The rows that a model wrote for a template: what a person decided of each, and those that were kept."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.settings.locations import expanded, make_private
from spotui.templates.model import QA, Template
from spotui.templates.read import read_template
from spotui.templates.save import save_template
from spotui.templates.sections import has_file, source_of
from spotui.workspace.files import open_file, read_file, replace_file
from spotui.workspace.projects import Workspace

Decision = Literal["open", "kept", "dropped"]


class Draft(msgspec.Struct, frozen=True):
    """A row that a model wrote, before a person has looked at it.

    Attributes:
        question: What is asked; empty where the prompt's slots hold all there is.
        answer: What the model takes for the right answer; empty where rows have none.
        slots: The other columns.
    """

    question: str
    answer: str = ""
    slots: dict[str, str] = {}

    @property
    def shown(self) -> str:
        """What a model would be shown of it."""
        return "\n".join(
            filter(None, [self.question, *(f"{key}: {text}" for key, text in self.slots.items())])
        )


class _Line(msgspec.Struct, frozen=True):
    template: str
    decision: Decision
    draft: Draft


_decoder: Final = msgspec.json.Decoder(_Line)
_encoder: Final = msgspec.json.Encoder(order="sorted")


class Drafts:
    """The drafts of one template, in a file that only grows, so that a crash loses none.

    Args:
        folder: Where the calls that brought them are kept.
        template: The file that they are for.
    """

    def __init__(self, folder: Path, template: Path) -> None:
        self._file = folder / "drafts.jsonl"
        self._template = template.absolute()

    def all(self, decision: Decision) -> list[Draft]:
        """The drafts of which that was decided last, in the order in which they came.

        Raises:
            SpotuiError: The file is there and cannot be read.
        """
        try:
            data = read_file(self._file)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise SpotuiError(
                _("{file} cannot be read: {strerror}.", file=self._file, strerror=error.strerror),
                _("Check its permissions."),
            ) from None
        newest: dict[bytes, _Line] = {}
        for text in data.splitlines():
            try:
                line = _decoder.decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # a crash tore it
            if line.template == str(self._template):
                newest[_encoder.encode(line.draft)] = line
        return [line.draft for line in newest.values() if line.decision == decision]

    def note(self, drafts: Sequence[Draft], decision: Decision) -> None:
        """Write down what is decided of some drafts, or that they have come.

        Raises:
            SpotuiError: The file cannot be written.
        """
        lines = [_Line(str(self._template), decision, one) for one in drafts]
        # A line that a crash has torn ends where the next one begins.
        data = b"".join(b"\n" + _encoder.encode(one) + b"\n" for one in lines)
        try:
            make_private(self._file.parent)
            with os.fdopen(open_file(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "wb") as file:
                file.write(data)
        except OSError as error:
            raise _unwritable(self._file, error) from None

    def keep(self, chosen: Sequence[tuple[Draft, Draft]]) -> Path:
        """Add drafts to their template at once.

        Args:
            chosen: Each as the model wrote it, and as a person has left it.

        Returns:
            The file that was written.

        Raises:
            TemplateError: The template cannot be read or changed.
            SpotuiError: A file cannot be written.
        """
        file = keep_rows(self._template, read_template(self._template), [left for _written, left in chosen])
        self.note([written for written, _left in chosen], "kept")
        return file


def drafts_folder(workspace: Workspace, template: Path) -> Path:
    """Where the calls and drafts for a template are kept; it need not exist.

    Raises:
        ProjectError: The name of the template cannot be a folder's.
    """
    return workspace.measured(f"{template.stem}-rows")


def keep_rows(path: Path, template: Template, drafts: Sequence[Draft]) -> Path:
    """Add rows to a template, marked as synthetic.

    Where the template lists its questions, they are added to the list. Where its rows come from a file, they
    go into one beside the template, which `data.synthetic` names.

    Args:
        path: The template's file.
        template: What it says.
        drafts: The rows.

    Returns:
        The file that was written.

    Raises:
        TemplateError: The template cannot be changed.
        SpotuiError: The file cannot be written.
    """
    if not has_file(template):
        new = tuple(QA(one.question, one.answer, synthetic=True) for one in drafts)
        save_template(path, msgspec.structs.replace(template, qa=(*template.qa, *new)))
        return path
    source = source_of(template)
    name = source.synthetic or f"{path.stem}.synthetic.jsonl"
    file = path.parent / expanded(name)
    columns = {key: one[0] for key, one in source.columns.items()}
    lines = [_record(one, columns) for one in drafts]
    try:
        before = read_file(file) if file.exists() else b""
        added = b"".join(msgspec.json.encode(one) + b"\n" for one in lines)
        replace_file(file, before + (b"\n" if before and not before.endswith(b"\n") else b"") + added)
    except OSError as error:
        raise _unwritable(file, error) from None
    if source.synthetic is None:
        data = template.data if isinstance(template.data, dict) else {"path": template.data}
        save_template(path, msgspec.structs.replace(template, data={**data, "synthetic": name}))
    return file


def _record(draft: Draft, columns: dict[str, str]) -> dict[str, Any]:
    """The row as an object that the template's columns lead into."""
    texts = {**draft.slots, "question": draft.question, "answer": draft.answer}
    found: dict[str, Any] = {"synthetic": True}
    for name, text in texts.items():
        if not text:
            continue
        *outer, last = columns.get(name, name).split(".")
        here = found
        for step in outer:
            here = here.setdefault(step, {})
        here[last] = text
    return found


def _unwritable(file: Path, error: OSError) -> SpotuiError:
    return SpotuiError(
        _("{file} cannot be written: {strerror}.", file=file, strerror=error.strerror),
        _("Check its folder."),
    )
