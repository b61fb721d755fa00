"""The methods: each reads like its paper's pseudocode, written in the engine's verbs.

Another package adds one with an entry point of the group `spotui.methods`: its name, and a `Method`, or just
the function that takes an `Engine` and returns when the wanted rounds are done.
"""

from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spotui.domain.errors import SpotuiError, nearest
from spotui.lang import _

if TYPE_CHECKING:
    from spotui.engine.meta_prompts import MetaPrompt, MetaPrompts
    from spotui.methods.method import Method


DEFAULT_METHOD = "spo"
METHODS: Final = {
    "spo": "spotui.methods.spo:SPO",
    "gpo": "spotui.methods.gpo:GPO",
    "ape": "spotui.methods.gpo:APE",
    "apo": "spotui.methods.gpo:APO",
    "opro": "spotui.methods.gpo:OPRO",
    "pe2": "spotui.methods.gpo:PE2",
    "sgdm": "spotui.methods.gpo:SGDM",
    "fewshot": "spotui.methods.fewshot:FEWSHOT",
    "gepa": "spotui.methods.gepa:GEPA",
    "gradsum": "spotui.methods.gradsum:GRADSUM",
    "dspy-miprov2": "spotui.methods.guests:MIPROV2",
    "dspy-copro": "spotui.methods.guests:COPRO",
    "dspy-gepa": "spotui.methods.guests:DSPY_GEPA",
    "gepa-engine": "spotui.methods.guests:GEPA_ENGINE",
}
"""Those that come with spotui; a package cannot put another in the place of one of them."""

GROUP = "spotui.methods"


def method_names() -> list[str]:
    """Every method there is, those of other packages included."""
    return sorted({*METHODS, *_added()})


def check_method(name: str) -> None:
    """Make sure that there is a method of that name, without importing it.

    Raises:
        SpotuiError: There is none.
    """
    if name in METHODS or name in _added():
        return
    near, names = nearest(name, method_names()), ", ".join(method_names())
    hint = _("Did you mean '{near}'?", near=near) if near else _("Choose one of: {names}.", names=names)
    raise SpotuiError(_("Unknown method '{name}'.", name=name), hint)


def load_method(name: str) -> "Method":
    """The method of that name, imported when it is needed.

    Raises:
        SpotuiError: There is none, or the package it comes from is broken.
    """
    check_method(name)
    place = METHODS.get(name) or _added()[name]
    module, attribute = place.split(":") if ":" in place else (place, "")
    from spotui.methods.method import Method, declaration_fault, fault_in_words, guarded, of_function

    try:
        found: Any = getattr(import_module(module), attribute)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - code of another package can raise anything
        raise SpotuiError(
            _(
                "The method '{name}' cannot be loaded from {place}: {fault}.",
                name=name,
                place=place,
                fault=fault_in_words(error),
            ),
            _("Fix or reinstall the package it comes from."),
        ) from None
    if not isinstance(found, Method):
        return of_function(found)
    if fault := declaration_fault(found):
        raise SpotuiError(
            _(
                "The method '{name}' from {place} cannot be used: {fault}",
                name=name,
                place=place,
                fault=fault,
            ),
            _("Fix or update the package."),
        )
    return guarded(name, found)


def meta_prompts(*folders: Path, method: "Method | None" = None, language: str = "") -> "MetaPrompts":
    """The meta-prompts of a method and of the verbs, each replaced by the file of its name, if there is one.

    Args:
        folders: Folders with replacements, the one that takes precedence first; they need not exist.
        method: The method; None for a verb without one.
        language: The language of the template, for example `zh`; empty for English.

    Raises:
        MetaPromptError: A replacement is broken, or no method uses a meta-prompt of its name.
    """
    from spotui.engine.meta_prompts import MetaPrompts, refuse_unknown, replacements

    found = MetaPrompts(*folders, declared=method.meta_prompts if method else (), language=language)
    files = replacements(folders)
    if files.keys() - found.texts.keys():
        refuse_unknown(files, {*found.texts, *declared_meta_prompts()})
    return found


def check_meta_prompts(*folders: Path) -> None:
    """Check the replacements in some folders, whichever method they are for.

    Raises:
        MetaPromptError: One is broken, or no method uses a meta-prompt of its name.
    """
    from spotui.engine.meta_prompts import MetaPrompts, refuse_unknown, replacements

    files = replacements(folders)
    if not files:  # no method has to be loaded then
        return
    found = MetaPrompts(*folders, declared=declared_meta_prompts().values())
    refuse_unknown(files, found.texts)


def declared_meta_prompts() -> "dict[str, MetaPrompt]":
    """The meta-prompts of all methods, by name; a method that cannot be loaded has none."""
    found: dict[str, MetaPrompt] = {}
    for name in method_names():
        with suppress(SpotuiError):
            found |= {one.name: one for one in load_method(name).meta_prompts}
    return found


def _added() -> dict[str, str]:
    from importlib.metadata import entry_points

    return {one.name: one.value for one in entry_points(group=GROUP)}
