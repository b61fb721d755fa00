"""The template: read, checked and saved."""

from typing import TYPE_CHECKING

from spotui.template.model import QA, ROLES, Problem, Template, TemplateError
from spotui.template.read import check_template, check_text, parse_template, read_template

if TYPE_CHECKING:
    from spotui.template.edit import edit_yaml, to_yaml
    from spotui.template.save import save_template, save_text

__all__ = [
    "QA",
    "ROLES",
    "Problem",
    "Template",
    "TemplateError",
    "check_template",
    "check_text",
    "edit_yaml",
    "parse_template",
    "read_template",
    "save_template",
    "save_text",
    "to_yaml",
]


def __getattr__(name: str) -> object:
    """Load what writes when it is first needed: most who read a template never save one."""
    if name in ("save_template", "save_text"):
        from spotui.template import save

        return getattr(save, name)
    if name in ("edit_yaml", "to_yaml"):
        from spotui.template import edit

        return getattr(edit, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
