"""Faust app is Faust with our settings, for its own lose data, wait for minutes, or open ports.

Why Faust carries these streams and no others: docs/decisions/0002-what-faust-carries.md.
"""

from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types.enums import ProcessingGuarantee

from events.kafka import this_process
from events.topics import PARTITIONS
from schemas.settings import Settings
from workers.tables import Table, quiet

COMMIT_SECONDS = 1.0
FETCH_BYTES, FETCH_WAIT_MS = 1 << 20, 250
"""A fetch is answered when so much has come, or so much time has passed."""


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer, which is content with a few fetches a second: it carries nothing that is in a hurry."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_min_bytes, consumer._fetch_max_wait_ms = FETCH_BYTES, FETCH_WAIT_MS
        return consumer


class Consumer(driver.Consumer):  # type: ignore[misc]
    """The consumer with our thread."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class Transport(driver.Transport):  # type: ignore[misc]
    """The transport with our consumer."""

    Consumer = Consumer


class App(faust.App):  # type: ignore[misc]
    """A Faust app with our settings and no one else's."""

    logger = quiet

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def __init__(self, settings: Settings, name: str) -> None:
        wanted = options(settings, name)
        super().__init__(f"orderlog-{name}", **wanted)
        self.finalize()
        if differing := [key for key in wanted if key in CHECKED and getattr(self.conf, key) != wanted[key]]:
            raise RuntimeError(f"Faust does not take our settings: {', '.join(differing)}")


def options(settings: Settings, name: str) -> dict[str, Any]:
    """Faust's settings, of which the defaults lose data, wait for minutes or open ports."""
    home = (settings.home / "faust" / name).absolute()
    home.mkdir(parents=True, exist_ok=True)
    session = settings.session_timeout_ms / 1000
    return {
        "broker": [f"kafka://{address.strip()}" for address in settings.kafka.split(",")],
        "env": {},  # Faust prefers any variable named like a setting, such as PRODUCER_ACKS, to our arguments
        "datadir": home,
        "broker_client_id": this_process(),
        "autodiscover": False,
        "web_enabled": False,
        "worker_redirect_stdouts": False,
        "key_serializer": "raw",
        "value_serializer": "raw",
        "store": "memory://",
        "Table": Table,
        "processing_guarantee": ProcessingGuarantee.AT_LEAST_ONCE,  # its exactly_once is not: see the decision record
        "topic_partitions": PARTITIONS,
        "topic_replication_factor": settings.replication,
        "topic_disable_leader": True,
        "table_standby_replicas": 1,  # 0 would change the assignor, and tables would lose their partitions
        "stream_wait_empty": False,  # a record that waits for the world must not hold up a rebalance
        "consumer_auto_offset_reset": "earliest",
        "consumer_metadata_max_age_ms": 30_000,
        "broker_session_timeout": session,
        "broker_heartbeat_interval": session / 6,
        "broker_rebalance_timeout": 10.0,
        "broker_request_timeout": max(session, 10.0),
        "broker_commit_interval": COMMIT_SECONDS,
        "broker_max_poll_records": 500,
        "producer_acks": -1,
        "producer_request_timeout": 10.0,
        "stream_buffer_maxsize": 1024,
    }


CHECKED = frozenset(
    {
        "processing_guarantee",
        "web_enabled",
        "topic_disable_leader",
        "table_standby_replicas",
        "stream_wait_empty",
        "consumer_auto_offset_reset",
        "broker_session_timeout",
        "broker_commit_interval",
        "producer_acks",
        "producer_request_timeout",
    }
)
