"""A typed client of the gateway: one method per operation of schemas/openapi.json, printed from it by `make docs`."""

from schemas.client.calls import Client
from schemas.client.connection import Connection, Problem
from schemas.client.stream import Happening

__all__ = ["Client", "Connection", "Happening", "Problem"]
