"""What a user may name to be pulled, and what to tell them before they agree."""

import os
import re
from pathlib import Path
from typing import Literal

import msgspec

from spotui.llm.local.catalog import CatalogModel, known_model
from spotui.llm.local.download import public_url
from spotui.llm.local.errors import PullError
from spotui.settings.roles import EMBEDDED_PREFIX

_HUB = "https://huggingface.co"
_HUB_FILE = re.compile(r"hf:([\w.-]+/[\w.-]+)/(.+\.gguf)", re.IGNORECASE)
_BAD_IN_NAMES = re.compile(r"[^a-z0-9._-]+")


class Source(msgspec.Struct, frozen=True):
    """Where a model comes from.

    Attributes:
        kind: `catalog` for a known model, `url` for a download, `file` for a file of the user's.
        model_id: The id the model has here.
        place: The id, the URL or the absolute path.
        title: What to call it before the user.
        origin: Where its bytes come from and how they are checked, one sentence without a full stop.
        bytes: Size on disk, or None when it is not known yet.
        download_bytes: What comes over the network, or None when it is not known yet.
        licence: SPDX id, or empty when we do not know it.
    """

    kind: Literal["catalog", "url", "file"]
    model_id: str
    place: str
    title: str
    origin: str
    bytes: int | None = None
    download_bytes: int | None = None
    licence: str = ""


def read_source(text: str, *, name: str | None = None) -> Source:
    """Make out what a user means.

    Args:
        text: A known id such as `local/smollm2-135m`, an http or https URL, a hub's file as
            `hf:owner/repo/file.gguf`, or the path of a GGUF file.
        name: How to call the model here; None makes a name from the file's.

    Returns:
        The source; nothing has been fetched.

    Raises:
        PullError: It is none of these, or the file is not there.
    """
    known = known_model(text)
    if known is not None:
        return _catalog_source(known)
    if text.startswith(EMBEDDED_PREFIX) and not Path(text).exists():
        raise PullError(f"There is no known model {text}.", "See: spotui models list")
    if text.lower().startswith("hf:"):
        found = _HUB_FILE.fullmatch(text)
        if found is None:
            raise PullError(f"{text} is no file of a model hub.", "Write hf:owner/repository/file.gguf")
        hub = os.environ.get("HF_ENDPOINT", "").rstrip("/") or _HUB
        url = f"{hub}/{found[1]}/resolve/main/{found[2]}"
        return _source(
            "url", url, found[2], name, f"{found[1]}/{found[2]} on the model hub at {public_url(hub)}"
        )
    if re.match(r"https?://", text, re.IGNORECASE):
        return _source("url", text, public_url(text), name, public_url(text))
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise PullError(f"There is no file {path}.", "Give a GGUF file, a URL, or one of: spotui models list")
    return _source("file", str(path), path.name, name, "a file of yours, which stays where it is")


def _catalog_source(model: CatalogModel) -> Source:
    return Source(
        kind="catalog",
        model_id=model.id,
        place=model.id,
        title=model.title,
        origin=model.origin,
        bytes=model.bytes,
        download_bytes=model.download_bytes,
        licence=model.licence,
    )


def _source(kind: Literal["url", "file"], place: str, file: str, name: str | None, origin: str) -> Source:
    stem = (name or re.split(r"[/\\]", file)[-1]).removeprefix(EMBEDDED_PREFIX).lower().removesuffix(".gguf")
    model_id = EMBEDDED_PREFIX + (_BAD_IN_NAMES.sub("-", stem).strip("-._")[:100] or "model")
    if known_model(model_id):
        raise PullError(f"The name {model_id} is that of a known model.", "Give it another name.")
    size = Path(place).stat().st_size if kind == "file" else None
    return Source(kind, model_id, place, stem, origin, size, 0 if kind == "file" else None)
