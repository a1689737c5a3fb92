"""ConsumerTool is Kafka's own measure of reading, kafka-consumer-perf-test: a Java consumer that drops what comes."""

import csv
import os
import subprocess

from workers.local.errors import Unavailable
from workers.local.fetch import Jar, cached, kafka_jars
from workers.local.java import Java, of_system, of_wheel
from workers.local.kafka_jars import KAFKA

TOOLS = Jar("org.apache.kafka", "kafka-tools", KAFKA, "YvPF3XqjRC1MW8apX4biUCF46gnejif3TZVjv5VeJTw=")


def tool_rate(kafka: str, topic: str, records: int) -> float:
    """Records a second of a topic from its start, without the time that the tool needs to join its group."""
    classes = os.pathsep.join(map(str, [*kafka_jars(), *cached([TOOLS])]))
    java = _java()
    asked = ("--bootstrap-server", kafka, "--topic", topic, "--num-records", str(records), "--timeout", "20000")
    command = [str(java.path), *java.flags, "-cp", classes, "org.apache.kafka.tools.ConsumerPerformance", *asked]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names, values = list(csv.reader(said.splitlines(), skipinitialspace=True))[-2:]
    return float(dict(zip(names, values, strict=True))["fetch.nMsg.sec"])


def _java() -> Java:
    try:
        return of_system()
    except Unavailable:
        return of_wheel()
