"""The command line: every verb of spotui without the screen."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Any, NoReturn

from spotui.cli import exit_codes
from spotui.cli.exit_codes import UsageError
from spotui.cli.terminal import guarded
from spotui.domain.errors import SpotuiError, limit_reached, nearest
from spotui.domain.version import VERSION
from spotui.lang import N_, _, join, ngettext
from spotui.settings.language import FLAG, UnknownLanguageError, choose_language, without_language

VERBS = {
    "run": N_("optimize a template's prompt"),
    "resume": N_("resume a run"),
    "wait": N_("collect the batches that a run waits for, and continue the run"),
    "attach": N_("watch and steer a run that another process works on"),
    "list": N_("all projects: state, rounds, best, spent"),
    "show": N_("a project's rounds, or one round in full"),
    "diff": N_("what changed between two prompts"),
    "best": N_("print the best prompt and nothing else"),
    "test": N_("try prompts on a new question"),
    "export": N_("write a prompt as text or for another tool, or the whole run"),
    "import": N_("make a template of what another tool has: prompts, evals, traces, data sets"),
    "prune": N_("find the sentences of the best prompt that can go without a loss"),
    "rows": N_("write new rows like those of a template"),
    "score": N_("measure a prompt on rows, and compare two row by row"),
    "report": N_("write a run, race, sweep or migration as one HTML or Markdown file"),
    "verify": N_("compare the figures of an exported file with the journal, without a model"),
    "race": N_("let several methods work on the same rows with the same budget"),
    "sweep": N_("run templates x methods x models x seeds from a plan, and compare them in one table"),
    "migrate": N_("move a prompt to another model without a loss: both prompts on each new model"),
    "methods": N_("list the methods and their parameters"),
    "models": N_("list, add, test, remove, import and fetch models"),
    "check": N_("find every mistake in a template"),
    "judge-check": N_("measure how often a judge prefers an answer to a damaged copy"),
    "headroom": N_("find out whether a better prompt is worth looking for"),
    "estimate": N_("what a run would take: calls, tokens, USD, minutes"),
    "branch": N_("start a new run from a round of another"),
    "replay": N_("watch a run again, without a model"),
    "mcp": N_("offer the verbs to an agent as tools, over standard input and output"),
    "serve": N_("use the app in a browser"),
    "settings": N_("every setting of a run, its value, and where that comes from"),
    "locate": N_("where spotui keeps things"),
    "doctor": N_("find out why something does not work"),
}


_MODULES = {
    "best": "show",
    "diff": "show",
    "import": "import_source",
    "locate": "doctor",
    "replay": "attach",
    "resume": "run",
}
"""The modules of verbs that share one with another verb; each of the others has a module of its own name."""

_EXIT_CODES = N_("""\
Run 'spotui VERB --help' for the arguments of a verb.

exit codes:
  0    done; a run found a better prompt
  1    it could not be done; standard error says why
  2    wrong usage
  3    a run ended as planned, and the seed prompt is still the best
  4    a run's budget is spent
  5    a run failed: a call failed for good, or the method raised an error
  6    a run was stopped
  7    no row could be marked
  8    there is no headroom: no probe is better than the seed beyond chance
  9    a scored prompt does not pass its gates (--fail-below, --fail-if-worse-than)
  10   a figure of a verified file differs from the journal
  11   a run waits for a batch; 'spotui wait' collects it
  130  interrupted; 'spotui resume' continues the run""")


PLAIN = "--plain"

_OF_ARGPARSE = (
    N_("usage: "),
    N_("options"),
    N_("positional arguments"),
    N_("show this help message and exit"),
    N_("the following arguments are required: %s"),
    N_("expected one argument"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
    N_("not allowed with argument %s"),
    N_("one of the arguments %s is required"),
    N_("ignored explicit argument %r"),
    N_("expected at most one argument"),
    N_("expected at least one argument"),
    N_("invalid %(type)s value: %(value)r"),
)
"""The words of argparse that a person can see here; it looks them up as its own."""


def _of_argparse(text: str | None) -> str | None:
    return text if text is None else _(text)


vars(argparse).update(_=_of_argparse, ngettext=ngettext)


class Parser(argparse.ArgumentParser):
    """Names the mistake and what to do, without the whole usage; takes no shortened flags."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, "formatter_class": _ShortUsage, **options})

    def error(self, message: str) -> NoReturn:
        """Leave with the mistake and the way to help."""
        self.leave(
            _("{mistake}.", mistake=f"{message[:1].upper()}{message[1:]}"),
            _("'{prog} --help' lists its arguments.", prog=self.prog),
        )

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str], namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, and refuse what this verb does not take before anything is missed."""
        for word in args if self._subparsers is None else ():
            flag = word.partition("=")[0]
            if word == "--":
                break
            if flag.startswith("--") and " " not in flag and flag not in self._option_string_actions:
                self._refuse(flag)
        parsed, rest = super().parse_known_args(args, namespace)
        if rest and rest[0].startswith("-"):
            self._refuse(rest[0].partition("=")[0])
        if rest:
            from spotui.settings.errors import show

            self.error(_("unexpected argument {rest}", rest=show(rest[0])))
        return parsed, rest

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Leave with the value that was probably meant; argparse only lists them all."""
        if action.choices is not None and value not in action.choices:
            meant = nearest(str(value), map(str, action.choices))
            if meant is not None:
                from spotui.settings.errors import show

                name = "/".join(action.option_strings) or str(action.metavar or action.dest)
                self.leave(
                    _("{name} does not take {value}.", name=name, value=show(value)),
                    _("Did you mean {meant}?", meant=meant),
                )
        super()._check_value(action, value)

    def _refuse(self, flag: str) -> NoReturn:
        """Leave with the verb that takes this flag, or the flag that was probably meant."""
        from difflib import SequenceMatcher

        takers: dict[str, str] = {}
        for verb in reversed(VERBS):
            takers |= {name: parser.prog for parser in parsers_of(verb) for name in parser.flags()}
        name = flag.removeprefix("--")
        plural = f"{name}s"
        if taker := takers.get(flag):
            self.leave(
                _("'{prog}' does not take {flag}.", prog=self.prog, flag=flag),
                _("Did you mean --{meant}?", meant=plural)
                if f"--{plural}" in self.flags()
                else _("'{taker}' takes it.", taker=taker),
            )
        near = [nearest(name, (one.removeprefix("--") for one in each)) for each in (self.flags(), takers)]
        meant = max(filter(None, near), key=lambda one: SequenceMatcher(None, name, one).ratio(), default="")
        if not meant:
            self.leave(
                _("Unknown flag {flag}.", flag=flag), _("'{prog} --help' lists its flags.", prog=self.prog)
            )
        hint: str = _("Did you mean --{meant}?", meant=meant)
        if f"--{meant}" not in self.flags():
            hint = join(hint, _("'{taker}' takes it.", taker=takers[f"--{meant}"]))
        self.leave(_("Unknown flag {flag}.", flag=flag), hint)

    def flags(self) -> list[str]:
        """Its long flags."""
        return [name for name in self._option_string_actions if name.startswith("--")]

    def all(self) -> Iterator["Parser"]:
        """This parser and those of the verbs under it."""
        yield self
        for action in self._actions:
            if isinstance(action.choices, dict):
                for parser in action.choices.values():
                    yield from parser.all()

    def leave(self, what: str, hint: str) -> NoReturn:
        """Leave with exit code 2."""
        print(f"spotui: {what}\n        {hint}", file=sys.stderr)
        sys.exit(exit_codes.USAGE)


class _ShortUsage(argparse.HelpFormatter):
    """Sums up the flags in the first lines where they would fill the screen; the list below has them all."""

    _MOST = 12

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        flags = [one for one in actions if one.option_strings and not one.required]
        if usage is None and len(flags) > self._MOST:
            rest = [one for one in actions if one not in flags]
            actions, groups = [argparse.Action([], "options", metavar=_("[options]")), *rest], []
        super().add_usage(usage, actions, groups, prefix)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Leaves the longest verb on the line of its help; argparse forgets that verbs are indented."""

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        longest = max(map(len, VERBS)) + 2 * self._indent_increment
        self._action_max_length = max(self._action_max_length, longest)


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: What was typed after `spotui`.

    Returns:
        The exit code.
    """
    if isinstance(sys.stdout, TextIOWrapper):  # a terminal may lack a character, a prompt hold half of one
        sys.stdout.reconfigure(errors="replace")
    with guarded(plain=PLAIN in arguments):
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        choose_language(arguments)
        parsed = _parse(arguments)
        code: int = _part(parsed.verb, "{}_command")(parsed)
        sys.stdout.flush()
    except SpotuiError as error:
        report_error(error)
        return _code_of(error)
    except BrokenPipeError:
        # Whoever read our output has gone, as `| head` does; Python would complain while it exits.
        sys.stdout = None
        return exit_codes.OK
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except Exception as error:
        failure = _of_the_system(error)
        if failure is None:
            raise
        report_error(failure)
        return exit_codes.FAILED
    return code


def _of_the_system(error: Exception) -> SpotuiError | None:
    """An error that the system raised, in a sentence; None for a fault of ours."""
    if (limit := limit_reached(error)) is not None:
        return limit
    if not isinstance(error, OSError):
        return None
    where = error.filename
    if where is None:  # no file was opened, so it is the output; Python would try it again at the exit
        where, sys.stdout = _("The output"), None
    from spotui.workspace.files import hint_for

    return SpotuiError(
        _("{where} cannot be read or written: {strerror}.", where=where, strerror=error.strerror),
        hint_for(error, ""),
    )


def report_error(error: SpotuiError) -> None:
    """Say on standard error what happened and what to do."""
    limit = limit_reached(error)
    hint = error.hint if limit is None else str(limit)
    print(f"spotui: {error.what}", file=sys.stderr)
    if hint:
        print(f"        {hint}", file=sys.stderr)


def _code_of(error: SpotuiError) -> int:
    from spotui.settings.errors import SettingsError

    if isinstance(error, UsageError | UnknownLanguageError):
        return exit_codes.USAGE
    if isinstance(error, SettingsError) and any(one.where.startswith("--") for one in error.problems):
        return exit_codes.USAGE
    return exit_codes.FAILED


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """What was typed; only the verb that was typed adds its arguments, so that no other one is imported."""
    verb = next((word for word in without_language(arguments) if not word.startswith("-")), None)
    parser = Parser(
        prog="spotui",
        usage="spotui VERB ...",
        description=_("The prompt optimizer that lives in the terminal."),
        epilog=_(_EXIT_CODES),
        formatter_class=_Formatter,
    )
    version = f"spotui {VERSION} (Python {sys.version.split()[0]}, {sys.platform})"
    parser.add_argument("--version", action="version", version=version, help=_("print the version and exit"))
    _add_everywhere(parser)
    if verb is not None and verb not in VERBS:
        near = nearest(verb, VERBS)
        parser.leave(
            _("Unknown command {verb!r}.", verb=verb),
            _("Did you mean {near!r}?", near=near) if near else _("'spotui --help' lists them all."),
        )
    verbs = parser.add_subparsers(title=_("verbs"), dest="verb", metavar="VERB", prog="spotui")
    is_first = verb is not None and arguments[0] == verb  # then nothing before it can ask for a list of all
    for name, does in VERBS.items():
        if is_first and name != verb:
            continue
        text = _(does)
        one = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name == verb:
            _part(name, "add_{}_arguments")(one)
            for each in one.all():
                _add_everywhere(each)
    parsed = parser.parse_args(arguments, argparse.Namespace(plain=False))
    if parsed.verb is None and parsed.plain:
        parser.leave(
            _("The app repaints a whole screen, so it cannot be plain."),
            _("Use a command, e.g. 'spotui list --plain'; 'spotui --help' lists them all."),
        )
    if parsed.verb is None:
        parser.print_help()
        parser.exit()
    return parsed


def _add_everywhere(parser: Parser) -> None:
    """Add what every verb takes; a value typed before the verb stays."""
    parser.add_argument(
        FLAG,
        metavar="LANGUAGE",
        default=argparse.SUPPRESS,
        help=_("the language of all texts, for example en or zh_CN"),
    )
    parser.add_argument(
        PLAIN,
        action="store_true",
        default=argparse.SUPPRESS,
        help=_("plain lines, also on a terminal: no colours, nothing repainted"),
    )


def _part(verb: str, name: str) -> Callable[..., int]:
    """One of the two functions of a verb: the one that adds its arguments, or the one that does it."""
    word = verb.replace("-", "_")
    module = import_module(f"spotui.cli.{_MODULES.get(verb, word)}")
    part: Callable[..., int] = getattr(module, name.format(word))
    return part


def parsers_of(verb: str) -> Iterator[Parser]:
    """The parser of a verb and those of the verbs under it."""
    parser = Parser(prog=f"spotui {verb}", add_help=False)
    _part(verb, "add_{}_arguments")(parser)
    return parser.all()
