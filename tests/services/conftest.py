"""A real Redis, and real workers on it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from src.config.settings import Settings
from tests.conftest import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis of this test process, without a database number."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("redis-server is not installed, and CI must not skip the worker")
        pytest.skip("redis-server is not installed (on Debian and Ubuntu: apt-get install redis-server)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    options = {"--port": port, "--bind": "127.0.0.1", "--dir": folder, "--save": "", "--logfile": folder / "log"}
    server = subprocess.Popen([program, *(str(part) for option in options.items() for part in option)])
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _accepts(port):
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(PATIENCE_SECONDS)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The address of an empty Redis."""
    url = f"{redis_server}/0"
    with Redis.from_url(url) as redis:
        redis.flushall()
    return url


@dataclass
class Worker:
    """A `madhur worker`, the leader of a process group with everything it starts."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self, words: str) -> bool:
        return words in self.log.read_text()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """SIGKILL, for it and for the training it may have started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)


StartWorker = Callable[[Settings], Worker]


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Starts workers with given settings; all are killed in the end."""
    started: list[Worker] = []

    def start(settings: Settings) -> Worker:
        outside = {name: value for name, value in os.environ.items() if not name.startswith("MADHUR_")}
        environment = {
            "PYTHONPATH": str(ROOT),
            "MADHUR_DATA_DIR": str(settings.data_dir),
            "MADHUR_MONGODB_URI": str(settings.mongodb_uri),
            "MADHUR_MONGODB_DATABASE": settings.mongodb_database,
            "MADHUR_REDIS_URL": str(settings.redis_url),
            "MADHUR_SHARE_MODELS": str(settings.models_shared),
            "MADHUR_LOG_JSON": "true",
        }
        path = tmp_path / f"worker-{len(started)}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "src.cli", "worker"],
                cwd=tmp_path,
                env=outside | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started.append(Worker(process, path))
        return started[-1]

    yield start
    for worker in started:
        if worker.process.poll() is None:
            worker.kill()
