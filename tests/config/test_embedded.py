"""The embedded database as a process: who owns it, who joins, what survives which death."""

import asyncio
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.errors import AutoReconnect

from src.config import embedded
from src.config.database import connect
from src.config.embedded import EmbeddedDatabase
from src.config.errors import OperatorError
from src.config.settings import Settings
from tests.conftest import database_dies, eventually

ROOT = Path(__file__).parents[2]
DURABLE = WriteConcern(w=1, j=True)

OWNER = """
import sys, pathlib
from src.config.embedded import EmbeddedDatabase
with EmbeddedDatabase(pathlib.Path(sys.argv[1])) as database:
    print(database.port, flush=True)
    sys.stdin.read()
"""


def state_of(folder: Path) -> dict[str, int]:
    state: dict[str, int] = json.loads((folder / "embedded.json").read_text())
    return state


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed child of a killed owner may wait for its parent to be told: it is dead all the same.
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


@asynccontextmanager
async def collection_at(uri: str) -> AsyncIterator[Any]:
    async with AsyncMongoClient(uri, serverSelectionTimeoutMS=20_000) as client:
        yield client.get_database("try").get_collection("numbers", write_concern=DURABLE)


def start_owner(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


async def test_a_second_opener_joins_and_leaves_the_server_running(tmp_path: Path) -> None:
    with EmbeddedDatabase(tmp_path) as owner:
        assert owner.owned
        with EmbeddedDatabase(tmp_path) as guest:
            assert not guest.owned
            assert guest.port == owner.port
        async with collection_at(owner.uri) as numbers:
            await numbers.insert_one({"_id": 1})
            assert await numbers.count_documents({}) == 1


async def test_a_process_joins_the_server_of_another_process(tmp_path: Path) -> None:
    with EmbeddedDatabase(tmp_path) as owner:
        process = await asyncio.to_thread(start_owner, tmp_path)
        assert int(await asyncio.to_thread(read_line, process)) == owner.port
        await asyncio.to_thread(process.communicate)
        assert process.returncode == 0
        assert alive(state_of(tmp_path)["pid"])


async def test_a_clean_stop_leaves_neither_process_nor_state_and_keeps_the_data(tmp_path: Path) -> None:
    with EmbeddedDatabase(tmp_path) as database:
        pid = state_of(tmp_path)["pid"]
        async with collection_at(database.uri) as numbers:
            await numbers.insert_one({"_id": 1})
    assert not alive(pid)
    assert not (tmp_path / "embedded.json").exists()
    assert not database.owned
    with EmbeddedDatabase(tmp_path) as again:
        async with collection_at(again.uri) as numbers:
            assert await numbers.count_documents({}) == 1


@database_dies
async def test_a_killed_server_is_restarted_on_its_port_and_the_same_client_writes_on(tmp_path: Path) -> None:
    with EmbeddedDatabase(tmp_path) as database:
        async with collection_at(database.uri) as numbers:
            await numbers.insert_one({"_id": "before"})
            killed = state_of(tmp_path)["pid"]
            os.kill(killed, signal.SIGKILL)

            async def written() -> bool:
                try:
                    await numbers.replace_one({"_id": "after"}, {}, upsert=True)
                except AutoReconnect:
                    return False
                return True

            await eventually(written)
            assert {found["_id"] async for found in numbers.find()} == {"before", "after"}
        restarted = state_of(tmp_path)
        assert restarted["port"] == database.port
        assert restarted["pid"] != killed
    assert not alive(restarted["pid"])


async def test_stopping_right_after_a_crash_starts_no_server_again(tmp_path: Path) -> None:
    with EmbeddedDatabase(tmp_path) as database:
        os.kill(state_of(tmp_path)["pid"], signal.SIGKILL)
        assert database._child is not None
        await asyncio.to_thread(database._child.wait)
    supervisor = database._supervisor
    assert supervisor is not None
    await asyncio.to_thread(supervisor.join, 60)
    assert not supervisor.is_alive()
    assert not (tmp_path / "embedded.json").exists()
    assert database._child.poll() is not None
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", database.port)) != 0


async def test_the_next_owner_takes_over_what_a_killed_owner_left(tmp_path: Path) -> None:
    process = await asyncio.to_thread(start_owner, tmp_path)
    port = int(await asyncio.to_thread(read_line, process))
    async with collection_at(f"mongodb://127.0.0.1:{port}/?directConnection=true&retryWrites=false") as numbers:
        await numbers.insert_one({"_id": 1})
    orphan = state_of(tmp_path)["pid"]
    process.kill()
    await asyncio.to_thread(process.communicate)
    assert alive(orphan)
    with EmbeddedDatabase(tmp_path) as database:
        assert database.owned
        assert not alive(orphan)
        assert state_of(tmp_path)["pid"] != orphan
        async with collection_at(database.uri) as numbers:
            assert await numbers.count_documents({}) == 1


async def test_a_stranger_with_the_process_id_of_a_dead_server_is_left_alone(tmp_path: Path) -> None:
    stranger = await asyncio.to_thread(subprocess.Popen, [sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        (tmp_path / "embedded.json").write_text(json.dumps({"pid": stranger.pid, "port": 1}))
        with EmbeddedDatabase(tmp_path) as database:
            async with collection_at(database.uri) as numbers:
                await numbers.insert_one({"_id": 1})
            assert stranger.poll() is None
    finally:
        stranger.communicate(b"\n")
    assert stranger.returncode == 0


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"pid": null, "port": 1}'])
def test_a_damaged_state_file_says_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "embedded.json").write_text(content)
    assert EmbeddedDatabase(tmp_path)._read_state() is None


async def test_two_folders_have_two_servers_on_two_ports(tmp_path: Path) -> None:
    with EmbeddedDatabase(tmp_path / "a") as one, EmbeddedDatabase(tmp_path / "b") as two:
        assert one.port != two.port
        async with collection_at(one.uri) as numbers:
            await numbers.insert_one({"_id": 1})
        async with collection_at(two.uri) as numbers:
            assert await numbers.count_documents({}) == 0


def test_without_the_package_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "secantus" else found(name))
    advice = r"MADHUR_MONGODB_URI.*pip install madhur\[embedded\]"
    with pytest.raises(OperatorError, match=advice), EmbeddedDatabase(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


async def test_a_server_that_does_not_start_is_explained_and_its_log_named(tmp_path: Path) -> None:
    with EmbeddedDatabase(tmp_path / "a"):
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "db").symlink_to(tmp_path / "a" / "db")  # files that another server has open
        refused = EmbeddedDatabase(tmp_path / "b")
        with pytest.raises(OperatorError) as caught, refused:
            pass
    assert str(caught.value).endswith(f"see {tmp_path / 'b' / 'embedded.log'}")
    assert (tmp_path / "b" / "embedded.log").stat().st_size > 0
    assert not refused.owned
    assert not (tmp_path / "b" / "embedded.json").exists()


async def test_a_lock_whose_owner_has_no_server_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 0.2)
    held = embedded._try_lock(tmp_path / "embedded.lock")
    assert held is not None
    try:
        with pytest.raises(OperatorError, match=r"embedded\.lock.*embedded\.log"), EmbeddedDatabase(tmp_path):
            pass
    finally:
        os.close(held)


@pytest.mark.parametrize("uri", ["http://nowhere", "mongodb://127.0.0.1:99999", "mongodb://"])
async def test_an_address_that_is_none_names_the_variable(tmp_path: Path, uri: str) -> None:
    with pytest.raises(OperatorError, match="MADHUR_MONGODB_URI"):
        async with connect(Settings(_env_file=None, data_dir=tmp_path, mongodb_uri=uri)):
            pass


@database_dies
async def test_a_database_that_does_not_answer_names_the_variable(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        uri = f"mongodb://127.0.0.1:{taken.getsockname()[1]}/?serverSelectionTimeoutMS=300"
        with pytest.raises(OperatorError, match="cannot reach the database of MADHUR_MONGODB_URI"):
            async with connect(Settings(_env_file=None, data_dir=tmp_path, mongodb_uri=uri)):
                pass
