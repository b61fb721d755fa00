"""The settings of a run, by the name of the module they were in before the table of settings had them."""

from spotui.settings.kinds import InvalidSettingError
from spotui.settings.table import (
    BudgetSettings,
    RetrySettings,
    RoleSet,
    RoleSettings,
    RunSettings,
    check_limits,
)

__all__ = [
    "BudgetSettings",
    "InvalidSettingError",
    "RetrySettings",
    "RoleSet",
    "RoleSettings",
    "RunSettings",
    "check_limits",
]
