"""How often a screen paints what comes from a run."""

import os

_PER_SECOND = 4.0
_PER_SECOND_OVER_SSH = 2.0


def seconds_between_paints() -> float:
    """How long to wait before painting again, in seconds; longer where every byte goes over a network."""
    return 1 / (_PER_SECOND_OVER_SSH if os.environ.get("SSH_CONNECTION") else _PER_SECOND)
