"""The form that OpenAI's batches have wherever they are: requests and results as lines of a file."""

from collections.abc import Collection
from typing import Any, ClassVar, Final

import msgspec

from spotui.domain.calls import Reply, Request
from spotui.lang import _
from spotui.llm.batches.api import Limits, Payload, Progress, Submitted
from spotui.llm.batches.lines import no_batch_api
from spotui.llm.options import read_options
from spotui.llm.protocol import BadRequestError, MalformedReplyError, ModelError, RateLimitedError
from spotui.llm.providers.chat.assembler import ReplyAssembler
from spotui.llm.providers.chat.bodies import request_body
from spotui.llm.providers.faults.http_errors import Target, fault_error
from spotui.llm.providers.faults.refusals import Concessions, refusal_in
from spotui.llm.providers.faults.server_fault import ServerFault, fault_inside, read_fault

LABEL: Final = "spotui_batch"
"""The field of a batch's metadata that holds our name of it."""

PAGE: Final = 100
MOST_PAGES: Final = 10
"""Pages of the list of batches, the newest first, that one is looked for on."""

_OVER: Final = frozenset({"completed", "expired", "cancelled", "failed"})
_UNANSWERED: Final = frozenset({"batch_expired", "batch_cancelled"})
_TOO_MUCH: Final = "token_limit_exceeded"


class ChatBatches:
    """The part of a model's batches that is the same wherever they are.

    Args:
        target: Where they are, as errors name it.
        api_model: The model id on the wire.
        has_no_price: Whether the cost that the endpoint reports is believed.

    Attributes:
        limits: OpenAI's.
        path: What a batch is for.
        place: Where they are.
    """

    limits = Limits(calls=50_000, size=200_000_000)
    path: ClassVar[str] = "/v1/chat/completions"

    def __init__(self, target: Target, api_model: str, *, has_no_price: bool) -> None:
        self.target = target
        self._model = api_model
        self._has_no_price = has_no_price
        self._concessions = Concessions()

    def obstacle(self, request: Request) -> str:
        """Why a request cannot be in a batch; see `BatchApi.obstacle`."""
        options = read_options(request.options)
        if request.embed:
            return _("it asks for an embedding")
        if options.headers or options.query:
            return _("it has headers or a query of its role")
        return ""

    def line(self, name: str, request: Request) -> bytes:
        """A request as the batch holds it; see `BatchApi.line`."""
        sent = self._concessions.applied(request)
        body = self._body(sent, self._concessions)
        return (
            msgspec.json.encode({"custom_id": name, "method": "POST", "url": self.path, "body": body}) + b"\n"
        )

    def read(self, request: Request, payload: Payload, seconds: float) -> Reply | None:
        """The reply in a result; see `BatchApi.read`."""
        place = self.target
        response, error = payload.get("response"), payload.get("error")
        if not isinstance(response, dict):
            if not isinstance(error, dict) or error.get("code") in _UNANSWERED:
                return None
            raise fault_error(place, read_fault(500, {}, msgspec.json.encode({"error": error})))
        body, status = response.get("body"), int(response.get("status_code") or 0)
        if status == 200 and isinstance(body, dict):
            return self._concessions.noted(self._reply(request, body, seconds), request)
        fault = read_fault(status, {}, msgspec.json.encode(body))
        if self._does_without(request, fault):
            return None
        raise fault_error(place, fault)

    async def page(self, after: str) -> tuple[list[dict[str, Any]], bool]:
        """A page of the list of batches, the newest first, and whether more pages follow.

        Args:
            after: The id of the batch before the page; empty for the first page.

        Raises:
            ModelError: The provider does not say.
        """
        raise NotImplementedError

    async def find(
        self,
        token: str,
        size: int,  # noqa: ARG002 - a batch has its name in the list
        since: float,
        others: Collection[str],  # noqa: ARG002
    ) -> Submitted | None:
        """The batch with a token among the newest; see `BatchApi.find`."""
        after = ""
        for _page in range(MOST_PAGES):
            batches, has_more = await self.page(after)
            for one in batches:
                if (one.get("metadata") or {}).get(LABEL) == token:
                    return self.submitted(one)
            is_older = any(float(one.get("created_at") or since) < since for one in batches)
            if is_older or not has_more or not batches:
                return None
            after = str(batches[-1].get("id"))
        return None

    def progress(self, body: dict[str, Any]) -> Progress:
        """How far the batch is that an answer is about."""
        counts = body.get("request_counts") or {}
        done, failed = int(counts.get("completed") or 0), int(counts.get("failed") or 0)
        files = tuple(str(body[name]) for name in ("output_file_id", "error_file_id") if body.get(name))
        state = str(body.get("status"))
        # A batch may be complete an instant before its files are.
        is_over = state in _OVER and (bool(files) or state != "completed" or not (done or failed))
        why = self._failure(body) if state == "failed" else None
        return Progress(is_over, done + failed, failed, files, why)

    def _body(self, request: Request, concessions: Concessions) -> dict[str, object]:
        return request_body(request, self._model, concessions.refused | {"stream"})

    def _does_without(self, request: Request, fault: ServerFault) -> bool:
        """Whether the fault is a parameter that the model does not take; it is left out from now on."""
        refusal = refusal_in(self._body(request, Concessions()), fault)
        if refusal is not None:
            self._concessions = self._concessions.after(refusal, request)
        return refusal is not None

    def _reply(self, request: Request, body: dict[str, Any], seconds: float) -> Reply:
        return reply_of(request, body, seconds, self.target, has_no_price=self._has_no_price)

    def submitted(self, body: dict[str, Any]) -> Submitted:
        """The batch that an answer is about.

        Raises:
            MalformedReplyError: It is about none.
        """
        if not isinstance(body.get("id"), str):
            raise no_batch_api(self.target)
        return Submitted(body["id"], float(body.get("expires_at") or 0.0))

    def _failure(self, body: dict[str, Any]) -> ModelError:
        """Why a batch was refused as a whole."""
        errors = (body.get("errors") or {}).get("data") or [{}]
        first = errors[0] if isinstance(errors[0], dict) else {}
        place, words = self.target, str(first.get("message") or "")
        said = place.sentence(_("{place} refuses the batch", place=place), words)
        if first.get("code") == _TOO_MUCH:
            return RateLimitedError(said, _("It is tried again in smaller batches."))
        return BadRequestError(said, _("Fix the cause, then resume; or run without --batch."))


def reply_of(
    request: Request, body: dict[str, Any], seconds: float, target: Target, *, has_no_price: bool
) -> Reply:
    """The reply in a whole chat completion.

    Raises:
        ModelError: It holds none.
    """
    fault = fault_inside(body)
    if fault is not None:
        raise fault_error(target, fault)
    assembler = ReplyAssembler()
    assembler.feed(body)
    assembler.finish()
    if not assembler.has_choice:
        raise MalformedReplyError(
            _("{place} sent a reply without an answer in it.", place=target), _("Try again.")
        )
    return assembler.reply(
        request,
        seconds=seconds,
        first_token_seconds=None,
        usage=assembler.usage,
        cost_usd=assembler.cost_usd if has_no_price else None,
        count_tokens=None,
    )
