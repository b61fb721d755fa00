"""The models that a template or a project asks for."""

from collections.abc import Callable, Mapping

from spotui.settings.check import Checker, Keys
from spotui.settings.schema import RolesConfig


def template_roles(
    models: object, file: str = "template", line_of: Callable[[Keys], int] = lambda _: 0
) -> RolesConfig:
    """Read a template's `models`: a role's model id alone, or the fields that the config file knows.

    Args:
        models: The plain data below the key, such as `{"executor": "gpt-4o-mini"}`.
        file: What the template is called in messages.
        line_of: The line of a path below `models`, from 1; 0 when lines mean nothing.

    Returns:
        The roles, UNSET where the template says nothing.

    Raises:
        SettingsError: A role, a field or a value is wrong; it names them all.
    """
    if isinstance(models, Mapping):
        models = {
            role: {"model": wanted} if isinstance(wanted, str) else wanted for role, wanted in models.items()
        }
    checker = Checker(file, lambda keys: line_of(keys[1:]))
    roles = checker.struct(RolesConfig, models, ("models",))
    checker.raise_problems()
    return roles or RolesConfig()
