"""spotui mcp."""

import argparse

from spotui.cli import exit_codes, options
from spotui.domain.errors import SpotuiError
from spotui.lang import _


def add_mcp_arguments(parser: argparse.ArgumentParser) -> None:
    """What `mcp` takes."""
    options.add_workspace(parser)


def mcp_command(parsed: argparse.Namespace) -> int:
    """Serve tools to an agent until it closes standard input.

    Raises:
        SpotuiError: The package that speaks the protocol is not installed.
    """
    try:
        from spotui.cli.agent_tools import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"mcp", "mcp_types"}:
            raise
        raise SpotuiError(
            _("The package mcp is not installed."), _("Install it: pip install 'spotui[mcp]'")
        ) from None
    serve(options.workspace(parsed).root if parsed.workspace else None)
    return exit_codes.OK
