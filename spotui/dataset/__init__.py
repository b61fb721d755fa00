"""The rows that scored methods work on: read from a template or a data file, checked, and split.

It knows no model and no screen; templates, metrics and runs build on it.
"""

from spotui.dataset.faults import DataError, RowFault
from spotui.dataset.load import Dataset, load_dataset
from spotui.dataset.row import Row
from spotui.dataset.slots import Lookalike, braced, fill, lookalikes, slot_fault, slot_names
from spotui.dataset.source import DataSource, read_source

__all__ = [
    "DataError",
    "DataSource",
    "Dataset",
    "Lookalike",
    "Row",
    "RowFault",
    "braced",
    "fill",
    "load_dataset",
    "lookalikes",
    "read_source",
    "slot_fault",
    "slot_names",
]
