"""Settings is the shape of the environment: every variable that a process reads, once, at its start."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

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
    jwt_secret: str = Field("development-only-secret-change-me-now", description="key that signs login tokens")
    hold_seconds: float = Field(900.0, description="how long stock is held for an unconfirmed order")
    overdue_seconds: float = Field(600.0, description="how long the provider may take to authorize")
    session_timeout_ms: int = Field(6000, description="a silent worker loses its partitions after so long")
    flush_seconds: float = Field(2.0, description="how often snapshots and resume points are written")
    rebuild: bool = Field(False, description="rebuild by itself a read model whose code has another version")
    replication: int = Field(1, description="copies of every partition; 3 outside development")
    pause: str = Field(
        "",
        description="consumers that stand still at a failure instead of setting it aside, comma separated,"
        " such as order.writer,payment.reactions",
    )
    who: str = Field("", description="who an operator is, for the audit stream; user@host where it says nothing")

    def chosen(self) -> tuple[str, ...]:
        """The contexts asked for.

        Raises:
            ValueError: if one is unknown; the message lists those that exist.
        """
        names = tuple(name.strip() for name in self.contexts.split(",") if name.strip())
        if unknown := [name for name in names if name not in CONTEXTS]:
            raise ValueError(f"unknown context {unknown[0]!r}; there are {', '.join(CONTEXTS)}")
        return names

    def pausing(self) -> frozenset[str]:
        """The consumers that stand still at a failure.

        Raises:
            ValueError: if one is unknown; the message lists those that exist.
        """
        there = [f"{context}.{part}" for context in CONTEXTS for part in ("writer", "reactions")]
        names = frozenset(name.strip() for name in self.pause.split(",") if name.strip())
        if unknown := sorted(names - set(there)):
            raise ValueError(f"unknown consumer {unknown[0]!r}; there are {', '.join(there)}")
        return names
