"""spotui models list | find | add | test | remove | import | pull."""

import argparse
import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from spotui.cli import exit_codes
from spotui.cli.terminal import behind
from spotui.domain.errors import SpotuiError
from spotui.domain.figures import duration, size
from spotui.lang import _, as_asked, join, ngettext
from spotui.settings import locations
from spotui.settings.locations import expanded

if TYPE_CHECKING:
    from spotui.cli.test import Probe
    from spotui.domain.secret import Secret
    from spotui.settings.config_file import ModelConfig


def add_models_arguments(parser: argparse.ArgumentParser) -> None:
    """What `models` takes."""
    verbs = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    verbs.add_parser("list", help=_("models in the config file, and embedded ones on this machine"))
    find = verbs.add_parser("find", help=_("models that can be used here: by key, on this machine, embedded"))
    find.add_argument("--json", action="store_true", help=_("one JSON object a model"))
    add = verbs.add_parser("add", help=_("test a model, then write it into the config file"))
    add.add_argument(
        "model", metavar="ID", help=_("e.g. gpt-4o, anthropic/claude-…, or what your server calls it")
    )
    add.add_argument("--base-url", metavar="URL", help=_("an OpenAI-compatible endpoint"))
    add.add_argument("--api-key-env", metavar="NAME", help=_("the environment variable that holds the key"))
    add.add_argument(
        "--keyring",
        action="store_true",
        help=_("ask for the key, or read it from standard input, and keep it in the system keyring"),
    )
    add.add_argument("--concurrency", type=int, metavar="N", help=_("calls in flight"))
    add.add_argument(
        "--requests-per-minute", type=int, metavar="N", help=_("calls that may begin in a minute")
    )
    add.add_argument(
        "--tokens-per-minute", type=int, metavar="N", help=_("prompt and completion together, in a minute")
    )
    add.add_argument("--timeout", type=float, metavar="S", help=_("seconds without a token"))
    add.add_argument("--price", nargs=2, type=float, metavar=("IN", "OUT"), help=_("USD per million tokens"))
    how = add.add_mutually_exclusive_group()
    how.add_argument("--no-test", action="store_true", help=_("write it without asking the model anything"))
    how.add_argument("--dry-run", action="store_true", help=_("ask the model, and write nothing"))
    test = verbs.add_parser("test", help=_("ask a model one short question"))
    test.add_argument("model", metavar="ID")
    test.add_argument("--base-url", metavar="URL", help=_("an OpenAI-compatible endpoint"))
    for verb in (add, test):
        verb.add_argument("--json", action="store_true", help=_("one JSON object"))
        verb.add_argument(
            "--embedding", action="store_true", help=_("ask for the embedding of a text, not for an answer")
        )
    remove = verbs.add_parser(
        "remove", help=_("take a model out of the config file, or an embedded one off the disk")
    )
    remove.add_argument("model", metavar="ID")
    take = verbs.add_parser("import", help=_("take the models of the reference's config2.yaml"))
    take.add_argument("file", metavar="FILE")
    take.add_argument(
        "--keyring", action="store_true", help=_("put the keys that are in it into the system keyring")
    )
    pull = verbs.add_parser("pull", help=_("fetch an embedded model, or take note of a GGUF file"))
    pull.add_argument(
        "source",
        nargs="?",
        metavar="MODEL",
        help=_("local/NAME, a GGUF file, a URL, or hf:owner/repo/file.gguf"),
    )
    pull.add_argument("--name", metavar="NAME", help=_("the name of a local file: local/NAME"))
    pull.add_argument("--sha256", metavar="HEX", help=_("what the file must have"))
    pull.add_argument("--yes", "-y", action="store_true", help=_("do not ask"))


def models_command(parsed: argparse.Namespace) -> int:
    """Do one of the things that concern models."""
    match parsed.what:
        case "list":
            return _list()
        case "find":
            return _find(parsed)
        case "add":
            return _add(parsed)
        case "test":
            return _test(parsed)
        case "remove":
            return _remove(parsed)
        case "import":
            return _import(parsed)
        case _:
            return _pull(parsed)


def _list() -> int:
    from spotui.llm.local.catalog import CATALOG
    from spotui.llm.local.store import ModelStore
    from spotui.settings.config_file import load_config

    config = load_config()
    print(_("In the config file:"))
    for model, entry in config.config.models.items():
        print(f"  {model}  {entry.base_url or ''}  {_key_of(entry)}")
    if not config.config.models:
        print(_("  none; any id works without an entry: gpt-4o-mini, anthropic/claude-…, ollama/…"))
    print("Embedded:")
    here = {stored.id: stored for stored in ModelStore(locations.models_dir()).models()}
    for known in CATALOG:
        state = _("on this machine") if known.id in here else _("{size} to fetch", size=size(known.bytes))
        print(f"  {known.id}  {state}. {known.notes}")
    for own in here.values():
        if own.id not in {known.id for known in CATALOG}:
            print(f"  {own.id}  {own.path}")
    return exit_codes.OK


def _find(parsed: argparse.Namespace) -> int:
    import msgspec

    from spotui.llm.discovery import find_models
    from spotui.settings.config_file import load_config

    for one in find_models(load_config().config, os.environ, locations.models_dir()):
        if parsed.json:
            print(msgspec.json.encode(one, enc_hook=as_asked).decode())
        else:
            print("  ".join(text for text in (one.model, one.source, one.base_url, one.note) if text))
    return exit_codes.OK


def _key_of(entry: "ModelConfig") -> str:
    if entry.api_key_env:
        state = "set" if os.environ.get(entry.api_key_env) else _("not set")
        return _("key in ${api_key_env} ({state})", api_key_env=entry.api_key_env, state=state)
    return _("key in the keyring") if entry.api_key_keyring else ""


def _add(parsed: argparse.Namespace) -> int:
    from spotui.cli.test import NoAnswerError, probe
    from spotui.settings.config_file import ModelConfig, PriceConfig
    from spotui.settings.keys import store_key
    from spotui.settings.save import check_model, save_model

    entry = ModelConfig(
        base_url=parsed.base_url,
        api_key_env=parsed.api_key_env,
        api_key_keyring=parsed.keyring,
        timeout=parsed.timeout,
        concurrency=parsed.concurrency,
        requests_per_minute=parsed.requests_per_minute,
        tokens_per_minute=parsed.tokens_per_minute,
        price=PriceConfig(input=parsed.price[0], output=parsed.price[1]) if parsed.price else None,
    )
    check_model(parsed.model, entry)
    key = _typed_key(parsed.model) if parsed.keyring else None
    if not parsed.no_test:
        try:
            _tell(probe(parsed.model, entry=entry, key=key, embed=parsed.embedding), as_json=parsed.json)
        except NoAnswerError as error:
            if parsed.dry_run:
                raise
            if not _wants_anyway(error):
                hint = join(error.hint, _("To add it without a test, use --no-test."))
                raise SpotuiError(error.what, hint) from None
    if not parsed.dry_run:
        if key is not None:
            store_key(parsed.model, key)
        save_model(parsed.model, entry)
        if not parsed.json:
            print(_("{model} is in {config_file}.", model=parsed.model, config_file=locations.config_file()))
    return exit_codes.OK


def _wants_anyway(error: SpotuiError) -> bool:
    """Whether the user wants to add a model that gave no answer; where nobody can be asked, no."""
    if not (sys.stdin.isatty() and behind(sys.stderr).isatty()):
        return False
    print(_("{error} Add it anyway? [y/N] ", error=error), end="", file=sys.stderr, flush=True)
    try:
        return input().strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _typed_key(model: str) -> "Secret | None":
    """The key that is typed, or comes from a program; None when there is none and the keyring holds one."""
    from spotui.settings.keys import key_from, read_key

    if sys.stdin.isatty():
        import getpass

        key = key_from(getpass.getpass(_("Key for {model}: ", model=model)), _("what you typed"))
    else:
        key = key_from(sys.stdin.readline(), _("standard input"))
    if key is None and read_key(model) is None:
        raise SpotuiError(_("No key was typed."), _("Nothing was changed."))
    return key


def _test(parsed: argparse.Namespace) -> int:
    from spotui.cli.test import probe

    _tell(probe(parsed.model, base_url=parsed.base_url, embed=parsed.embedding), as_json=parsed.json)
    return exit_codes.OK


def _tell(probe: "Probe", *, as_json: bool) -> None:
    if as_json:
        import msgspec

        print(msgspec.json.encode(probe, enc_hook=as_asked).decode())
        return
    price = _("its price is known") if probe.is_priced else _("its price is unknown (--price IN OUT sets it)")
    print(
        _(
            "{model} answered {reply!r} in {seconds}; {price}.",
            model=probe.model,
            reply=probe.reply[:60],
            seconds=duration(probe.seconds),
            price=price,
        )
    )


def _remove(parsed: argparse.Namespace) -> int:
    from spotui.settings.save import take_out_model
    from spotui.settings.table import is_embedded

    if is_embedded(parsed.model):
        from spotui.llm.local.store import ModelStore

        ModelStore(locations.models_dir()).remove(parsed.model)
        print(_("{model} is removed.", model=parsed.model))
        return exit_codes.OK
    removed = take_out_model(parsed.model)
    # The app leaves the key of a model that it removes, as the model can be brought back there.
    may_have_key = removed is None or removed.entry.api_key_keyring
    is_key_gone = may_have_key and _delete_key(parsed.model, is_needed=removed is None)
    if removed is None and not is_key_gone:
        raise SpotuiError(
            _("There is no model {model!r} in the config file.", model=parsed.model),
            _("See 'spotui models list'."),
        )
    if removed is not None:
        print(_("{model} is removed.", model=parsed.model))
    if is_key_gone:
        print(_("Its key is deleted from the system keyring."))
    return exit_codes.OK


def _delete_key(model: str, *, is_needed: bool) -> bool:
    """Delete a model's key from the system keyring; False where there was none.

    Args:
        model: Whose.
        is_needed: Whether nothing else is removed, so that a keyring that cannot be opened goes unsaid.
    """
    if find_spec("keyring") is None:
        return False
    from spotui.settings.errors import SettingsError
    from spotui.settings.keys import delete_key

    try:
        return delete_key(model)
    except SettingsError as error:
        if not is_needed:
            print(_("Its key may still be in the system keyring: {error}", error=str(error)), file=sys.stderr)
        return False


def _import(parsed: argparse.Namespace) -> int:
    import msgspec

    from spotui.settings.keys import store_key
    from spotui.settings.reference_import import import_reference
    from spotui.settings.save import save_model

    found = import_reference(expanded(parsed.file))
    for model, entry in found.models.items():
        key = found.found_keys.get(model)
        if key is not None and parsed.keyring:
            store_key(model, key)
            save_model(model, msgspec.structs.replace(entry, api_key_keyring=True))
        else:
            save_model(model, entry)
        print(f"{model}  {entry.base_url or ''}")
    if found.found_keys and not parsed.keyring:
        print(
            _(
                "Keys stay out of files here. Import again with --keyring, or export them "
                "(OPENAI_API_KEY, or another variable, named as api_key_env of the model)."
            ),
            file=sys.stderr,
        )
    for text in found.left_out:
        print(_("Left out: {text}", text=text), file=sys.stderr)
    print(
        ngettext(
            "{n:,} model imported into {config_file}.",
            "{n:,} models imported into {config_file}.",
            len(found.models),
            config_file=locations.config_file(),
        )
    )
    return exit_codes.OK


def _pull(parsed: argparse.Namespace) -> int:
    from spotui.cli.fetching import agree, fetch
    from spotui.llm.local.catalog import read_source
    from spotui.settings.table import DEFAULT_MODEL

    source = read_source(parsed.source or DEFAULT_MODEL, name=parsed.name)
    if source.kind != "file":
        agree(source, yes=parsed.yes)
    fetch(source, sha256=parsed.sha256)
    return exit_codes.OK
