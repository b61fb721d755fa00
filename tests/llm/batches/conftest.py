"""Batches that are looked at at once."""

import pytest

from spotui.llm.batches import batch, collector


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing that a real provider would need time for."""
    monkeypatch.setattr(batch, "FIRST_LOOK", 0.02)
    monkeypatch.setattr(batch, "LONGEST_LOOK", 0.05)
    monkeypatch.setattr(batch, "SETTLING", 0.2)
    monkeypatch.setattr(collector, "_LOOK", 0.01)
