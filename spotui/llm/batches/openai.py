"""Batches of OpenAI's API: a file of requests goes up, a batch works on it, and files of results follow."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, Final
from uuid import uuid4

import msgspec

from spotui.lang import _
from spotui.llm.batches.api import ForgottenBatchError, Limits, Payload, Progress, Submitted, share_at
from spotui.llm.batches.lines import NotFoundError, json_lines, json_of, no_batch_api
from spotui.llm.options import Options, read_options
from spotui.llm.protocol import BadRequestError, MalformedReplyError, ModelError, RateLimitedError
from spotui.llm.providers.chat.assembler import ReplyAssembler
from spotui.llm.providers.chat.bodies import request_body
from spotui.llm.providers.faults.http_errors import Place, fault_error
from spotui.llm.providers.faults.refusals import Concessions, refusal_in
from spotui.llm.providers.faults.server_fault import ServerFault, fault_inside, read_fault
from spotui.llm.providers.http import HttpPool
from spotui.llm.routing import Endpoint
from spotui.workspace.journal_reader import Reply, Request

_LABEL: Final = "spotui_batch"
"""The field of a batch's metadata that holds our name of it."""

_PATH: Final = "/v1/chat/completions"
_OVER: Final = frozenset({"completed", "expired", "cancelled", "failed"})
_UNANSWERED: Final = frozenset({"batch_expired", "batch_cancelled"})
_TOO_MUCH: Final = "token_limit_exceeded"
_PAGE: Final = 100
_MOST_PAGES: Final = 10


class OpenAIBatches:
    """Batches of a model behind a base URL that has OpenAI's files and batches.

    Args:
        endpoint: Where the model is.
        api_model: The model id on the wire.

    Attributes:
        limits: OpenAI's.
        share: See `BatchApi.share`.

    Raises:
        BadRequestError: The base URL is missing or is no http address.
        AuthenticationError: The key holds characters that no header can carry.
    """

    limits = Limits(calls=50_000, size=200_000_000)

    def __init__(self, endpoint: Endpoint, api_model: str) -> None:
        self.share = share_at(endpoint.base_url or "")
        self._pool = HttpPool(endpoint)
        self._model = api_model
        self._concessions = Concessions()
        self._has_no_price = endpoint.price is None

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
        return msgspec.json.encode({"custom_id": name, "method": "POST", "url": _PATH, "body": body}) + b"\n"

    async def submit(self, token: str, lines: Sequence[bytes]) -> Submitted:
        """Upload the requests and begin a batch of them; see `BatchApi.submit`."""
        boundary = uuid4().hex
        form = _form(boundary, f"spotui-{token}.jsonl", lines)
        kind = f"multipart/form-data; boundary={boundary}"
        file = await json_of(self._pool, "POST", "/files", form, content_type=kind)
        wanted = {
            "input_file_id": file.get("id"),
            "endpoint": _PATH,
            "completion_window": "24h",
            "metadata": {_LABEL: token},
        }
        return self._submitted(await json_of(self._pool, "POST", "/batches", msgspec.json.encode(wanted)))

    async def find(
        self,
        token: str,
        size: int,  # noqa: ARG002 - a batch has its name in the list
        since: float,
        others: Collection[str],  # noqa: ARG002
    ) -> Submitted | None:
        """The batch with a token among the newest; see `BatchApi.find`."""
        after = ""
        for _page in range(_MOST_PAGES):
            query = {"limit": str(_PAGE)} | ({"after": after} if after else {})
            page = await json_of(self._pool, "GET", "/batches", None, Options(query=query))
            batches = [one for one in page.get("data") or () if isinstance(one, dict)]
            for one in batches:
                if (one.get("metadata") or {}).get(_LABEL) == token:
                    return self._submitted(one)
            is_older = any(float(one.get("created_at") or since) < since for one in batches)
            if is_older or not page.get("has_more") or not batches:
                return None
            after = str(batches[-1].get("id"))
        return None

    async def look(self, batch: str) -> Progress:
        """How far a batch is; see `BatchApi.look`."""
        try:
            found = await json_of(self._pool, "GET", f"/batches/{batch}")
        except NotFoundError as error:
            raise ForgottenBatchError(error.what, error.hint) from None
        counts = found.get("request_counts") or {}
        done, failed = int(counts.get("completed") or 0), int(counts.get("failed") or 0)
        files = tuple(str(found[name]) for name in ("output_file_id", "error_file_id") if found.get(name))
        state = str(found.get("status"))
        # A batch may be complete an instant before its files are.
        is_over = state in _OVER and (bool(files) or state != "completed" or not (done or failed))
        why = self._failure(found) if state == "failed" else None
        return Progress(is_over, done + failed, failed, files, why)

    async def results(
        self,
        batch: str,  # noqa: ARG002 - its files have names
        progress: Progress,
    ) -> AsyncIterator[tuple[str, Payload]]:
        """The results, those that failed at last; see `BatchApi.results`."""
        for file in progress.files:
            async for line in json_lines(self._pool, f"/files/{file}/content"):
                yield str(line.get("custom_id")), line

    def read(self, request: Request, payload: Payload, seconds: float) -> Reply | None:
        """The reply in a result; see `BatchApi.read`."""
        place = self._pool.place
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

    async def aclose(self) -> None:
        """Close every connection; safe to call twice."""
        await self._pool.aclose()

    def _body(self, request: Request, concessions: Concessions) -> dict[str, object]:
        return request_body(request, self._model, concessions.refused | {"stream"})

    def _does_without(self, request: Request, fault: ServerFault) -> bool:
        """Whether the fault is a parameter that the model does not take; it is left out from now on."""
        refusal = refusal_in(self._body(request, Concessions()), fault)
        if refusal is not None:
            self._concessions = self._concessions.after(refusal, request)
        return refusal is not None

    def _reply(self, request: Request, body: dict[str, Any], seconds: float) -> Reply:
        return reply_of(request, body, seconds, self._pool.place, has_no_price=self._has_no_price)

    def _submitted(self, found: dict[str, Any]) -> Submitted:
        if not isinstance(found.get("id"), str):
            raise no_batch_api(self._pool.place)
        return Submitted(found["id"], float(found.get("expires_at") or 0.0))

    def _failure(self, found: dict[str, Any]) -> ModelError:
        """Why a batch was refused as a whole."""
        errors = (found.get("errors") or {}).get("data") or [{}]
        first = errors[0] if isinstance(errors[0], dict) else {}
        place, words = self._pool.place, str(first.get("message") or "")
        said = place.sentence(_("{place} refuses the batch", place=place), words)
        if first.get("code") == _TOO_MUCH:
            return RateLimitedError(said, _("It is tried again in smaller batches."))
        return BadRequestError(said, _("Fix the cause, then resume; or run without --batch."))


def reply_of(
    request: Request, body: dict[str, Any], seconds: float, place: Place, *, has_no_price: bool
) -> Reply:
    """The reply in a whole chat completion.

    Raises:
        ModelError: It holds none.
    """
    fault = fault_inside(body)
    if fault is not None:
        raise fault_error(place, fault)
    assembler = ReplyAssembler()
    assembler.feed(body)
    assembler.finish()
    if not assembler.has_choice:
        raise MalformedReplyError(
            _("{place} sent a reply without an answer in it.", place=place), _("Try again.")
        )
    return assembler.reply(
        request,
        seconds=seconds,
        first_token_seconds=None,
        usage=assembler.usage,
        cost_usd=assembler.cost_usd if has_no_price else None,
        count_tokens=None,
    )


def _form(boundary: str, name: str, lines: Sequence[bytes]) -> bytes:
    """The form of an upload."""
    purpose = f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/jsonl\r\n\r\n"
    )
    return b"".join((purpose.encode(), head.encode(), *lines, f"\r\n--{boundary}--\r\n".encode()))
