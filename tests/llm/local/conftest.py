"""The tiny model on the disk, written once for a process of tests."""

from pathlib import Path

import pytest

from tests.llm.local.tiny_model import write_tiny_model


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole GGUF file; not to be changed."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny") / "tiny.gguf")
