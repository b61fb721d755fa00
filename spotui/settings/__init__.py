"""What the user wants: the config file, the environment, flags, roles, models and keys."""

from spotui.settings.config_file import ConfigFile
from spotui.settings.environment import known_variables
from spotui.settings.errors import Problem, SettingsError
from spotui.settings.flags import Flags, flag_name
from spotui.settings.keys import delete_key, key_from, mask, read_key, store_key
from spotui.settings.load import load_config, parse_config
from spotui.settings.reference_import import ReferenceImport, import_reference
from spotui.settings.resolve import Resolution, resolve
from spotui.settings.roles import DEFAULT_MODEL, REFERENCE_MODEL, ROLES, Role, is_embedded
from spotui.settings.run_settings import BudgetSettings, RetrySettings, RoleSet, RoleSettings, RunSettings
from spotui.settings.save import remove_model, save_default, save_model, save_role
from spotui.settings.schema import Config, ModelConfig, PriceConfig, RoleConfig, RolesConfig
from spotui.settings.table import SETTINGS, Setting
from spotui.settings.template_roles import template_roles

__all__ = [
    "DEFAULT_MODEL",
    "REFERENCE_MODEL",
    "ROLES",
    "SETTINGS",
    "BudgetSettings",
    "Config",
    "ConfigFile",
    "Flags",
    "ModelConfig",
    "PriceConfig",
    "Problem",
    "ReferenceImport",
    "Resolution",
    "RetrySettings",
    "Role",
    "RoleConfig",
    "RoleSet",
    "RoleSettings",
    "RolesConfig",
    "RunSettings",
    "Setting",
    "SettingsError",
    "delete_key",
    "flag_name",
    "import_reference",
    "is_embedded",
    "key_from",
    "known_variables",
    "load_config",
    "mask",
    "parse_config",
    "read_key",
    "remove_model",
    "resolve",
    "save_default",
    "save_model",
    "save_role",
    "store_key",
    "template_roles",
]
