"""httpx, without the command-line client that comes inside it.

httpx imports its own command line, and click, rich and pygments with it, and goes on without when they are
missing: half of its import time, and ten megabytes that every run would hold.
"""

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # a module that is not to be found

import httpx  # noqa: E402

__all__ = ["httpx"]
