"""The `SPOTUI_*` variables: which there are, and which of those that are set spotui does not know."""

from collections.abc import Mapping

from spotui.locations import VARIABLES as LOCATION_VARIABLES
from spotui.nearest import nearest
from spotui.settings.errors import Problem
from spotui.settings.table import SETTINGS
from spotui.settings.trust import VARIABLE as TRUST_VARIABLE

PREFIX = "SPOTUI_"


def known_variables() -> tuple[str, ...]:
    """Every variable that spotui reads, settings first, each once."""
    of_settings = (variable for setting in SETTINGS for variable in setting.variables)
    return tuple(dict.fromkeys((*of_settings, *LOCATION_VARIABLES, TRUST_VARIABLE)))


def unknown_variables(environ: Mapping[str, str]) -> list[Problem]:
    """A warning for each variable that looks like ours and is not; values are never shown."""
    known = known_variables()
    warnings = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in known:
            continue
        if "KEY" in name or "TOKEN" in name.removeprefix(PREFIX).split("_"):
            mend = "Keys are read from OPENAI_API_KEY, or from the variable that api_key_env names."
        else:
            meant = nearest(name.removeprefix(PREFIX), (one.removeprefix(PREFIX) for one in known))
            mend = f"Did you mean {PREFIX}{meant}?" if meant else "'spotui doctor' lists those it knows."
        warnings.append(Problem(f"environment {name}", "spotui knows no such variable.", mend))
    return warnings
