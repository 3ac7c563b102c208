"""The same guarantees in an object store, as far as it gives them: against an S3 server of this machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress

import polars
import pytest
from moto.server import ThreadedMotoServer
from pyarrow import BufferOutputStream, fs

from canonical.errors import Terminal
from sinks.parquet.catalog import faults, standing_at
from sinks.parquet.manifest import pointer_path
from sinks.parquet.objects import ObjectStore
from sinks.parquet.snapshots import Snapshots
from sinks.parquet.store import store_of
from tests.sinks.parquet.telling import at, lines, manifests, policy, publish, snapshots_at, stock, table

BUCKET = "stock"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def root(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """An address of its own for each test."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    options = f"endpoint_override={server}&scheme=http&region=us-east-1"
    files, _ = fs.FileSystem.from_uri(f"s3://{BUCKET}?{options}&allow_bucket_creation=true")
    files.create_dir(BUCKET)
    name = request.node.name.translate({ord("["): "-", ord("]"): None})
    return f"s3://{BUCKET}/{name}?{options}"


def test_snapshots_are_published_resumed_and_found(root: str) -> None:
    sink = snapshots_at(root)
    sink.write("availability", lines(stock("s1", 1), stock("s2", 1)))
    publish(sink, 5, {"offset": 1})
    sink.close()
    again = Snapshots(root, policy())
    assert again.positions == {"offset": 1}
    again.write("availability", lines(stock("s2", 1), stock("s2", 2)))
    again.finish(at(10), {"offset": 2})
    assert [(r["sku"], r["version"]) for r in table(root, "availability")] == [("s1", 1), ("s2", 2)]
    assert len(manifests(root)) == 2
    held = standing_at(store_of(root), at(9))
    assert held is not None
    assert len(table(root, "locations", held)) == 4
    assert list(faults(store_of(root))) == []


def test_polars_reads_what_is_there(root: str, server: str) -> None:
    sink = snapshots_at(root, keep=1, keep_daily="0s")
    for version in (1, 2, 3):
        sink.write("availability", lines(stock("s1", version)))
        publish(sink, 5 * version)
    sink.close()
    options = {"endpoint_url": f"http://{server}", "allow_http": "true", "region": "us-east-1"}
    prefix = root.partition("?")[0]
    latest = polars.read_parquet(f"{prefix}/tables/locations/", storage_options=options)
    assert latest["version"].to_list() == [3, 3]
    history = polars.read_parquet(
        f"{prefix}/tables/availability_history/**/*.parquet", storage_options=options
    )
    assert sorted(history["version"].to_list()) == [1, 2, 3]


class Failing(ObjectStore):
    """A store that is lost after so many objects, as by a kill."""

    left = 1_000_000

    def stage(self, path: str, data: object) -> None:
        if Failing.left == 0:
            raise OSError("the line is dead")
        Failing.left -= 1
        super().stage(path, data)

    def abandon(self, paths: object) -> None:
        """A killed process tidies nothing."""


@pytest.mark.parametrize("objects", [0, 1, 4, 8, 9, 11, 15])
def test_cut_off_after_any_object_only_whole_snapshots_are_seen(
    root: str, objects: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = snapshots_at(root)
    sink.write("availability", lines(stock("s1", 1)))
    publish(sink, 5)
    sink.close()
    with monkeypatch.context() as patch:
        patch.setattr("sinks.parquet.store.ObjectStore", Failing)
        patch.setattr(Failing, "left", objects)
        killed = Snapshots(root, policy())
        killed.write("availability", lines(stock("s1", 2)))
        with suppress(OSError):
            killed.finish(at(10), {})
        killed.close()
    seen = {m.snapshot: table(root, "availability", m)[0]["version"] for m in manifests(root)}
    assert list(seen.values()) in ([1], [1, 2])
    assert store_of(root).read(pointer_path("availability")) is not None
    again = Snapshots(root, policy())
    again.write("availability", lines(stock("s1", 2)))
    again.finish(at(10), {})
    assert [r["version"] for r in table(root, "availability")] == [2]
    assert list(faults(store_of(root))) == []
    files = store_of(root).names("tables/availability_history")
    assert len(files) == len(store_of(root).names("tables/locations_history")) == 2


def test_an_address_that_cannot_be_is_refused_with_words() -> None:
    with pytest.raises(Terminal, match="must not hold credentials"):
        store_of("s3://key:secret@bucket/prefix")
    with pytest.raises(Terminal, match="write a directory or s3://"):
        store_of("ftp://bucket/prefix")
    with pytest.raises(Terminal, match="is no address"):
        store_of("s3://bucket/[1]")


def test_an_object_store_never_supersedes_small_files(root: str) -> None:
    sink = snapshots_at(root)
    for version in (1, 2):
        sink.write("availability", lines(stock("s1", version)))
        publish(sink, 5 * version)
    publish(sink, 48 * 60)
    sink.close()
    assert len(store_of(root).names("tables/availability_history")) == 2
    out = BufferOutputStream()
    out.write(b"x")
    with pytest.raises(NotImplementedError):
        store_of(root).supersede("tables/availability_history")
