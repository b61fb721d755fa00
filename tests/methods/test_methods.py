"""Finding a method by its name."""

import pytest

from spotui.errors import SpotuiError
from spotui.methods import METHODS, load_method
from spotui.methods.spo import optimize


def test_every_method_loads_by_its_name() -> None:
    assert {name: load_method(name) for name in METHODS} == {"spo": optimize}


def test_an_unknown_method_is_refused_with_those_there_are() -> None:
    with pytest.raises(SpotuiError, match="no method 'gpo'") as refused:
        load_method("gpo")
    assert "spo" in refused.value.mend
