"""What is read from a data file before anybody knows which column is what."""

from collections.abc import Mapping
from typing import Any

from spotui.dataset.faults import BadRowError

Record = Mapping[str, Any]
Read = tuple[int, Record | BadRowError]
"""The line a record begins on, and the record, or what is wrong with it; reading goes on after that."""
