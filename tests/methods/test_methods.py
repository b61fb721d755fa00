"""Finding a method by its name."""

from pathlib import Path

import msgspec
import pytest

from spotui.errors import SpotuiError
from spotui.methods import check_method, load_method, method_names
from spotui.methods.method import NoParameters
from spotui.methods.parameters import read_parameters
from spotui.methods.spo import SPO


def test_every_method_loads_by_its_name() -> None:
    assert load_method("spo") is SPO
    for name in method_names():
        method = load_method(name)
        assert method.summary.endswith(".")
        assert "arXiv" in method.source
        assert read_parameters(name, method, {}) == msgspec.convert(dict(method.defaults), method.parameters)


def test_an_unknown_method_is_refused_with_those_there_are() -> None:
    with pytest.raises(SpotuiError, match="no method 'annealing'") as refused:
        check_method("annealing")
    assert "spo" in refused.value.mend
    with pytest.raises(SpotuiError) as refused:
        load_method("spoo")
    assert refused.value.mend == "Did you mean 'spo'?"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that adds two methods, one of which is broken, installed on the path."""
    (tmp_path / "annealing.py").write_text("async def optimize(engine):\n    pass\n", encoding="utf-8")
    info = tmp_path / "annealing-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: annealing\nVersion: 1.0\n", encoding="utf-8")
    points = "[spotui.methods]\nannealing = annealing:optimize\nbroken = annealing:nothing\n"
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("package")
def test_another_package_adds_a_method_by_an_entry_point() -> None:
    assert {"annealing", "spo"} <= set(method_names())
    assert load_method("annealing").parameters is NoParameters
    with pytest.raises(SpotuiError, match="'broken' cannot be loaded from annealing:nothing"):
        load_method("broken")
