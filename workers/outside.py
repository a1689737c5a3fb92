"""Outside is how a message's provider is asked over HTTP: time-outs, a few attempts, and a breaker of its own."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from httpx2 import AsyncClient, HTTPError, InvalidURL, Limits, Response, Timeout
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from events.tracing import Fact, span
from workers.breaker import Again, Breaker, Busy, NoAnswer
from workers.channel import MailUnavailable


class Answer(NamedTuple):
    """What came back; `body` is empty where it is no JSON object."""

    status: int
    body: dict[str, Any]


class Outside:
    """One provider. A 429 and a 5xx are asked again a few times; what is left then is for another time.

    Redirects are not followed: an address that somebody gave us must not lead to another.
    """

    def __init__(
        self,
        name: str,
        *,
        timeout_seconds: float = 10.0,
        attempts: int = 3,
        backoff_seconds: float = 0.2,
        breaker: Breaker | None = None,
    ) -> None:
        self._name, self._attempts = name, attempts
        self._facts: dict[str, Fact] = {"network.protocol.name": "http", "peer.service": name}
        self.breaker = breaker or Breaker(name=name)
        self._backoff = wait_random_exponential(multiplier=backoff_seconds, max=2.0)
        self._timeout = Timeout(timeout_seconds, connect=min(3.0, timeout_seconds))
        self._client: AsyncClient | None = None

    async def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Answer:
        """What the provider answers, whatever below 500 it is.

        Raises:
            MailUnavailable: nothing that can be used; whether the work was done is unknown.
            CircuitOpen: nobody is asked at present.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Again),
            stop=stop_after_attempt(self._attempts),
            wait=self._backoff,
            reraise=True,
        )
        asked = {"headers": headers, "data": form, "json": json, "content": content, "auth": auth}
        try:
            with span("notification", f"send by {self._name}", "client", facts=self._facts):
                return await retrying(self._attempt, url, {k: v for k, v in asked.items() if v is not None})
        except Again as fault:
            raise MailUnavailable(f"{self._name}: {fault}") from fault

    async def aclose(self) -> None:
        """Let connections go."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _attempt(self, url: str, asked: dict[str, Any]) -> Answer:
        with self.breaker.attempt():
            try:
                response = await self._opened().post(url, **asked)
            except (HTTPError, InvalidURL, OSError) as error:
                raise NoAnswer(type(error).__name__) from error  # its text may hold the URL, which is an address
            if response.status_code >= 500:
                raise NoAnswer(f"HTTP {response.status_code}")
            if response.status_code == 429:
                raise Busy("HTTP 429")
            return Answer(response.status_code, _object(response))

    def _opened(self) -> AsyncClient:
        if self._client is None:  # it belongs to the loop in which it is first used
            self._client = AsyncClient(
                timeout=self._timeout, limits=Limits(max_connections=20), follow_redirects=False, trust_env=False
            )
        return self._client


def _object(response: Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
