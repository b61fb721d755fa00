"""A real HTTP server on 127.0.0.1 that stands for the paid model."""

from tests.model_server import faults
from tests.model_server.persona import Persona
from tests.model_server.process import ModelServerProcess
from tests.model_server.records import Recorded, read_log
from tests.model_server.scripted import JsonObject, ReplyFunction, Scripted, conversation
from tests.model_server.server import ModelServer, hashed_reply

__all__ = [
    "JsonObject",
    "ModelServer",
    "ModelServerProcess",
    "Persona",
    "Recorded",
    "ReplyFunction",
    "Scripted",
    "conversation",
    "faults",
    "hashed_reply",
    "read_log",
]
