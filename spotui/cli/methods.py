"""spotui methods [NAME]."""

import argparse
import sys
import textwrap
from typing import TYPE_CHECKING

from spotui.cli import exit_codes
from spotui.domain.errors import SpotuiError
from spotui.lang import _, as_asked

if TYPE_CHECKING:
    from spotui.methods.method import Method


_WIDTH = 100


def add_methods_arguments(parser: argparse.ArgumentParser) -> None:
    """What `methods` takes."""
    parser.add_argument("name", nargs="?", metavar="NAME", help=_("one method, with all its parameters"))
    parser.add_argument("--json", action="store_true", help=_("one JSON object"))


def methods_command(parsed: argparse.Namespace) -> int:
    """Print the methods there are, or all parameters of one."""
    from spotui.methods import load_method, method_names

    found: dict[str, Method] = {}
    for name in [parsed.name] if parsed.name else method_names():
        try:
            found[name] = load_method(name)
        except SpotuiError as error:  # one broken package does not hide the others
            if parsed.name:
                raise
            print(f"spotui: {error}", file=sys.stderr)
    if parsed.json:
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(_data(found), enc_hook=as_asked), indent=2).decode())
    elif parsed.name:
        _print_method(parsed.name, found[parsed.name])
    else:
        longest = max(map(len, found), default=0)
        for name, method in found.items():
            print(f"{name:{longest}}  {_(method.summary)}")
            if method.source:
                print(f"{'':{longest}}  {method.source}")
        print()
        print(
            _("Show a method's parameters: spotui methods NAME. Set one: --method NAME --set PARAMETER=VALUE")
        )
    return exit_codes.OK


def _print_method(name: str, method: "Method") -> None:
    from spotui.methods.parameters import describe_parameters

    print("\n".join(filter(None, (f"{name}: {_(method.summary)}", method.source))))
    parameters = describe_parameters(method)
    if not parameters:
        print()
        print(_("It has no parameters."))
    for one in parameters:
        default = (
            "none"
            if one.default is None
            else str(one.default).lower()
            if isinstance(one.default, bool)
            else one.default
        )
        what = _(one.what)
        what = f"{what[:1].upper()}{what[1:]}"
        text = _("{what}. It takes {takes}.", what=what, takes=one.takes)
        print(f"\n{one.name} = {default}")
        print(textwrap.fill(text, _WIDTH, initial_indent="    ", subsequent_indent="    "))
    if method.meta_prompts:
        from spotui.settings import locations

        print()
        print(
            _(
                "Meta-prompts; a file NAME.txt in {meta_prompts_dir} replaces one:",
                meta_prompts_dir=locations.meta_prompts_dir(),
            )
        )
    for prompt in method.meta_prompts:
        print(f"\n{prompt.name}")
        for slot, meaning in prompt.slots.items():
            print(
                textwrap.fill(
                    f"{{{slot}}}: {_(meaning)}", _WIDTH, initial_indent="    ", subsequent_indent="      "
                )
            )
    for title, listed in (
        (_("Notes"), [one.name for one in method.notes]),
        (_("Columns"), [f"{one.name}: {_(one.meaning)}" for one in method.columns]),
        (_("Blocks in the log"), [f"{one.name}: {_(one.title)}" for one in method.blocks]),
    ):
        if listed:
            print(f"\n{title}: {'; '.join(listed)}.")
    if method.aliases:
        names = ", ".join(f"{old} ({alias.name})" for old, alias in method.aliases.items())
        print()
        print(_("The reference's names are accepted too: {names}.", names=names))


def _data(methods: "dict[str, Method]") -> "list[dict[str, object]]":
    from spotui.methods.parameters import describe_parameters

    return [
        {
            "name": name,
            "summary": method.summary,
            "source": method.source,
            "scores": method.scores,
            "parameters": describe_parameters(method),
            "meta_prompts": [
                {"name": one.name, "slots": one.slots, "text": one.text} for one in method.meta_prompts
            ],
            "notes": [one.name for one in method.notes],
            "columns": {one.name: one.meaning for one in method.columns},
            "blocks": {one.name: one.title for one in method.blocks},
        }
        for name, method in methods.items()
    ]
