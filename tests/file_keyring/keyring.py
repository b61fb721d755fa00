"""Stands in for the keyring package in processes that tests start: keys in a file named by KEYRING_FILE."""

import json
import os
from pathlib import Path


def get_password(service: str, user: str) -> str | None:
    return _entries().get(f"{service} {user}")


def set_password(service: str, user: str, password: str) -> None:
    _file().write_text(json.dumps({**_entries(), f"{service} {user}": password}))


def delete_password(service: str, user: str) -> None:
    _file().write_text(json.dumps({key: it for key, it in _entries().items() if key != f"{service} {user}"}))


def _entries() -> dict[str, str]:
    entries: dict[str, str] = json.loads(_file().read_text()) if _file().exists() else {}
    return entries


def _file() -> Path:
    return Path(os.environ["KEYRING_FILE"])
