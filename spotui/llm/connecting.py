"""From a model id to something that can be asked."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from spotui.llm.budget import UnknownPriceError
from spotui.llm.connection import Connection
from spotui.llm.endpoint import Limits, Price
from spotui.llm.limiter import Limiter
from spotui.llm.protocol import Provider
from spotui.llm.routing import OPENAI_URL, Route, route
from spotui.secret import Secret
from spotui.settings.run_settings import RunSettings
from spotui.settings.schema import Config


class Connector:
    """Connects the models of one run; models on one endpoint share its limits, unless they have their own.

    Args:
        settings: The run's settings.
        config: The user's config file.
        environ: The environment, for endpoints and keys.
        models_dir: Where embedded models are kept.
        is_trusted: Whether a key may be sent to the base URL of the settings.
        log_dir: Where the embedded model's server writes its log.

    Attributes:
        paces: The speed of each model as earlier runs measured it: seconds to a reply's start, and tokens a
            second after that. An estimate sets it.
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
    ) -> None:
        self._settings = settings
        self._config = config
        self._environ = environ
        self._models_dir = models_dir
        self._is_trusted = is_trusted
        self._log_dir = log_dir
        self.paces: Mapping[str, tuple[float, float]] = {}
        self._limiters: dict[tuple[str, Limits], Limiter] = {}

    def connect(self, model: str) -> Connection:
        """The connection of a model id.

        Raises:
            SettingsError: The id names nothing, or its endpoint needs a key.
            ModelError: The endpoint cannot be asked at all.
        """
        way = self.way_to(model)
        shared = _server(way), way.endpoint.limits
        if shared not in self._limiters:
            self._limiters[shared] = Limiter(way.endpoint.limits)
        return Connection(
            way.endpoint,
            self._provider(way),
            self._limiters[shared],
            find_price=lambda: _find_price(way),
            takes_grammar=way.kind == "embedded",
            secrets=_secrets(way, self._environ),
        )

    def way_to(self, model: str) -> Route:
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
        )

    def price_of(self, model: str) -> Price | None:
        """USD per million tokens, or None when nobody knows; may read a large file.

        Raises:
            SettingsError: The id names nothing, or its endpoint needs a key.
        """
        way = self.way_to(model)
        return way.endpoint.price or _find_price(way)

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
        way = self.way_to(model)
        return way.endpoint.base_url in {None, OPENAI_URL} and self.price_of(model) is None

    def _timeout(self, model: str) -> float | None:
        roles = self._settings.roles
        users = (roles.optimizer, roles.evaluator, roles.executor)
        timeouts = [one.timeout for one in users if one.model == model]
        timeouts += [roles.evaluator.timeout] * (model in self._settings.judges)
        return max(timeouts, default=None)

    def _provider(self, way: Route) -> Provider:
        match way.kind:
            case "openai_compatible":
                from spotui.llm.providers.openai_compatible import OpenAICompatibleProvider

                return OpenAICompatibleProvider(way.endpoint, api_model=way.wire_model)
            case "litellm":
                from spotui.llm.providers.litellm_provider import LitellmProvider

                return LitellmProvider(way.endpoint)
            case "scripted":
                from spotui.llm.providers.scripted import ScriptedProvider

                return ScriptedProvider(Path(way.wire_model))
            case "embedded":
                from spotui.llm.local.store import ModelStore
                from spotui.llm.providers.embedded import EmbeddedProvider

                name = way.wire_model.replace("/", "-")
                return EmbeddedProvider(
                    way.endpoint.model,
                    ModelStore(self._models_dir),
                    self._log_dir / f"{name}.log",
                    slots=way.endpoint.limits.concurrency,
                    timeout=way.endpoint.silence,
                )


def _secrets(way: Route, environ: Mapping[str, str]) -> Iterable[Secret]:
    """Keys that litellm finds in the environment by itself."""
    if way.kind != "litellm":
        return ()
    from spotui.llm.providers.litellm_way import secrets_of

    return secrets_of(None, environ)


def _server(way: Route) -> str:
    """What models share that are served by the same people."""
    if way.endpoint.base_url is not None:
        return way.endpoint.base_url
    from spotui.llm.pricing import guess_provider

    model = way.endpoint.model
    provider, slash, _ = model.partition("/")
    return f"{way.kind}/{provider if slash else guess_provider(model) or model}"


def _find_price(way: Route) -> Price | None:
    """The list price; an endpoint of one's own has none that anybody else could know."""
    if way.kind in {"embedded", "scripted"}:
        return Price(0.0, 0.0)
    if way.endpoint.base_url not in {None, OPENAI_URL}:
        return None
    from spotui.llm.pricing import lookup

    return lookup(way.wire_model)
