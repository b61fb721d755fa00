"""A package index on loopback, as pip reads it, with one tiny wheel for each part of a model."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spotui.llm.local import catalog
from spotui.llm.local.catalog import CatalogModel
from tests.llm.local.file_server import FileServer, ServedFile

VERSION = "1.0"
HUB_PATH = "/tests/tiny/resolve/1234abcd/tiny.gguf"


class PackageIndex:
    """Serves a model's parts.

    Args:
        server: What serves the files.
        marker: A file that any code of a package would write if it were run.
    """

    def __init__(self, server: FileServer, marker: Path) -> None:
        self.server = server
        self.marker = marker

    def add(self, package: str, data: bytes, *, members: int = 1) -> ServedFile:
        """Offer a part; the wheel as it is served."""
        body = self._wheel(package, data, members)
        file = ServedFile(body)
        name = wheel_name(package)
        self.server.files[f"/files/{name}"] = file
        link = f"{self.server.url}/files/{name}#sha256={hashlib.sha256(body).hexdigest()}"
        page = f'<!DOCTYPE html><html><body><a href="{link}">{name}</a></body></html>'
        self.server.files[f"/simple/{package}/"] = ServedFile(
            page.encode(), headers={"Content-Type": "text/html"}
        )
        return file

    def fetched(self, package: str) -> int:
        """How often the wheel was asked for."""
        return sum(path == f"/files/{wheel_name(package)}" for path, _ in self.server.asked)

    def _wheel(self, package: str, data: bytes, members: int) -> bytes:
        stem = package.replace("-", "_")
        info = f"{stem}-{VERSION}.dist-info"
        files = {
            f"{stem}/__init__.py": f"open({str(self.marker)!r}, 'w').close()\n".encode(),
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {VERSION}\n"
            "Requires-Dist: a-package-that-is-not-there\n".encode(),
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": b"",
            **{f"{stem}/data/part{number}.bin": data for number in range(members)},
        }
        wheel = io.BytesIO()
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, body in files.items():
                archive.writestr(name, body)
        return wheel.getvalue()


def wheel_name(package: str) -> str:
    return f"{package.replace('-', '_')}-{VERSION}-py3-none-any.whl"


@contextmanager
def package_index(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[PackageIndex]:
    """An index that pip is set to use, and no other; the model hub refuses every connection."""
    with FileServer() as server:
        for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "http_proxy", "HTTP_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
        # pip warns of a connection that failed only when it tries again.
        monkeypatch.setenv("PIP_RETRIES", "1")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield PackageIndex(server, folder / "package-code-was-run")


def offer(
    monkeypatch: pytest.MonkeyPatch, index: PackageIndex, model: bytes, parts: int, **changes: object
) -> CatalogModel:
    """Put a model into the catalog, and its parts onto the index."""
    packages = tuple(f"tiny-model-part{number}" for number in range(1, parts + 1))
    size = -(-len(model) // parts)
    for number, package in enumerate(packages):
        index.add(package, model[number * size : (number + 1) * size])
    facts: dict[str, object] = {
        "id": "local/tiny-known",
        "title": "Tiny, F32",
        "repository": "tests/tiny",
        "revision": "1234abcd",
        "file": "tiny.gguf",
        "packages": packages,
        "version": VERSION,
        "member": "*/data/part*.bin",
        "bytes": len(model),
        "download_bytes": len(model),
        "sha256": hashlib.sha256(model).hexdigest(),
        "maker": "The Tests",
        "licence": "MIT",
        "notes": "Counts to three.",
        **changes,
    }
    known = CatalogModel(**facts)  # type: ignore[arg-type]
    monkeypatch.setattr(catalog, "CATALOG", (known,))
    return known
