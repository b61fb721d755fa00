"""The folder that holds the models of this machine: one folder a model, usable once its record is written.

<folder>/<name>/model.gguf   the model, unless it stays where the user has it
<folder>/<name>/model.json   what it is; written last, after its bytes have been checked
<folder>/<name>/NOTICE.txt   its licence
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from spotui.lang import _
from spotui.llm.local.catalog import known_model
from spotui.llm.local.files import LocalModelError, PullError, UnknownModelError, sha256_of
from spotui.settings.locations import make_private
from spotui.settings.table import EMBEDDED_PREFIX

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_RECORD: Final = "model.json"
_OWN_FILE: Final = "model.gguf"


class StoredModel(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model that is on this machine.

    Attributes:
        id: What the user writes, with the prefix `local/`.
        path: The GGUF file; relative to the model's folder when it is ours, absolute when it is the user's.
        bytes: Its size when it was checked.
        mtime_ns: Its time of change when it was checked, in nanoseconds since the epoch.
        sha256: Of the whole file.
        origin: Where it came from.
        licence: SPDX id, or empty when we do not know it.
    """

    id: str
    path: str
    bytes: int
    mtime_ns: int
    sha256: str
    origin: str
    licence: str = ""

    @property
    def is_linked(self) -> bool:
        """Whether the file is the user's own and only referred to."""
        return Path(self.path).is_absolute()


class ModelStore:
    """The models below one folder.

    Args:
        folder: Where they are kept; made when the first one comes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def models(self) -> tuple[StoredModel, ...]:
        """Every usable model, by id; folders with an unreadable record are left out."""
        records = (self._read(record) for record in sorted(self.folder.glob(f"*/{_RECORD}")))
        return tuple(model for model in records if model is not None)

    def get(self, model_id: str) -> StoredModel:
        """One model's record.

        Raises:
            UnknownModelError: It is not on this machine.
        """
        model = self._read(self.folder_of(model_id) / _RECORD)
        if model is not None:
            return model
        if known_model(model_id):
            raise UnknownModelError(
                _("The model {model} is not on this machine yet.", model=model_id),
                _("Download it with: spotui models pull {model}", model=model_id),
            )
        raise UnknownModelError(
            _("The model {model} is not on this machine.", model=model_id),
            _("Add your GGUF file with: spotui models pull PATH-OR-URL"),
        )

    def folder_of(self, model_id: str) -> Path:
        """The folder of one model, whether it exists or not.

        Raises:
            UnknownModelError: The id is no `local/<name>`.
        """
        name = model_id.removeprefix(EMBEDDED_PREFIX)
        if name == model_id or not _NAME.fullmatch(name):
            raise UnknownModelError(
                _("{model!r} is not the name of a local model.", model=model_id),
                _("Write local/ and a name of small letters, digits, dots, dashes and underscores."),
            )
        return self.folder / name

    def own_file(self, model_id: str) -> Path:
        """Where a model's file lies when we keep it."""
        return self.folder_of(model_id) / _OWN_FILE

    async def checked_path(self, model_id: str) -> Path:
        """The model's file, known to be what was checked when it came.

        A file whose size and time are as recorded is taken as it is; otherwise it is hashed once more.

        Raises:
            UnknownModelError: The model is not on this machine.
            LocalModelError: The file is gone, or holds something else than it did.
        """
        model = self.get(model_id)
        path = self.folder_of(model_id) / model.path
        try:
            stat = path.stat()
            if (stat.st_size, stat.st_mtime_ns) == (model.bytes, model.mtime_ns):
                return path
            same = stat.st_size == model.bytes and await sha256_of(path) == model.sha256
        except OSError as error:
            raise LocalModelError(
                _(
                    "The file of the model {model} cannot be read: {path}: {reason}.",
                    model=model_id,
                    path=path,
                    reason=error.strerror,
                ),
                _again(model),
            ) from error
        if not same:
            raise LocalModelError(
                _("The file of the model {model} has changed: {path}.", model=model_id, path=path),
                _again(model),
            )
        with suppress(OSError):
            self._write(msgspec.structs.replace(model, mtime_ns=stat.st_mtime_ns))
        return path

    def add(self, model_id: str, file: Path, *, sha256: str, origin: str) -> StoredModel:
        """Record a file that has just been checked; from now on the model is usable.

        Args:
            model_id: Its id.
            file: Either `own_file(model_id)` or a file of the user's.
            sha256: Of the file.
            origin: Where it came from.

        Raises:
            OSError: The record cannot be written.
        """
        known = known_model(model_id)
        stat = file.stat()
        model = StoredModel(
            id=model_id,
            path=_OWN_FILE if file == self.own_file(model_id) else str(file.resolve()),
            bytes=stat.st_size,
            mtime_ns=stat.st_mtime_ns,
            sha256=sha256,
            origin=origin,
            licence=known.licence if known else "",
        )
        if known:
            notice = (
                f"{known.title}\n"
                f"Made by {known.maker}, who hold the copyright. Licence: {known.licence}\n"
                f"(its text: https://spdx.org/licenses/{known.licence}.html).\n"
                f"Fetched by spotui from {origin}.\n"
                f"The file is unchanged; sha256 {sha256}\n"
            )
            (self.folder_of(model_id) / "NOTICE.txt").write_text(notice, encoding="utf-8")
        self._write(model)
        return model

    def remove(self, model_id: str) -> int:
        """Delete a model and everything fetched for it; a linked file of the user's stays.

        Returns:
            Bytes freed.

        Raises:
            UnknownModelError: There is nothing of this id.
            PullError: It is being pulled right now.
            LocalModelError: It cannot be deleted.
        """
        folder = self.folder_of(model_id)
        if not folder.is_dir():
            self.get(model_id)
        with self.lock(model_id):
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            try:
                # First the record: a model half deleted must not look usable.
                (folder / _RECORD).unlink(missing_ok=True)
                shutil.rmtree(folder)
            except OSError as error:
                raise LocalModelError(
                    _(
                        "The model {model} cannot be deleted: {path}: {reason}.",
                        model=model_id,
                        path=error.filename,
                        reason=error.strerror,
                    ),
                    _("Delete the folder yourself."),
                ) from error
        return size

    @contextmanager
    def lock(self, model_id: str) -> Iterator[None]:
        """Hold a model's folder against other processes; never waits.

        Raises:
            PullError: Another process holds it.
        """
        from filelock import FileLock, Timeout

        name = self.folder_of(model_id).name
        make_private(self.folder)
        try:
            with FileLock(self.folder / f".{name}.lock", timeout=0):
                yield
        except Timeout:
            raise PullError(
                _("Another spotui is downloading the model {model} right now.", model=model_id),
                _("Wait for it, or stop it."),
            ) from None

    def _write(self, model: StoredModel) -> None:
        record = self.folder_of(model.id) / _RECORD
        make_private(record.parent)
        new = record.with_suffix(".new")
        new.write_bytes(msgspec.json.format(msgspec.json.encode(model)))
        new.replace(record)

    def _read(self, record: Path) -> StoredModel | None:
        try:
            model = msgspec.json.decode(record.read_bytes(), type=StoredModel)
        except (OSError, msgspec.MsgspecError):
            return None
        # A folder that was renamed by hand is not the model its record speaks of.
        return model if model.id == EMBEDDED_PREFIX + record.parent.name else None


def _again(model: StoredModel) -> str:
    source = model.path if model.is_linked else model.id if known_model(model.id) else "PATH-OR-URL"
    return _(
        "Download it again: spotui models remove {model}, then spotui models pull {source}",
        model=model.id,
        source=source,
    )
