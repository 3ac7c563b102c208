"""A real Apache Kafka broker on this machine, for as long as the tests run.

Its jars are named in `pom.xml` and kept by Maven in its own store; after the first time nothing is fetched.
`KAFKA_BOOTSTRAP` names another broker to try, kept for tests alone: topics of our names are DELETED there. Tests
that stop the broker, or sign in, start their own all the same. Without Java or
Maven these tests are skipped with words, except where CI is set: there their absence is a failure.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

HERE = Path(__file__).parent
CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg"
USER, PASSWORD = "sellable", "correct horse"
START_SECONDS = 60.0

SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{sasl},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{sasl}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
ssl.keystore.type=PEM
ssl.keystore.location={pem}
log.dirs={logs}
num.partitions=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.backoff.ms=500
log.retention.check.interval.ms=500
log.initial.task.delay.ms=100
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
"""


def absent(words: str) -> None:
    """Fail where CI promises a broker, skip where a person's machine has none."""
    if os.environ.get("CI"):
        pytest.fail(f"CI must have a broker: {words}", pytrace=False)
    pytest.skip(f"NO KAFKA TESTS: {words}")


def class_path() -> str:
    """The jars of the broker, from Maven's store if they are all there, else by way of Maven."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            absent(f"{tool} is not on the PATH")
    listing = HERE / "target" / "classpath.txt"
    if listing.exists() and listing.stat().st_mtime > (HERE / "pom.xml").stat().st_mtime:
        jars = listing.read_text(encoding="utf-8")
        if all(Path(jar).is_file() for jar in jars.split(os.pathsep)):
            return jars
    listing.parent.mkdir(exist_ok=True)
    command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:build-classpath"]
    found = subprocess.run(
        [*command, f"-Dmdep.outputFile={listing}"], capture_output=True, text=True, timeout=250, check=False
    )
    if found.returncode:
        absent(f"Maven cannot bring the broker's jars:\n{found.stdout[-2000:]}")
    return listing.read_text(encoding="utf-8")


class Broker:
    """One broker in a directory of its own. `bootstrap` speaks plain text.

    `sasl` speaks TLS, by a certificate in `ca`, and asks for user and password.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._jars = class_path()
        plain, sasl, controller = free_ports(3)
        self.bootstrap, self.sasl = f"127.0.0.1:{plain}", f"127.0.0.1:{sasl}"
        self.ca = directory / "certificate.pem"
        self._settings = directory / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None
        text = SETTINGS.format(
            plain=plain,
            sasl=sasl,
            controller=controller,
            logs=directory / "logs",
            user=USER,
            password=PASSWORD,
            pem=certified(directory),
        )
        self._settings.write_text(text, encoding="utf-8")
        scram = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        tool = ["kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(self._settings), "-S", scram]
        subprocess.run(self._java("-Xmx128m", *tool), check=True, capture_output=True)

    def _java(self, *arguments: str) -> list[str]:
        # The quick compiler only and the plain collector: a broker for tests starts often and works little.
        log = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
        return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", log, "-cp", self._jars, *arguments]

    def start(self) -> None:
        """Start the broker and wait until it answers."""
        with (self.directory / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._java("-Xmx768m", "kafka.Kafka", str(self._settings)), stdout=log, stderr=log
            )
        self._await_answer(self._process)

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        settings: dict[str, Any] = {"bootstrap.servers": self.bootstrap, "log_level": 0}
        admin = AdminClient({**settings, "reconnect.backoff.max.ms": 100})
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if admin.list_topics(timeout=0.5).brokers:
                    return
            except KafkaException:
                continue
        words = (self.directory / "broker.log").read_text(encoding="utf-8")[-3000:]
        pytest.fail(f"the broker did not start:\n{words}", pytrace=False)

    def stop(self, *, kill: bool = False) -> None:
        """Stop the broker in good order, or as a power cut would."""
        if self._process is not None:
            if kill:
                self._process.kill()
            else:
                self._process.terminate()
            self._process.wait(timeout=60)
            self._process = None


def certified(directory: Path) -> Path:
    """A key and the certificate it signs for itself, in one file; the certificate also alone."""
    if shutil.which("openssl") is None:
        absent("openssl is not on the PATH")
    key, certificate, both = (directory / f"{name}.pem" for name in ("key", "certificate", "both"))
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    both.write_text(key.read_text() + certificate.read_text())
    return both


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody uses now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = []
    for one in sockets:
        with closing(one):
            ports.append(int(one.getsockname()[1]))
    return ports
