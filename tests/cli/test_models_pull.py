"""`spotui models pull`: asked first, told as it goes, listed and removed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.llm.local import catalog
from spotui.llm.local.catalog import CatalogModel
from spotui.settings import DEFAULT_MODEL
from spotui.settings.roles import EMBEDDED_PREFIX
from tests.cli.conftest import Shell
from tests.llm.local.package_index import PackageIndex, offer, package_index
from tests.llm.local.tiny_model import write_tiny_model


@pytest.fixture
def index(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    with package_index(monkeypatch, home) as served:
        yield served


@pytest.fixture
def known(home: Path, monkeypatch: pytest.MonkeyPatch, index: PackageIndex) -> CatalogModel:
    content = write_tiny_model(home / "tiny.gguf").read_bytes()
    return offer(monkeypatch, index, content, 1)


def test_nothing_is_fetched_when_there_is_nobody_to_ask(
    shell: Shell, index: PackageIndex, known: CatalogModel
) -> None:
    outcome = shell("models", "pull", known.id)
    assert outcome.code != 0
    assert "nobody to ask" in outcome.err
    assert f"models pull {known.id} --yes" in outcome.err
    assert index.server.asked == []


def test_what_will_be_fetched_is_told_before_it_is(shell: Shell, known: CatalogModel, home: Path) -> None:
    outcome = shell("models", "pull", known.id, "--yes")
    assert outcome.code == 0
    terms, ready = outcome.err.index("It comes from"), outcome.err.index(f"{known.id} is ready")
    assert terms < ready
    for fact in (known.title, "1 MB", known.licence, "someone other than The Tests", "sha256"):
        assert fact in outcome.err[:ready]
    assert (home / "data" / "models" / "tiny-known" / "model.gguf").is_file()
    assert f"{known.id}  on this machine" in shell("models", "list").out


@pytest.mark.parametrize(
    ("answer", "code"), [("n", False), ("no", False), ("what?", False), ("", True), ("Y", True)]
)
def test_a_person_is_asked(
    shell: Shell,
    index: PackageIndex,
    known: CatalogModel,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: bool,
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda: answer)
    outcome = shell("models", "pull", known.id)
    assert (outcome.code == 0) is code
    assert "Fetch it now? [Y/n]" in outcome.err
    assert bool(index.server.asked) is code


def test_a_file_of_the_users_is_noted_listed_and_let_go(shell: Shell, home: Path) -> None:
    file = write_tiny_model(home / "mine.gguf")
    assert shell("models", "pull", str(file)).code == 0
    assert f"local/mine  {file}" in shell("models", "list").out
    assert shell("models", "remove", "local/mine").code == 0
    assert file.is_file()
    assert "local/mine" not in shell("models", "list").out


def test_a_wrong_hash_fails_the_command(shell: Shell, home: Path) -> None:
    file = write_tiny_model(home / "mine.gguf")
    outcome = shell("models", "pull", str(file), "--sha256", "0" * 64)
    assert outcome.code != 0
    assert "it holds other bytes" in outcome.err


def test_the_real_catalog_names_every_part_once_and_holds_the_default() -> None:
    assert DEFAULT_MODEL in {model.id for model in catalog.CATALOG}
    for model in catalog.CATALOG:
        assert len(set(model.packages)) == len(model.packages)
        assert len(model.sha256) == 64
        assert model.id.startswith(EMBEDDED_PREFIX)
