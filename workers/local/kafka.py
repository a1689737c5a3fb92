"""A Kafka broker of one's own: one KRaft node on loopback, its data in the data folder."""

import os
import shutil
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

from workers.local import java, probe
from workers.local.child import ChildProcess
from workers.local.fetch import OnProgress, kafka_jars
from workers.local.home import Home
from workers.local.kafka_jars import KAFKA
from workers.local.steps import done, until_ready

FINDERS = {"system": java.of_system, "wheel": java.of_wheel}
JVM = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError")

# A broker that was killed may register again only when its last session has run out: 3 seconds, instead of 9.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={data}
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=3000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""

LINKS = "kafka_links"
"""Remembered in the data folder: listeners of their own for clients that come by a way of their own, each with the
port where it listens and the port that it tells its clients to use."""

LOGGING = """\
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %-5p %m (%c{1})%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=info
logger.groups.name=org.apache.kafka.coordinator.group
logger.groups.level=info
"""


class Kafka:
    """One broker; `run()` is a sequence of steps, so that another server can start meanwhile."""

    def __init__(self, home: Home, origin: str, progress: OnProgress | None = None) -> None:
        self.home, self.origin = home, origin
        self.java = FINDERS[origin]()
        self.jars = kafka_jars(progress)
        self.folder = home.folder / "kafka"
        self.child: ChildProcess | None = None
        self.port, self.controller = home.port("kafka"), home.port("controller")

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __str__(self) -> str:
        return f"Kafka {KAFKA} on Java {self.java.major} ({self.java.path})"

    def run(self) -> Iterator[None]:
        self._configure()
        if not (self.folder / "cluster").exists():
            yield from self._format()
        self.child = self._java("kafka.Kafka", str(self._properties), name="kafka")
        yield from until_ready(self.child, lambda: probe.kafka(self.url))

    def _configure(self) -> None:
        self.folder.mkdir(exist_ok=True)
        settings = {"port": self.port, "controller": self.controller, "data": self.folder / "data"}
        self._properties.write_text(linked(PROPERTIES.format(**settings), self.home.recall(LINKS) or {}))
        (self.folder / "log4j2.properties").write_text(LOGGING)

    def _format(self) -> Iterator[None]:
        # The mark is written last: a format that was cut short is begun anew.
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        # The zero byte becomes an "A": an id that began with a dash would be read as an option.
        cluster = urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).rstrip(b"=").decode()
        words = ("format", "-t", cluster, "-c", str(self._properties))
        yield from done(self._java("kafka.tools.StorageTool", *words, name="kafka-format"))
        (self.folder / "cluster").write_text(cluster)

    def _java(self, main: str, *words: str, name: str) -> ChildProcess:
        logging = f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}"
        classes = os.pathsep.join(map(str, self.jars))
        command: list[str | Path] = [self.java.path, *JVM, *self.java.flags, logging, "-cp", classes, main, *words]
        return ChildProcess(command, name=name, home=self.home.folder, grace_seconds=20)

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"


def linked(properties: str, links: dict[str, tuple[int, int]]) -> str:
    """The properties with a listener more for each link; without links, as they are."""
    if not links:
        return properties
    names = {name: f"LINK{number}" for number, name in enumerate(sorted(links))}
    here = ",".join(f"{names[name]}://127.0.0.1:{port}" for name, (port, _) in links.items())
    told = ",".join(f"{names[name]}://127.0.0.1:{port}" for name, (_, port) in links.items())
    plain = ",".join(f"{name}:PLAINTEXT" for name in ("PLAINTEXT", "CONTROLLER", *names.values()))
    lines = []
    for line in properties.splitlines():
        more = {"listeners": here, "advertised.listeners": told}.get(line.partition("=")[0])
        lines.append(f"{line},{more}" if more else line)
    more_lines = (f"listener.security.protocol.map={plain}", "inter.broker.listener.name=PLAINTEXT")
    return "\n".join([*lines, *more_lines, ""])
