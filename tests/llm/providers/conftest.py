"""litellm as its provider loads it, for the tests that ask for it."""

import os
import sys
from typing import Any

import pytest

from spotui.llm.protocol import UnavailableError
from tests.llm.providers.asking_litellm import ask_at


@pytest.fixture(scope="session")
def litellm() -> Any:
    """The module, loaded before the test: no test times the import, some 4 seconds a process."""
    with pytest.raises(UnavailableError):
        ask_at("http://127.0.0.1:9/v1")
    return sys.modules["litellm"]


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without the keys of whoever runs the tests."""
    for name in [name for name in os.environ if name.endswith(("_KEY", "_TOKEN", "_BASE"))]:
        monkeypatch.delenv(name)
