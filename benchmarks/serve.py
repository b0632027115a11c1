"""Latency of GET /api/v1/recommendations beside a floor, in one server process, requests interleaved.

The floor is what any answer of this service costs: the same authentication, one ``find_one`` of the caller's
taste profile, and 20 songs of static JSON. Goals: p50 at most 2x the floor, p99 at most 3x, resident memory
at most 350 MB, ready after a restart in at most 3 s.

    MADHUR_BENCH_SONGS=songs.csv.gz python -m benchmarks.serve [--data-dir DIR] [--requests N]

``--data-dir`` keeps (and reuses) the imported catalogue. Without real plays, 1,000 listeners are drawn by a
power law over the songs, so that collaborative filtering has something to do.
"""

import argparse
import http.client
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

N_LISTENERS = 1_000
PLAYS_EACH = 50
HISTORIES = (0, 5, 50, 200)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--requests", type=int, default=500)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        data_dir = arguments.data_dir or Path(scratch)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        os.environ |= {
            "MADHUR_DATA_DIR": str(data_dir),
            "MADHUR_PORT": str(port),
            "MADHUR_LOG_LEVEL": "WARNING",
            # Counted as ever, and never reached: the one listener asks faster than any real one.
            "MADHUR_RATE_LIMIT": "1000000000/minute",
            # One worker on one core: a thread pool for tiny products only adds jitter.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        if not (data_dir / "plays.csv").exists():
            _prepare(data_dir)
        started = time.perf_counter()
        server = subprocess.Popen([sys.executable, "-m", "benchmarks.floor_app"])
        try:
            client = _Client(port)
            client.wait()
            ready_seconds = time.perf_counter() - started
            _run(client, server.pid, ready_seconds, arguments.requests)
        finally:
            server.terminate()
            server.wait()


def _prepare(data_dir: Path) -> None:
    songs = os.environ.get("MADHUR_BENCH_SONGS")
    if not songs:
        sys.exit("set MADHUR_BENCH_SONGS to a song catalogue that `madhur import songs` reads")
    madhur = [sys.executable, "-m", "src.cli"]
    subprocess.run([*madhur, "import", "songs", songs], check=True)
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.floor_app"])
    try:
        client = _Client(int(os.environ["MADHUR_PORT"]))
        client.wait()
        ids: list[str] = []
        cursor = ""
        while len(ids) < 5_000:
            page = client.get(f"/api/v1/songs?limit=100{cursor}")
            ids += [song["id"] for song in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
    finally:
        server.terminate()
        server.wait()
    rng = np.random.default_rng(7)
    share = 1 / np.arange(1, len(ids) + 1) ** 0.8
    plays = data_dir / "plays.csv"
    with plays.open("w") as file:
        file.write("user,song,kind,time\n")
        for listener in range(N_LISTENERS):
            chosen = rng.choice(len(ids), PLAYS_EACH, replace=False, p=share / share.sum())
            file.writelines(
                f"bench-{listener},{ids[song]},like,{1_700_000_000 + listener * 100 + i}\n"
                for i, song in enumerate(chosen)
            )
    subprocess.run([*madhur, "import", "interactions", str(plays)], check=True)
    subprocess.run([*madhur, "train", "--force"], check=True)


class _Client:
    """A keep-alive connection; the thinnest client there is, since its cost is in both numbers."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self.headers: dict[str, str] = {}

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while not self._ready():
            if time.monotonic() > deadline:
                raise SystemExit("the server was not ready within a minute")
            time.sleep(0.01)

    def _ready(self) -> bool:
        try:
            self._connection.request("GET", "/readyz")
            response = self._connection.getresponse()
            response.read()
        except OSError:
            self._connection.close()
            return False
        return response.status == 200

    def call(self, method: str, path: str, body: str | None = None, kind: str = "application/json") -> Any:
        self._connection.request(method, path, body, {**self.headers, "Content-Type": kind})
        response = self._connection.getresponse()
        data = json.loads(response.read())
        if response.status >= 400:
            raise SystemExit(f"{method} {path}: {response.status} {data}")
        return data

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def timed(self, path: str) -> float:
        started = time.perf_counter()
        self._connection.request("GET", path, headers=self.headers)
        response = self._connection.getresponse()
        response.read()
        took = time.perf_counter() - started
        if response.status != 200:
            raise SystemExit(f"{path}: {response.status}")
        return took * 1000


def _log_in(client: _Client, name: str) -> None:
    body = json.dumps({"username": name, "password": "for the benchmark only"})
    client.headers = {}
    client.call("POST", "/api/v1/auth/register", body)
    form = f"username={name}&password=for+the+benchmark+only"
    tokens = client.call("POST", "/api/v1/auth/token", form, "application/x-www-form-urlencoded")
    client.headers = {"Authorization": f"Bearer {tokens['access_token']}"}


def _run(client: _Client, pid: int, ready_seconds: float, n_requests: int) -> None:
    catalogue = client.get("/readyz")["n_songs"]
    print(f"{catalogue:,} songs; {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'history':>8} {'request':<32} {'p50 ms':>8} {'p99 ms':>8} {'p50 ratio':>10} {'p99 ratio':>10}")
    stamp = f"{time.time_ns():x}"[-10:]
    songs = [song["id"] for song in client.get("/api/v1/songs?limit=100")["items"]]
    more = client.get("/api/v1/songs?limit=100&max_energy=0.5")["items"]
    songs = list(dict.fromkeys([*songs, *(song["id"] for song in more)]))
    for n in HISTORIES:
        _log_in(client, f"bench{stamp}-{n}")
        liked = [{"song_id": song, "kind": "like"} for song in songs[:n]]
        if liked:
            client.call("POST", "/api/v1/interactions/batch", json.dumps({"interactions": liked}))
        paths = {
            "floor": "/floor",
            "recommendations": "/api/v1/recommendations?limit=20",
            "recommendations, mood and filter": "/api/v1/recommendations?limit=20&mood=calm&min_tempo=80",
        }
        times: dict[str, list[float]] = {name: [] for name in paths}
        for i in range(n_requests + 20):
            for name, path in paths.items():
                took = client.timed(path)
                if i >= 20:
                    times[name].append(took)
        floor = _quantiles(times["floor"])
        for name, values in times.items():
            p50, p99 = _quantiles(values)
            print(f"{n:>8} {name:<32} {p50:8.2f} {p99:8.2f} {p50 / floor[0]:9.2f}x {p99 / floor[1]:9.2f}x")
    print(f"resident memory {_resident_mb(pid):.0f} MB (goal 350); ready after start in {ready_seconds:.1f} s (goal 3)")


def _quantiles(values: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(values, n=100)
    return cuts[49], cuts[98]


def _resident_mb(pid: int) -> float:
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


if __name__ == "__main__":
    main()
