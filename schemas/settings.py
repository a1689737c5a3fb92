"""Settings is the shape of the environment: every variable that a process reads, once, at its start."""

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.words import listed

CONTEXTS = ("order", "product", "payment", "user", "notification")


class Settings(BaseSettings):
    """Environment variables begin with ORDERLOG_, such as ORDERLOG_KAFKA."""

    model_config = SettingsConfigDict(env_prefix="ORDERLOG_", frozen=True)

    kafka: str = Field("127.0.0.1:9092", description="bootstrap servers, host:port[,host:port]")
    postgres: str = Field(
        "postgresql://orderlog@127.0.0.1:5432/postgres",
        description="server on which each context has a database of its own, named orderlog_<context>",
    )
    home: Path = Field(Path(".orderlog"), description="folder for all that a local run writes")
    contexts: str = Field(",".join(CONTEXTS), description="contexts that this process runs, comma separated")
    provider: str = Field(
        "http://127.0.0.1:8090", description="payment provider's base URL; 'in-process' for the twin, or 'stripe'"
    )
    stripe_key: str = Field("", description="Stripe's secret key, where the provider is Stripe")
    stripe_url: str = Field("https://api.stripe.com", description="where Stripe's API is")
    webhook_secret: str = Field("", description="what the provider signs its webhooks with; without it none is taken")
    smtp: str = Field("127.0.0.1:1025", description="mail server, host:port; 'in-process' for the twin")
    sender: str = Field("orders@orderlog.example", description="address that mail is sent from")
    mail_report_secret: str = Field(
        "", description="what the mail provider signs its reports with; without it none is taken", repr=False
    )
    public_url: str = Field(
        "", description="the API's address as customers and providers see it, for links in mails and for reports"
    )
    link_secret: str = Field(
        "development-only-secret-change-me-now", description="key that signs links in mails", repr=False
    )
    twilio_account: str = Field("", description="Twilio's account SID, for SMS; none are sent without")
    twilio_token: str = Field("", description="the account's auth token; it also signs Twilio's reports", repr=False)
    twilio_sender: str = Field("", description="number, or messaging service, that SMS come from")
    twilio_url: str = Field("https://api.twilio.com", description="base URL of Twilio's API")
    fcm_key: Path | None = Field(None, description="key file of a service account, for push to phones; none without")
    fcm_url: str = Field("https://fcm.googleapis.com", description="base URL of FCM's API")
    vapid_key: Path | None = Field(None, description="PEM file with our EC key, for push to browsers; none without")
    vapid_subject: str = Field("", description="mailto: or https: address at which push services find us")
    push_services: str = Field(
        "fcm.googleapis.com,.push.services.mozilla.com,.notify.windows.com,.push.apple.com",
        description="hosts of push services that may be called, comma separated; .host stands for all below it",
    )
    api_host: str = Field("127.0.0.1", description="address that the API listens on")
    api_port: int = Field(8080, description="port that the API listens on")
    inside: Literal["closed", "tokens", "open"] = Field(
        "closed",
        description="what of the API is there beside /api/: nothing; all, for whoever has a token (a context behind"
        " a gateway); all, for everybody who reaches the port",
    )
    ways: str = Field(
        "",
        description="contexts that the gateway asks over HTTP, comma separated, such as payment=http://payment:8080",
    )
    keys: Path | None = Field(
        None, description="folder of the keys that sign and verify tokens; by default keys in ORDERLOG_HOME"
    )
    rate_user: int = Field(100, description="requests a minute of one user, by the sliding window", ge=1)
    rate_staff: int = Field(100, description="the same of somebody who works here, or a program of theirs", ge=1)
    rate_anonymous: int = Field(60, description="requests a minute of one address without a token", ge=1)
    rate_login: int = Field(10, description="attempts a minute of one address to log in or register", ge=1)
    streams: int = Field(1000, description="live streams that one process of the API has open at a time", ge=1)
    streams_user: int = Field(20, description="the same, of one user", ge=1)
    rate_store: str = Field(
        "async+memory://",
        description="where requests are counted: this process, or a server that all share, such as async+redis://host:6379",
    )
    proxies: str = Field(
        "", description="addresses or networks whose X-Forwarded-For is believed, comma separated, such as 10.0.0.0/8"
    )
    origins: str = Field("", description="origins whose pages may ask the gateway (CORS), comma separated")
    account_secret: str = Field(
        "development-only-secret-change-me-now",
        description="key that refresh tokens and cursors are sealed with and mailed tokens follow from; the same for"
        " every process of the API and for the worker that sends mail",
    )
    login_unverified: bool = Field(
        False,
        description="let people log in before their address is verified; then who registers with an address can tell"
        " whether it had an account",
    )
    seal: bool = Field(
        True,
        description="whether what clients say of persons is sealed with a key of each person before it is recorded",
    )
    keys_url: str = Field(
        "", description="where a process that does not run the user context asks for persons' keys: its API's URL"
    )
    hold_seconds: float = Field(900.0, description="how long stock is held for an unconfirmed order")
    overdue_seconds: float = Field(600.0, description="how long the provider may take to authorize")
    card_seconds: float = Field(
        259200.0, description="how long a customer has to name another card for what is left of a partly shipped order"
    )
    session_timeout_ms: int = Field(6000, description="a silent worker loses its partitions after so long")
    flush_seconds: float = Field(2.0, description="how often snapshots and resume points are written")
    rebuild: bool = Field(False, description="rebuild by itself a read model whose code has another version")
    replication: int = Field(1, description="copies of every partition; 3 outside development")
    pause: str = Field(
        "",
        description="consumers that stand still at a failure instead of setting it aside, comma separated,"
        " such as order.writer,payment.reactions",
    )
    otlp: str = Field(
        "",
        description="URL of an OpenTelemetry collector (OTLP over HTTP), to which traces go; none are made without it",
    )
    sampled: float = Field(1.0, ge=0, le=1, description="share of the traces that begin here which are recorded")
    if_match: str = Field(
        "", description="commands that need an If-Match header, comma separated, such as PriceProduct,CancelOrder"
    )
    who: str = Field("", description="who an operator is, for the audit stream; user@host where it says nothing")

    def chosen(self) -> tuple[str, ...]:
        """The contexts asked for.

        Raises:
            ValueError: if one is unknown; the message lists those that exist.
        """
        names = tuple(listed(self.contexts))
        if unknown := [name for name in names if name not in CONTEXTS]:
            raise ValueError(f"unknown context {unknown[0]!r}; there are {', '.join(CONTEXTS)}")
        return names

    def urls(self) -> dict[str, str]:
        """The URLs of contexts that are asked over HTTP, by context.

        Raises:
            ValueError: if one is unknown or no URL; the message says what is right.
        """
        found: dict[str, str] = {}
        for said in listed(self.ways):
            context, _, url = said.partition("=")
            if context not in CONTEXTS or not url.startswith(("http://", "https://")):
                raise ValueError(f"{said!r} is no way; it is such as payment=http://payment:8080")
            found[context] = url.rstrip("/")
        return found

    def key_folder(self) -> Path:
        """Where the keys of tokens are."""
        return self.keys or self.home / "keys"

    def conditional(self, known: Collection[str]) -> frozenset[str]:
        """The commands that are obeyed only on a condition, of those that can have one.

        Raises:
            ValueError: if one cannot; the message lists those that can.
        """
        names = frozenset(listed(self.if_match))
        if unknown := sorted(names - {*known}):
            raise ValueError(f"no command {unknown[0]!r} has an If-Match; there are {', '.join(sorted(known))}")
        return names

    def pausing(self) -> frozenset[str]:
        """The consumers that stand still at a failure.

        Raises:
            ValueError: if one is unknown; the message lists those that exist.
        """
        there = [f"{context}.{part}" for context in CONTEXTS for part in ("writer", "reactions")]
        names = frozenset(listed(self.pause))
        if unknown := sorted(names - set(there)):
            raise ValueError(f"unknown consumer {unknown[0]!r}; there are {', '.join(there)}")
        return names
