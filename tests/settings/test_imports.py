"""What reading settings does not load: start-up time is a promise."""

import subprocess
import sys

import pytest

HEAVY = (
    "aiohttp",
    "asyncio",
    "difflib",
    "fcntl",
    "httpx",
    "keyring",
    "litellm",
    "platformdirs",
    "ruamel",
    "spotui.workspace",
    "tempfile",
    "textual",
    "tiktoken",
    "yaml",
)

RESOLVE = """
import os
from spotui.settings.config_file import load_config
from spotui.settings.resolve import Flags, resolve
resolve(Flags(), os.environ, {}, load_config())
"""


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import spotui.settings", ()),
        ("import spotui.llm.routing", ()),
        (
            RESOLVE,
            ("platformdirs",),
        ),
    ],
)
def test_heavy_modules_wait_until_they_are_needed(
    code: str, allowed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPOTUI_CONFIG", raising=False)
    monkeypatch.setenv("SPOTUI_CONFIG_DIR", "/nonexistent")
    command = f"{code}\nimport sys; print(*(name for name in {HEAVY} if name in sys.modules))"
    shown = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert set(shown.stdout.split()) <= set(allowed)
