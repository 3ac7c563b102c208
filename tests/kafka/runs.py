"""The command as a user starts it, on a day whose events stand in files and in topics; and what came of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from canonical.broker import Connection
from canonical.topics import INPUTS
from sinks.kafka import KafkaOutlet
from tests.kafka.days import last
from tests.kafka.desk import taken

PARTS = 4
Ends = dict[str, dict[str, Any]]


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "dataflows", "run", *map(str, words)]


def sellable(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command(*words), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    return done


@dataclass
class Day:
    """A simulated day of the recent past: nothing in it is late, nothing leaves the state, deadlines have passed."""

    directory: Path
    truth: Path
    as_of: str

    def parts(self, count: int) -> list[list[tuple[str, bytes]]]:
        """The events with their topics, in the order of time, cut into parts."""
        told = [
            (json.loads(line)["time"], topic.name, line + b"\n")
            for topic in INPUTS
            if (path := self.directory / f"{topic.name}.ndjson").exists()
            for line in path.read_bytes().splitlines()
        ]
        events = [(name, line) for _, name, line in sorted(told, key=lambda event: event[0])]
        size = len(events) // count + 1
        return [events[at : at + size] for at in range(0, len(events), size)]


def put(connection: Connection, events: list[tuple[str, bytes]]) -> None:
    for name in {name for name, _ in events}:
        outlet = KafkaOutlet(connection, name)
        outlet.write([line for topic, line in events if topic == name])
        outlet.close()


def by_files(output: Path) -> Ends:
    stems = ("availability", "lifecycle", "exceptions")
    ends = {stem: last(stem, (output / f"{stem}.ndjson").read_bytes().splitlines()) for stem in stems}
    return ends | {"counts": json.loads((output / "meta/counts.json").read_bytes())}


def by_topics(connection: Connection, local: Path) -> Ends:
    stems = ("availability", "lifecycle", "exceptions")
    ends = {stem: last(stem, [m.value() or b"" for m in taken(connection, stem)]) for stem in stems}
    return ends | {"counts": json.loads((local / "meta/counts.json").read_bytes())}


def agree(found: Ends, wanted: Ends, *, late: bool = False) -> None:
    """The same keys, and the same last record of each, but for when an exception was found out.

    `late`: events came days late by live time, so exceptions were opened that would not have been in time.
    """
    for ends in (found, wanted):
        raised = ends.pop("exceptions")
        if not late:
            ends["exceptions"] = {key: {**record, "detected_at": ""} for key, record in raised.items()}
    for name, expected in wanted.items():
        wrong = {
            key: (found[name].get(key), expected.get(key))
            for key in found[name].keys() | expected.keys()
            if found[name].get(key) != expected.get(key)
        }
        assert not wrong, f"{name}: {len(wrong)} differ, as {next(iter(wrong.items()))}"


def committed(connection: Connection) -> dict[tuple[str, int], int]:
    """What lag monitors see: how far the group is in every partition that has something."""
    consumer = Consumer({**connection.settings, "group.id": "sellable"})
    places = [TopicPartition(topic.name, part) for topic in INPUTS for part in range(PARTS)]
    with closing(consumer):
        shown = {(at.topic, at.partition): at.offset for at in consumer.committed(places, timeout=10)}
        ends = {(at.topic, at.partition): consumer.get_watermark_offsets(at)[1] for at in places}
    return {at: shown[at] - end for at, end in ends.items() if end}


def all_read(connection: Connection) -> bool:
    """Whether everything that is in the topics has been read and kept, as far as lag monitors can tell."""
    with suppress(KafkaException):  # a coordinator may still be starting
        return not any(committed(connection).values())
    return False


class Run:
    """A live run, started; inside it is running, after it it is gone."""

    def __init__(self, *words: object) -> None:
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  closed when the run is gone
        self.process = subprocess.Popen(
            command(*words), stdout=subprocess.PIPE, stderr=self._words, text=True, start_new_session=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=20)
        self._words.close()

    def stop(self) -> str:
        """Ask it to end as a supervisor does; what it said."""
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=60)
        self._words.seek(0)
        assert self.process.returncode == 0, self._words.read().decode()
        return said

    def kill(self) -> None:
        """End the whole of it at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=20)
