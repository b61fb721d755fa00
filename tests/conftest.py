"""What holds for every test."""

import os

from hypothesis import settings

# A busy machine must not fail a property; what has to be quick is measured in benchmarks/.
settings.register_profile("spotui", deadline=None)
settings.load_profile("spotui")

# Hundreds of tests start spotui as a process of its own, which would compile all of it each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_xdist_auto_num_workers() -> int:
    """Tests wait for servers, processes and screens more than they compute."""
    return 2 * (os.cpu_count() or 1)
