"""The kind of a failure is read from the words of whichever provider reports it."""

import json

import pytest

from spotui.llm.providers.faults.fault_kinds import FaultKind, kind_of
from spotui.llm.providers.faults.server_fault import ServerFault, fault_inside, read_fault

OVERFLOWS = {
    "Perplexity": (400, "tokens in request more than max tokens allowed", ""),
    "OpenAI": (
        400,
        "Input tokens exceed the configured limit of 272000 tokens.",
        "",
    ),
    "OpenAI, one text": (400, "Invalid 'messages[0].content': string too long.", "string_above_max_length"),
    "Azure": (400, "This model's maximum context length is 8192 tokens.", "context_length_exceeded"),
    "Copilot": (
        400,
        "prompt token count of 70000 exceeds the limit of 64000",
        "model_max_prompt_tokens_exceeded",
    ),
    "DashScope": (400, "<400> Range of input length should be [1, 98304]", "invalid_parameter_error"),
    "Moonshot": (400, "Your request exceeded model token limit: 262144 (requested: 269030)", ""),
    "Zhipu": (400, "Prompt 超长", "1261"),
    "Anthropic": (400, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 204698", ""),
    "Anthropic, bytes": (413, "Request exceeds the maximum size", "request_too_large"),
    "Gemini": (400, "The input token count (11) exceeds the maximum number of tokens allowed (10).", ""),
    "Bedrock": (400, "Input is too long for requested model.", "ValidationException"),
    "Cohere": (400, "too many tokens: total number of tokens in the prompt cannot exceed 4081", ""),
    "Mistral": (
        422,
        "Prompt contains 40000 tokens, too large for a 32768 maximum context length",
        "",
    ),
    "Together": (422, "`inputs` tokens + `max_new_tokens` must be <= 4097. Given: 5000 + 20", ""),
    "Groq": (400, "Please reduce the length of the messages or completion.", ""),
    "Groq, a minute": (413, "Request too large on tokens per minute (TPM): Limit 6000, Requested 8000", ""),
    "xAI": (400, "This model's maximum prompt length is 131072 but the request contains 537812 tokens.", ""),
    "Fireworks": (400, "The prompt is too long: 140000, model maximum context length: 131071", ""),
    "llama.cpp": (500, "the request exceeds the available context size", "exceed_context_size_error"),
    "Ollama": (400, "prompt too long; exceeded max context length by 4 tokens", ""),
    "LM Studio": (
        400,
        "Trying to keep the first 5000 tokens when context the overflows.",
        "",
    ),
    "vLLM": (400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096.", ""),
    "SGLang": (400, "The input (5000 tokens) is longer than the model's context length (4096 tokens).", ""),
    "SiliconFlow": (400, "length of prompt_tokens (33000) must be less than max_seq_len (32768).", "20015"),
    "Volcengine": (400, "Total tokens of image and text exceed max message tokens", "InvalidParameter"),
    "watsonx": (400, "the number of input tokens 5000 cannot exceed the total tokens limit 4096", ""),
    "Baidu": (400, "prompt tokens too long", "336007"),
    "Tencent": (400, "输入内容过长", ""),
    "OpenRouter": (400, "maximum context length is 32768 tokens, you requested about 40000 tokens", ""),
    "GitHub": (
        413,
        "Request body too large for gpt-4o model. Max size: 8000 tokens.",
        "tokens_limit_reached",
    ),
    "others 1": (400, "Conversation is too long", ""),
    "others 2": (400, "number of tokens (5000) exceeds the limit (4096)", ""),
    "others 3": (400, "the request is 9000 tokens, the limit is 8192", ""),
    "others 4": (400, "no", "prompt_too_long"),
    "others 5": (400, "Please shorten your prompt", ""),
    "others 6": (400, "输入长度超限", ""),
    "inside a reply": (0, "context window exceeds limit (2013)", ""),
    "others 7": (400, "max_input_tokens exceeded", ""),
    "others 8": (400, "模型最大上下文长度为 8192", ""),
}
FILTERS = {
    "Azure": (
        400,
        "Filtered due to Azure OpenAI's content management policy.",
        "content_filter",
    ),
    "Azure, below": (400, "The prompt was refused.", "responsibleaipolicyviolation"),
    "OpenAI": (
        400,
        "Your prompt was flagged as violating our usage policy.",
        "invalid_prompt",
    ),
    "OpenAI, images": (400, "Rejected as a result of our safety system.", "content_policy_violation"),
    "Anthropic": (400, "Output blocked by content filtering policy", "invalid_request_error"),
    "Gemini": (400, "The prompt was blocked due to PROHIBITED_CONTENT", ""),
    "Vertex": (400, "The prompt contains sensitive words that violate Responsible AI practices.", ""),
    "DashScope": (400, "Input data may contain inappropriate content.", "data_inspection_failed"),
    "DashScope, 500": (500, "Output data may contain inappropriate content.", "DataInspectionFailed"),
    "Zhipu": (400, "系统检测到输入或生成内容可能包含不安全或敏感内容", "1301"),
    "Moonshot": (400, "The request was rejected because it was considered high risk", "content_filter"),
    "DeepSeek": (400, "Content Exists Risk", "invalid_request_error"),
    "MiniMax": (0, "input new_sensitive", "1026"),
    "Volcengine": (400, "The input text may contain sensitive information.", "SensitiveContentDetected"),
    "StepFun": (451, "The content you provided or machine outputted is blocked.", "censorship_blocked"),
    "Bedrock": (400, "Blocked: a guardrail intervened", ""),
    "Portkey": (446, "Hooks failed", ""),
    "xAI": (403, "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO", ""),
    "others 1": (400, "Your prompt violates our policy", ""),
    "others 2": (400, "HARM_CATEGORY_DANGEROUS_CONTENT", ""),
    "others 3": (403, "Content blocked", ""),
    "others 4": (400, "内容违反相关规定", ""),
    "others 5": (422, "Safety filters triggered", ""),
    "OpenRouter": (
        403,
        "Your input was flagged for violence. No credits were charged.",
        "",
    ),
    "others 6": (400, "Input text may contain prohibited material", ""),
    "others 7": (400, "Potential jailbreak attempt detected", ""),
    "others 8": (400, "Content could not be generated due to RECITATION", ""),
    "others 9": (421, "moderation block", ""),
    "others 10": (400, "内容安全检测未通过", ""),
    "inside a reply": (0, "unsafe_content", ""),
}
NO_MONEY = {
    "OpenAI": (429, "You exceeded your current quota, please check your plan.", "insufficient_quota"),
    "DeepSeek": (402, "Insufficient Balance", ""),
    "Zhipu": (429, "您的账户已欠费，请充值后重试。", "1113"),
    "Moonshot": (429, "Your account is suspended, please check your plan and billing details", ""),
    "Moonshot, code": (403, "no", "exceeded_current_quota_error"),
    "SiliconFlow": (403, "Sorry, your account balance is insufficient", "30001"),
    "MiniMax": (0, "insufficient balance", "1008"),
    "DashScope": (400, "Access denied, please make sure your account is in good standing.", "Arrearage"),
    "DashScope, free": (
        403,
        "The free tier of m has been exhausted.",
        "AllocationQuota.FreeTierOnly",
    ),
    "Volcengine": (403, "The account has an overdue balance", "AccountOverdueError"),
    "xAI": (403, "Your newly created team doesn't have any credits yet.", ""),
    "OpenRouter": (403, "Key limit exceeded (total limit)", ""),
    "Anthropic": (400, "Your credit balance is too low to access the Anthropic API.", ""),
    "Anthropic, limit": (400, "You have reached your specified API usage limits.", ""),
    "Fireworks": (412, "Account ann is suspended, possibly due to reaching the monthly spending limit", ""),
    "Hugging Face": (402, "You have exceeded your monthly included credits", ""),
    "one-api": (403, "用户额度不足", ""),
    "LiteLLM": (400, "Budget has been exceeded! Current cost: 10.2, Max budget: 10", "budget_exceeded"),
    "new-api": (403, "预扣费额度失败, 用户剩余额度: 0.00", ""),
    "Hugging Face, free": (429, "You've used all your free credits for this month", ""),
    "others 3": (400, "Your organization has been disabled due to unpaid invoices", ""),
    "others 4": (429, "Free quota exceeded. Subscribe to a plan.", ""),
    "others 1": (429, "Your quota has been exhausted", ""),
    "others 2": (403, "Your trial has expired, please upgrade your plan", ""),
}
RATES = {
    "OpenAI": (429, "Rate limit reached on requests per min (RPM): Limit 3, Used 3, Requested 1.", ""),
    "OpenAI, free": (429, "Limit: 3 / min. Raise your rate limit by adding a payment method.", ""),
    "Gemini": (429, "Resource has been exhausted (e.g. check quota).", "resource_exhausted"),
    "Zhipu": (429, "您当前使用该API的并发数过高", "1302"),
    "MiniMax": (0, "rate limit exceeded(RPM)", "1002"),
    "Baidu": (0, "Open api qps request limit reached", "18"),
    "Bedrock": (400, "Too many requests, please wait before trying again.", "ThrottlingException"),
    "Google, 403": (403, "Rate Limit Exceeded", "rateLimitExceeded"),
    "DashScope": (400, "Requests throttling triggered", "Throttling.RateQuota"),
    "DashScope, requests": (
        429,
        "You exceeded your current quota, check your plan and billing",
        "limit_requests",
    ),
    "DashScope, burst": (0, "Request rate increased too quickly.", "limit_burst_rate"),
    "Moonshot": (429, "Your account has reached max concurrency: 2, please try again after 1 seconds", ""),
}
BUSY = {
    "locked": (409, "The resource is locked, try again", ""),
    "failed dependency": (424, "Request failed with status code 500", "failed_dependency"),
    "Groq": (498, "Flex tier capacity exceeded", "capacity_exceeded"),
    "nginx": (499, "client closed request", ""),
    "Anthropic": (529, "Overloaded", "overloaded_error"),
    "too early": (425, "", ""),
    "overloaded in a 400": (400, "The server is overloaded or not ready yet.", "server_overloaded"),
    "busy in a 404": (404, "The model is temporarily unavailable, try again later", ""),
    "Bedrock": (400, "Bedrock is unable to process your request.", "ServiceUnavailableException"),
    "loading in a 400": (400, "Model m is currently loading", ""),
    "busy in a 400": (400, "服务繁忙，请稍后重试", ""),
    "inside a reply": (0, "boom", ""),
}
OTHERS: dict[str, tuple[int, str, str, FaultKind]] = {
    "a wrong key": (401, "Incorrect API key provided: sk-1234", "invalid_api_key", "authentication"),
    "a key without rights": (403, "Your request was blocked.", "", "authentication"),
    "an unknown model": (404, "The model `m` does not exist", "model_not_found", "unknown"),
    "a wrong key, as Google says it": (400, "API key not valid. Pass a valid API key.", "", "authentication"),
    "a wrong key, as MiniMax says it": (
        0,
        "login fail: Please carry the API secret key",
        "1004",
        "authentication",
    ),
    "a wrong key, as DashScope says it": (
        400,
        "Invalid API-key provided.",
        "InvalidApiKey",
        "authentication",
    ),
    "a model of the past": (400, "The model `m` has been decommissioned", "model_decommissioned", "unknown"),
    "a model that waits for its download": (404, "model 'm' not found, try pulling it first", "", "unknown"),
    "an unknown model in a 400": (400, "Model Not Exist", "invalid_request_error", "unknown"),
    "an unknown model, named": (400, "The model `m-1` does not exist.", "", "unknown"),
    "a wrong role": (400, "Invalid role: narrator", "invalid_request_error", "refused"),
    "a list that is too long": (400, "stop sequences: too many", "", "refused"),
    "a field that is missing": (422, "messages.0.content: field required", "", "refused"),
    "a place that is not served": (403, "Country not supported", "", "authentication"),
    "an upper bound": (400, "top_p must be less than or equal to 1", "", "refused"),
    "nothing said": (400, "", "", "refused"),
    "no valid model ID": (400, "m-1 is not a valid model ID", "", "unknown"),
    "an unknown model in a success": (0, "The model m-1 does not exist", "", "unknown"),
    "a number that blames the request": (0, "the messages must be odd in number", "336003", "refused"),
    "words alone in a success": (0, "the messages must be odd in number", "", "unavailable"),
}


def fault(status: int, message: str, code: str) -> ServerFault:
    """The fault as a server sends it."""
    payload = {"error": {"message": message, "code": code}}
    if status == 0:
        inside = fault_inside(payload)
        assert inside is not None
        return inside
    return read_fault(status, {}, json.dumps(payload, ensure_ascii=False).encode())


def cases(kind: FaultKind, said: dict[str, tuple[int, str, str]]) -> list[object]:
    return [pytest.param(*one, kind, id=f"{kind}: {name}") for name, one in said.items()]


@pytest.mark.parametrize(
    ("status", "message", "code", "kind"),
    [
        *cases("overflow", OVERFLOWS),
        *cases("filtered", FILTERS),
        *cases("no_money", NO_MONEY),
        *cases("rate_limited", RATES),
        *cases("unavailable", BUSY),
        *(pytest.param(*one, id=name) for name, one in OTHERS.items()),
    ],
)
def test_every_provider_is_understood(status: int, message: str, code: str, kind: FaultKind) -> None:
    assert kind_of(fault(status, message, code)) == kind


def test_a_free_tier_that_names_the_seconds_is_a_rate_limit() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}]
    words = "You exceeded your current quota, please check your plan and billing details."
    body = [{"error": {"code": 429, "message": words, "status": "RESOURCE_EXHAUSTED", "details": details}}]
    found = read_fault(429, {}, json.dumps(body).encode())
    assert (kind_of(found), found.retry_after) == ("rate_limited", 34)


def test_a_filter_that_is_named_below_the_error_is_found() -> None:
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}}
    body = {"error": {"message": "No.", "code": None, "status": 400, "innererror": inner}}
    assert kind_of(read_fault(400, {}, json.dumps(body).encode())) == "filtered"
