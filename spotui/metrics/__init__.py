"""Scoring answers without a model: each metric compares an answer with what a row expects."""

from spotui.metrics.choose import JUDGE, METRICS, MetricChoice, make_metric, read_choice, worker_choice
from spotui.metrics.mark import Mark, Metric, MetricError

__all__ = [
    "JUDGE",
    "METRICS",
    "Mark",
    "Metric",
    "MetricChoice",
    "MetricError",
    "make_metric",
    "read_choice",
    "worker_choice",
]
