"""Apart is each context as a service of its own behind the gateway, as `orders run --apart` starts them."""

from collections.abc import Mapping

from schemas.settings import CONTEXTS
from workers.local.home import Home

ASKED = ("order", "product", "user")
"""Contexts that others ask over HTTP; their own ways lead to themselves in process."""


def environments(home: Home) -> dict[str, dict[str, str]]:
    """What each service's environment has beside that of all processes, by the process's name; `api` is the gateway."""
    ports = {context: home.port(f"api-{context}") for context in CONTEXTS}
    ways = {context: f"http://127.0.0.1:{port}" for context, port in ports.items()}
    services = {
        f"api-{context}": {
            "ORDERLOG_CONTEXTS": context,
            "ORDERLOG_API_PORT": str(ports[context]),
            "ORDERLOG_WAYS": _said({name: url for name, url in ways.items() if name in ASKED and name != context}),
            "ORDERLOG_INSIDE": "tokens",
        }
        for context in CONTEXTS
    }
    gateway = {
        "ORDERLOG_CONTEXTS": "",
        "ORDERLOG_WAYS": _said(ways),
        "ORDERLOG_INSIDE": "closed",
    }
    return {**services, "api": gateway}


def _said(ways: Mapping[str, str]) -> str:
    return ",".join(f"{context}={url}" for context, url in ways.items())
