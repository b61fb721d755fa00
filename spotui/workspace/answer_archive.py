"""answers.jsonl: a model's answers to a template's questions, which outlive the model.

A line is added as soon as its answer is there, so a process that is killed loses none. What a line is the
answer to is in its `id`, a hash of everything that was asked, so questions may be added and moved.
"""

import os
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from spotui.domain.answer_cost import Taken
from spotui.domain.errors import SpotuiError
from spotui.domain.messages import Message
from spotui.domain.records import Moment, now
from spotui.domain.rows import Row
from spotui.lang import _, as_english
from spotui.settings.locations import make_private
from spotui.workspace.files import hint_for, lines_of, open_file, reading

_NAME: Final = "answers.jsonl"


class ArchiveError(SpotuiError):
    """Archived answers that cannot be used."""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model's answer.

    Attributes:
        text: What it said; of a conversation all turns, where all of them are judged or marked.
        error: Why there is none, in a sentence; empty where there is one.
        taken: What all calls for it took; None for a question that was refused.
    """

    text: str = ""
    error: str = ""
    taken: Taken | None = None


class Archived(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the archive.

    Attributes:
        id: A hash of what was asked, see `asked_id`.
        model: Who answered.
        prompt: The prompt.
        question: The question, for whoever reads the file.
        answer: The answer.
        at: When it was bought.
    """

    id: str
    model: str
    prompt: str
    question: str
    answer: Answer
    at: Moment = msgspec.field(default_factory=now)


_decoder = msgspec.json.Decoder(Archived)
_encoder = msgspec.json.Encoder(enc_hook=as_english)


def asked_id(prompt: str, messages: tuple[Message, ...], row: Row) -> str:
    """A hash of everything that a model reads of a question, the later turns of a conversation included.

    Args:
        prompt: The prompt, which a program gets apart from the question.
        messages: Prompt and question as a model gets them.
        row: The question with its slots and turns.
    """
    seen = msgspec.json.encode([prompt, messages, row.turns, sorted(row.slots.items())])
    return blake2b(seen, digest_size=16).hexdigest()


class AnswerArchive:
    """The archive of one model's answers.

    Args:
        folder: Where it is kept; it need not exist.
        model: Who answers.
    """

    def __init__(self, folder: Path, model: str) -> None:
        self.folder = folder
        self.model = model

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / _NAME

    def read(self) -> dict[str, Archived]:
        """Every answer, by the hash of what was asked; a line that was cut off by a crash is left out.

        Raises:
            ArchiveError: The file cannot be read.
        """
        found: dict[str, Archived] = {}
        try:
            with reading(self.path) as file:
                for line in lines_of(self.path, file):
                    try:
                        one = _decoder.decode(line)
                    except (msgspec.DecodeError, UnicodeDecodeError):
                        continue
                    if one.model == self.model:
                        found[one.id] = one
        except FileNotFoundError:
            return {}
        except OSError as error:
            what = _("{path} cannot be read: {strerror}.", path=self.path, strerror=error.strerror)
            raise ArchiveError(what, hint_for(error, _("Restore it from a backup."))) from None
        return found

    def add(self, prompt: str, question: str, asked: str, answer: Answer) -> None:
        """Keep an answer for good.

        Args:
            prompt: The prompt.
            question: The question.
            asked: The hash of what was asked.
            answer: What came.

        Raises:
            OSError: The disk is full or read-only.
        """
        make_private(self.folder)
        line = Archived(id=asked, model=self.model, prompt=prompt, question=question, answer=answer)
        file = open_file(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            size = os.fstat(file).st_size
            is_whole = not size or os.pread(file, 1, size - 1) == b"\n"
            os.write(file, (b"" if is_whole else b"\n") + _encoder.encode(line) + b"\n")
        finally:
            os.close(file)
