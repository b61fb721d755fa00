"""How many threads the model may use with profit."""

import os
from contextlib import suppress
from pathlib import Path


def usable_cores() -> int:
    """Physical cores this process may use: two threads on one core only get in each other's way.

    Returns:
        At least 1; never more than a container's CPU quota.
    """
    if hasattr(os, "sched_getaffinity"):
        cpus = os.sched_getaffinity(0)
        cores = len({_siblings(cpu) for cpu in cpus})
    else:
        cores = os.cpu_count() or 1
    return max(1, min(cores, _quota(Path("/sys/fs/cgroup/cpu.max"))))


def _siblings(cpu: int) -> str:
    with suppress(OSError):
        topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
        return (topology / "thread_siblings_list").read_text()
    return str(cpu)


def _quota(limits: Path) -> int:
    """Whole cores of a cgroup's quota, or a large number without one."""
    with suppress(OSError, ValueError):
        quota, period = map(float, limits.read_text().split())
        return max(1, int(quota / period))
    return 1024
