"""What the user's config folder says about the screen; nothing is loaded for files that are not there."""

from typing import TYPE_CHECKING, NamedTuple

from spotui.domain.errors import SpotuiError
from spotui.settings import locations

if TYPE_CHECKING:
    from spotui.settings.shortcuts import UserKeys


class Preferences(NamedTuple):
    """How the user wants the app.

    Attributes:
        theme: The theme to begin with; empty when none was chosen.
        keys: The user's own keys, not checked yet; None when there are none.
        problems: What could not be read.
    """

    theme: str = ""
    keys: "UserKeys | None" = None
    problems: tuple[SpotuiError, ...] = ()


def read_preferences() -> Preferences:
    """Read them; what cannot be read is told and left out."""
    found, problems = Preferences(), []
    try:
        found = found._replace(theme=saved_theme())
    except SpotuiError as error:
        problems.append(error)
    try:
        found = found._replace(keys=_keys())
    except SpotuiError as error:
        problems.append(error)
    return found._replace(problems=tuple(problems))


def saved_theme() -> str:
    """The theme of the config file; empty when there is none in it.

    Raises:
        SettingsError: The config file is wrong.
    """
    if not locations.config_file().exists():
        return ""
    from spotui.settings.config_file import load_config

    return load_config().config.theme or ""


def _keys() -> "UserKeys | None":
    if not locations.keys_file().exists():
        return None
    from spotui.settings.shortcuts import load_user_keys

    return load_user_keys()
