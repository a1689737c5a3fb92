"""Quota counts requests a minute, by a sliding window: of each user, and of each address of those without a token."""

import ipaddress
import logging
import math
import time
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string
from starlette.types import Scope

from events.circuit import Circuit, NoAnswer, Open
from schemas.settings import Settings
from schemas.words import listed

logger = logging.getLogger(__name__)

MINUTE = 60
ATTEMPTS_OF_ALL = 2
"""So many times what one address may try to log in, all addresses together may for one account."""

WEBHOOKS = 100
"""So many times what others without a token may ask, a provider may tell."""

STORE_SECONDS = 0.25
"""That the common store has for an answer; whoever asks us waits for it."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Headers = list[tuple[bytes, bytes]]


class Policy(NamedTuple):
    """So many requests a minute; the name is what clients are told."""

    name: str
    limit: int


class Count(NamedTuple):
    """How one request was counted."""

    policy: Policy
    allowed: bool
    left: int
    seconds: int

    def headers(self) -> Headers:
        """As clients read it (draft-ietf-httpapi-ratelimit-headers)."""
        policy, now = self.policy, f'"{self.policy.name}";r={self.left};t={self.seconds}'
        return [
            (b"ratelimit-policy", f'"{policy.name}";q={policy.limit};w={MINUTE}'.encode()),
            (b"ratelimit", now.encode()),
        ]


class Quota:
    """What each may ask, counted in this process or in a store that several share."""

    def __init__(self, settings: Settings, circuit: Circuit | None = None) -> None:
        self.user = Policy("user", settings.rate_user)
        self.staff = Policy("staff", settings.rate_staff)
        self.anonymous = Policy("anonymous", settings.rate_anonymous)
        self.login = Policy("login", settings.rate_login)
        self.webhook = Policy("webhook", settings.rate_anonymous * WEBHOOKS)
        self.account = Policy("account", settings.rate_login * ATTEMPTS_OF_ALL)
        self._store, self._circuit = _store_at(settings.rate_store), circuit or Circuit("the common count of requests")
        self._shared = SlidingWindowCounterRateLimiter(self._store)
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def count(self, policy: Policy, who: str) -> Count:
        """Count one request of this one; where the store gives no answer, among those that this process has seen."""
        try:
            with self._circuit.attempt():
                return await self._counted_by_all(policy, who)
        except (NoAnswer, Open):
            return await _counted(self._own, policy, who)

    async def close(self) -> None:
        """Let connections to the store go."""
        if isinstance(self._store, RedisStorage):
            await self._store.bridge.storage.aclose()  # type: ignore[attr-defined]

    async def _counted_by_all(self, policy: Policy, who: str) -> Count:
        try:
            return await _counted(self._shared, policy, who)
        except StorageError as error:
            logger.warning("requests are counted by this process alone: %s", error.storage_error)
            raise NoAnswer(str(error.storage_error)) from error


def _store_at(url: str) -> Storage:
    """The store; Redis is spoken to as Valkey is, and neither is asked twice: whoever is counted waits for it."""
    if not url.startswith(("async+redis", "async+valkey")):
        return storage_from_string(url, wrap_exceptions=True)  # type: ignore[return-value]
    return storage_from_string(  # type: ignore[return-value]
        url.replace("async+redis", "async+valkey", 1),
        wrap_exceptions=True,
        retry=None,  # type: ignore[arg-type]
        socket_timeout=STORE_SECONDS,
        socket_connect_timeout=STORE_SECONDS,
    )


async def _counted(limiter: SlidingWindowCounterRateLimiter, policy: Policy, who: str) -> Count:
    item = RateLimitItemPerSecond(policy.limit, MINUTE)
    allowed = await limiter.hit(item, policy.name, who)
    stats = await limiter.get_window_stats(item, policy.name, who)
    seconds = max(1, math.ceil(stats.reset_time - time.time()))
    return Count(policy, allowed, stats.remaining if allowed else 0, min(seconds, MINUTE))


def account_of(email: str) -> str:
    """An account as it is counted: its address in any case, and unreadable where it is stored."""
    return sha256(email.strip().lower().encode()).hexdigest()


def networks(said: str) -> tuple[Network, ...]:
    """The networks named.

    Raises:
        ValueError: one is none.
    """
    return tuple(map(ipaddress.ip_network, listed(said)))


def address_of(scope: Scope, trusted: Sequence[Network] = ()) -> str:
    """Whom a request is from, as it is counted: what proxies say counts only where they are trusted.

    An IPv6 network of 64 bits is one household's, so it counts as one.
    """
    peer = _address(scope["client"][0] if scope.get("client") else "")
    if peer is None:
        return "nowhere"
    if _within(peer, trusted):
        said = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").decode("latin-1")
        for hop in reversed([_address(part.strip()) for part in said.split(",")]):
            if hop is None:
                break
            peer = hop
            if not _within(hop, trusted):
                break
    return str(ipaddress.ip_network((peer, 64), strict=False)) if peer.version == 6 else str(peer)


def _address(said: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(said.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)
