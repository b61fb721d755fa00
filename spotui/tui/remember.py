"""Keeping the model of a first run as the one for every run."""

import msgspec
from msgspec import UNSET

from spotui.settings import DEFAULT_MODEL, ROLES, ModelConfig, load_config
from spotui.settings.save import save_model, save_role
from spotui.settings.schema import RoleConfig


def remember(model: str, base_url: str) -> bool:
    """Make a model that of all three roles in the config file, if none is chosen there yet and it is another.

    Returns:
        Whether it was written.

    Raises:
        SettingsError: The config file is wrong or cannot be written.
    """
    config = load_config().config
    if model == DEFAULT_MODEL or any(getattr(config.roles, role).model is not UNSET for role in ROLES):
        return False
    if base_url:
        entry = config.models.get(model, ModelConfig())
        save_model(model, msgspec.structs.replace(entry, base_url=base_url))
    for role in ROLES:
        save_role(role, RoleConfig(model=model))
    return True
