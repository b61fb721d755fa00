"""From a model id to its connection: which provider asks it, where, with which key and at which price."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from spotui.domain.secret import Secret
from spotui.lang import _
from spotui.llm.budget import UnknownPriceError
from spotui.llm.limits import Limiter
from spotui.llm.options import variables_for
from spotui.llm.protocol import Provider
from spotui.llm.routing import OPENAI_URL, Limits, Price, Route, route
from spotui.settings.config_file import Config
from spotui.settings.errors import SettingsError
from spotui.settings.keys import origin
from spotui.settings.programs import Program, UntrustedProgramError, is_agreed, program_of
from spotui.settings.table import RunSettings
from spotui.settings.variables import read_variable

if TYPE_CHECKING:
    from spotui.llm.batches.api import BatchApi
    from spotui.metrics.function import Function
from spotui.llm.connections import Connection

MakeLimiter = Callable[[str, Limits], Limiter]
"""Makes the limits of a server, which is named by its URL or its provider."""

NO_FUNCTIONS: Final[Mapping[str, "Function"]] = MappingProxyType({})


class Connector:
    """Connects the models of one run; models on one endpoint share its limits, unless they have their own.

    Args:
        settings: The run's settings.
        config: The user's config file.
        environ: The environment, for endpoints and keys.
        models_dir: Where embedded models are kept.
        is_trusted: Whether a key may be sent to the base URL of the settings.
        log_dir: Where the embedded model's server writes its log.
        is_agreed: Whether the user has agreed to a program as it is.
        functions: Python functions that answer in place of models, by model id.
        may_send: Whether the value of an environment variable may go to a server.
        limiters: Makes the limits of a server for runs that keep to them together; None for one run alone.
    """

    def __init__(
        self,
        settings: RunSettings,
        config: Config,
        environ: Mapping[str, str],
        *,
        models_dir: Path,
        log_dir: Path,
        is_trusted: Callable[[str], bool] = lambda _: True,
        is_agreed: Callable[[Program], bool] = is_agreed,
        functions: Mapping[str, "Function"] = NO_FUNCTIONS,
        may_send: Callable[[str, str], bool] = lambda name, server: True,  # noqa: ARG005
        limiters: MakeLimiter | None = None,
    ) -> None:
        self._may_send = may_send
        self._make_limiter: MakeLimiter = limiters or (lambda _, limits: Limiter(limits))
        self._settings = settings
        self._config = config
        self._environ = environ
        self._models_dir = models_dir
        self._is_trusted = is_trusted
        self._log_dir = log_dir
        self._is_agreed = is_agreed
        self._functions = functions
        self._limiters: dict[tuple[str, Limits], Limiter] = {}

    def connect(self, model: str) -> Connection:
        """The connection of a model id.

        Raises:
            SettingsError: The id names nothing, or its endpoint needs a key.
            ModelError: The endpoint cannot be asked at all.
        """
        way = self.route_to(model)
        if values := self._values(way):
            way = msgspec.structs.replace(way, endpoint=msgspec.structs.replace(way.endpoint, values=values))
        shared = _server(way), way.endpoint.limits
        if shared not in self._limiters:
            self._limiters[shared] = self._make_limiter(*shared)
        return Connection(
            way.endpoint,
            self._provider(way),
            self._limiters[shared],
            find_price=lambda: _find_price(way),
            takes_grammar=way.kind == "embedded"
            or (self._settings.grammar and way.kind == "openai_compatible"),
            secrets=_secrets(way, self._environ),
            find_batches=lambda: batches_of(way, self._environ),
        )

    def sent_variables(self) -> set[tuple[str, str]]:
        """The environment variables whose values go out in headers and queries, each with its server.

        Raises:
            SettingsError: A model id names nothing, or its endpoint needs a key.
        """
        names = {model: variables_for(self._settings, model) for model in self._settings.models}
        ways = {model: self.route_to(model) for model, found in names.items() if found}
        return {
            (name, _origin(way))
            for model, way in ways.items()
            for name in names[model]
            if way.kind in _SENDING
        }

    def _values(self, to: Route) -> dict[str, Secret]:
        """The values that requests of a route carry.

        Raises:
            SettingsError: A variable is not set, or only a project's run.yaml wants it sent there.
        """
        names = variables_for(self._settings, to.endpoint.model) if to.kind in _SENDING else ()
        url, server = self._settings.base_url, _origin(to)
        for name in names:
            if not ((url is None or self._is_trusted(url)) and self._may_send(name, server)):
                raise SettingsError(
                    _(
                        "{model} would be sent the value of {name} in your environment, but only this "
                        "project's run.yaml says so.",
                        model=to.endpoint.model,
                        name=name,
                    ),
                    _("If you want that, write the same `headers` or `query` into your config file."),
                )
        return {name: read_variable(name, self._environ) for name in names}

    def route_to(self, model: str) -> Route:
        """Which provider serves a model, and where; nothing is opened.

        Raises:
            SettingsError: The id names nothing, or its endpoint needs a key.
        """
        from spotui.llm.pricing import known_providers

        return route(
            model,
            base_url=self._settings.base_url,
            concurrency=self._settings.concurrency,
            timeout=self._timeout(model),
            first_token_timeout=self._settings.first_token_timeout,
            call_timeout=self._settings.call_timeout,
            config=self._config,
            environ=self._environ,
            known_providers=known_providers,
            is_trusted=self._is_trusted,
            program=program_of(self._settings.program),
        )

    def price_of(self, model: str) -> Price | None:
        """USD per million tokens, or None when it is unknown; may read a large file.

        Raises:
            SettingsError: The id names nothing, or its endpoint needs a key.
        """
        way = self.route_to(model)
        return way.endpoint.price or _find_price(way)

    def batch_share(self, model: str) -> float | None:
        """The price of a model's calls in a batch as a share of the usual one; None without batches.

        Raises:
            SettingsError: The id names nothing, or its endpoint needs a key.
        """
        from spotui.llm.batches.api import HALF, share_at

        way = self.route_to(model)
        if way.kind == "litellm":
            from spotui.llm.batches.carriers import served, share_of

            if _has_messages(way):
                return HALF
            way = served(way, self._environ)
        if way.kind == "openai_compatible":
            return share_at(way.endpoint.base_url or "")
        return share_of(model, self._environ) if way.kind == "litellm" else None

    def check_batches(self) -> None:
        """Make sure, before anything is paid for, that roles which ask for batches can have them.

        Raises:
            ModelError: The batches of a role's model cannot be used.
            SettingsError: A model id names nothing, or its endpoint needs a key.
        """
        batched = self._settings.asking(*self._settings.batched)
        for model in msgspec.structs.replace(batched, embedding_model=None).models:
            if self.route_to(model).kind == "litellm":
                from spotui.llm.batches.carriers import refusal

                if (why := refusal(model, self._environ)) is not None:
                    raise why

    def check_budget(self) -> None:
        """Make sure, before anything is paid for, that a budget in USD can be kept.

        A model at a custom base URL may report the cost of each reply; its first one shows whether it does.

        Raises:
            UnknownPriceError: Nobody knows what one of the other models costs.
            SettingsError: A model id names nothing, or its endpoint needs a key.
        """
        if self._settings.budget.usd is None:
            return
        unpriced = [model for model in self._settings.models if self._has_no_price(model)]
        if unpriced:
            raise UnknownPriceError(unpriced)

    def _has_no_price(self, model: str) -> bool:
        way = self.route_to(model)
        if way.kind in {"program", "function"}:
            return False
        return way.endpoint.base_url in {None, OPENAI_URL} and self.price_of(model) is None

    def _timeout(self, model: str) -> float | None:
        roles = self._settings.roles
        users = (roles.optimizer, roles.evaluator, roles.executor)
        timeouts = [one.timeout for one in users if one.model == model]
        timeouts += [roles.evaluator.timeout] * (model in self._settings.judges)
        return max(timeouts, default=None)

    def _provider(self, to: Route) -> Provider:
        match to.kind:
            case "openai_compatible":
                from spotui.llm.providers.openai_compatible import OpenAICompatibleProvider

                return OpenAICompatibleProvider(to.endpoint, api_model=to.wire_model)
            case "litellm":
                from spotui.llm.providers.litellm_provider import LitellmProvider

                return LitellmProvider(to.endpoint)
            case "scripted":
                from spotui.llm.providers.playback import ScriptedProvider

                return ScriptedProvider(Path(to.wire_model))
            case "program":
                return self._program(to)
            case "function":
                return self._function(to)
            case "embedded":
                from spotui.llm.local.store import ModelStore
                from spotui.llm.providers.embedded import EmbeddedProvider

                name = to.wire_model.replace("/", "-")
                return EmbeddedProvider(
                    to.endpoint.model,
                    ModelStore(self._models_dir),
                    self._log_dir / f"{name}.log",
                    slots=to.endpoint.limits.concurrency,
                    timeout=to.endpoint.silence,
                )

    def _program(self, to: Route) -> Provider:
        program = program_of(self._settings.program)
        assert program is not None  # noqa: S101 - its route says so
        if not self._is_agreed(program):
            raise UntrustedProgramError(program)
        from spotui.llm.providers.programs.provider import CommandProvider, UrlProvider

        if program.url:
            return UrlProvider(to.endpoint)
        return CommandProvider(program, to.endpoint, self._environ, _secrets(to, self._environ))

    def _function(self, to: Route) -> Provider:
        from spotui.llm.providers.programs.provider import FunctionProvider

        function = self._functions.get(to.endpoint.model)
        if function is None:
            raise SettingsError(
                _("The executor is the Python function {name}, which is not here.", name=to.wire_model),
                _("Continue the run in Python, with the same executor."),
            )
        return FunctionProvider(to.wire_model, function, to.endpoint, _secrets(to, self._environ))


def _has_messages(to: Route) -> bool:
    """Whether Anthropic itself serves a model."""
    return to.kind == "litellm" and _server(to) == "litellm/anthropic"


def batches_of(to: Route, environ: Mapping[str, str]) -> "BatchApi | None":
    """What sends calls of a route as batches; None where its endpoint has none that we know.

    Raises:
        ModelError: The endpoint cannot be asked at all.
    """
    if _has_messages(to):
        from spotui.llm.batches.anthropic import AnthropicBatches

        return AnthropicBatches(to.endpoint, environ)
    if to.kind == "litellm":
        from spotui.llm.batches.carriers import served
        from spotui.llm.batches.hosted import batches_over_litellm

        to = served(to, environ)
        if to.kind == "litellm":
            return batches_over_litellm(to.endpoint, environ)
    if to.kind == "openai_compatible":
        from spotui.llm.batches.openai import OpenAIBatches

        return OpenAIBatches(to.endpoint, to.wire_model)
    return None


_SENDING: Final = frozenset({"openai_compatible", "litellm"})
"""Kinds of providers that send headers and a query."""


def _origin(to: Route) -> str:
    """The server of a route, for the list of variables that may go there."""
    return origin(to.endpoint.base_url) if to.endpoint.base_url else _server(to)


def _secrets(to: Route, environ: Mapping[str, str]) -> Iterable[Secret]:
    """Keys that litellm, or a program, finds in the environment by itself."""
    if to.kind not in {"litellm", "program", "function"}:
        return ()
    from spotui.llm.providers.litellm_provider import secrets_of

    return secrets_of(None, environ)


def _server(to: Route) -> str:
    """What models share that are served by the same people."""
    if to.endpoint.base_url is not None:
        return to.endpoint.base_url
    from spotui.llm.pricing import guess_provider

    model = to.endpoint.model
    provider, slash, _ = model.partition("/")
    return f"{to.kind}/{provider if slash else guess_provider(model) or model}"


def _find_price(to: Route) -> Price | None:
    """The list price; a custom endpoint has none that anybody else could know."""
    if to.kind in {"embedded", "scripted"}:
        return Price(0.0, 0.0)
    if to.kind in {"program", "function"}:
        return None  # only the program can say what its call cost
    if to.endpoint.base_url not in {None, OPENAI_URL}:
        return None
    from spotui.llm.pricing import lookup

    return lookup(to.wire_model)
