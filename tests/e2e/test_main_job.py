"""The main job as an operator and a listener do it: the real command line, a real server, a real kill.

One story in one data folder, so one test; each of its steps goes on where the one before ended.
"""

import csv
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 90.0
PASSWORD = "correct horse battery"
N_SONGS = 300
N_LISTENERS = 40

KAGGLE = [
    *("", "track_id", "artists", "album_name", "track_name", "popularity", "duration_ms", "explicit"),
    *("danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness", "instrumentalness"),
    *("liveness", "valence", "tempo", "time_signature", "track_genre"),
]
GENRES = {"metal": (0.95, 0.3, 150), "classical": (0.1, 0.3, 80), "disco": (0.75, 0.9, 120)}


@dataclass
class Story:
    """One data folder, the processes on it, and what the steps hand on to each other."""

    folder: Path
    port: int
    http: httpx.Client
    server: subprocess.Popen[bytes] | None = None
    version: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    acknowledged: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith("MADHUR_")}
        return {
            **outside,
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "160",
            "MADHUR_DATA_DIR": str(self.folder / "var"),
            "MADHUR_PORT": str(self.port),
        }

    def run(self, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "src.cli", *map(str, arguments)]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
            stdin=subprocess.DEVNULL,
        )

    def serve(self) -> None:
        with (self.folder / "serve.log").open("ab") as log:
            self.server = subprocess.Popen(
                [sys.executable, "-m", "src.cli", "serve"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.wait_for(lambda: self.get("/readyz").status_code == 200)

    def wait_for(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                if holds():
                    return
            except httpx.TransportError:
                assert self.server is not None
                assert self.server.poll() is None, (self.folder / "serve.log").read_text()
            assert time.monotonic() < deadline, (self.folder / "serve.log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        if self.server is not None:
            self.server.send_signal(signal.SIGINT)
            self.server.wait(PATIENCE_SECONDS)
            self.server = None

    def kill(self) -> None:
        """No warning for anybody: the server first, so that nothing restarts the database."""
        assert self.server is not None
        database = json.loads((self.folder / "var" / "embedded.json").read_text())["pid"]
        self.server.kill()
        os.kill(database, signal.SIGKILL)
        self.server.wait()
        self.server = None

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"} if self.tokens else {}
        return self.http.request(method, f"http://127.0.0.1:{self.port}{path}", headers=headers, **more)

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.request("GET", path, params=params)

    def tell(self, song_id: str, kind: str, **more: Any) -> httpx.Response:
        return self.request("POST", "/api/v1/interactions", json={"song_id": song_id, "kind": kind} | more)

    def songs(self, **params: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get("/api/v1/songs", **params).json()["items"]
        return items

    def recommended(self, **params: Any) -> dict[str, Any]:
        answer = self.get("/api/v1/recommendations", **params)
        assert answer.status_code == 200
        body: dict[str, Any] = answer.json()
        return body

    def history(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        params: dict[str, Any] = {"limit": 100}
        while True:
            page = self.get("/api/v1/users/me/history", **params).json()
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            params["cursor"] = page["next_cursor"]


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with httpx.Client(timeout=PATIENCE_SECONDS) as http:
        told = Story(tmp_path, port, http)
        yield told
        told.stop()


def spotify_id(number: int) -> str:
    return f"track{number:017d}"


def genre_of(number: int) -> str:
    return list(GENRES)[number % len(GENRES)]


def write_songs(path: Path) -> None:
    """Songs in the columns of Kaggle's "Spotify Tracks", invented and always the same."""
    rng = random.Random(1)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(KAGGLE)
        for n in range(N_SONGS):
            energy, valence, tempo = GENRES[genre_of(n)]
            near = rng.uniform(-0.05, 0.05)
            rows.writerow(
                [
                    *(n, spotify_id(n), f"Artist {n // 9};Guest {n % 7}", f"Album {n // 9}", f"Piece {n:03d}"),
                    *(rng.randrange(101), 180_000 + n, "False", 0.5 + near, energy + near, n % 12, -8 + near),
                    *(n % 2, 0.05, 1 - energy + near, 0.1, 0.1, valence + near, tempo + 100 * near, 4, genre_of(n)),
                ]
            )


def write_plays(path: Path) -> None:
    """Listeners who each keep to one genre and share favourites within it."""
    rng = random.Random(2)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["user", "song", "kind", "time"])
        for listener in range(N_LISTENERS):
            own = [n for n in range(N_SONGS) if n % len(GENRES) == listener % len(GENRES)][: 30 + listener % 5]
            for day, n in enumerate(rng.sample(own, 12)):
                kind = "like" if day % 3 == 0 else "play"
                rows.writerow([f"listener{listener}", spotify_id(n), kind, f"2026-03-{day + 1:02d}T12:00:00Z"])


def songs_are_imported(story: Story) -> None:
    path = story.folder / "songs.csv"
    write_songs(path)
    done = story.run("import", "songs", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{N_SONGS} songs added, 0 updated, 0 unchanged" in done.stdout


def interactions_are_imported(story: Story) -> None:
    path = story.folder / "plays.csv"
    write_plays(path)
    done = story.run("import", "interactions", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Listeners: {N_LISTENERS}, of which {N_LISTENERS} new" in done.stdout


def every_strategy_is_evaluated(story: Story) -> None:
    done = story.run("evaluate")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Held-out listening of {N_LISTENERS} listeners" in done.stdout
    for strategy in ("hybrid", "content", "item_cf", "popularity", "random"):
        assert strategy in done.stdout


def a_model_is_trained_and_listed_as_live(story: Story) -> None:
    done = story.run("train")
    assert (done.returncode, done.stderr) == (0, "")
    found = re.search(r"Model (\S+) is live", done.stdout)
    assert found is not None, done.stdout
    story.version = found.group(1)
    listed = story.run("models")
    assert listed.returncode == 0
    assert re.search(rf"{story.version}[^\n\w]*live", listed.stdout)


def promoting_what_there_is_not_is_one_line_and_exit_2(story: Story) -> None:
    done = story.run("promote", "20200101T000000-abcdef")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "There is no model 20200101T000000-abcdef" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def an_administrator_is_created_and_a_name_only_once(story: Story) -> None:
    for expected, said in ((0, "Created admin root"), (2, "already taken")):
        done = story.run("users", "create", "root", "--admin", MADHUR_NEW_PASSWORD=PASSWORD)
        assert done.returncode == expected
        assert said in done.stdout + done.stderr
        assert PASSWORD not in done.stdout + done.stderr
    refused = story.run("users", "create", "eve", MADHUR_NEW_PASSWORD="short")
    assert refused.returncode == 2
    assert "8 to 128 characters" in refused.stderr


def a_wrong_setting_is_one_line_that_names_it(story: Story) -> None:
    done = story.run("models", MADHUR_ENVIRONMENT="production", MADHUR_SECRET_KEY="")
    assert done.returncode == 2
    assert "MADHUR_SECRET_KEY is required in production" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def a_listener_registers_and_gets_what_is_popular(story: Story) -> None:
    story.serve()
    body = {"username": "ada", "password": PASSWORD}
    assert story.request("POST", "/api/v1/auth/register", json=body).status_code == 201
    answer = story.request("POST", "/api/v1/auth/token", data=body)
    assert answer.status_code == 200
    story.tokens = answer.json()
    assert story.get("/api/v1/users/me").json()["username"] == "ada"
    answer_of_nothing = story.recommended()
    assert answer_of_nothing["is_fallback"] is True
    assert answer_of_nothing["model_version"] == story.version


def five_likes_are_answered_and_a_sixth_changes_the_answer(story: Story) -> None:
    disco = story.songs(genre="disco", limit=5)
    for song in disco:
        assert story.tell(song["id"], "like").status_code == 201
    before = story.recommended(limit=10)
    assert before["is_fallback"] is False
    assert [item["song"]["genres"] for item in before["items"]] == [["disco"]] * 10
    liked = {song["id"] for song in disco}
    assert any(reason["because_song_id"] in liked for item in before["items"] for reason in item["reasons"])
    assert not liked & {item["song"]["id"] for item in before["items"]}
    sixth = before["items"][0]["song"]
    assert story.tell(sixth["id"], "like").status_code == 201
    after = story.recommended(limit=10)
    ids_before, ids_after = ([item["song"]["id"] for item in answer["items"]] for answer in (before, after))
    assert sixth["id"] not in ids_after
    assert ids_after != ids_before[1:]


def what_was_acknowledged_survives_a_kill_in_the_middle_of_writing(story: Story) -> None:
    songs = [song["id"] for genre in ("metal", "classical") for song in story.songs(genre=genre, limit=100)]
    before = story.get("/api/v1/users/me/taste").json()["n_interactions"]
    stop = threading.Event()

    def write(writer: int) -> None:
        n = 0
        while not stop.is_set():
            event_id = f"{writer}-{n}"
            try:
                answer = story.tell(songs[(100 * writer + n) % len(songs)], "like", event_id=event_id)
            except httpx.TransportError:
                return
            if answer.status_code == 201:
                story.acknowledged.append(event_id)
            n += 1

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(2)]
    for writer in writers:
        writer.start()
    try:
        story.wait_for(lambda: len(story.acknowledged) >= 60)
        story.kill()  # while both are writing
    finally:
        stop.set()
        for writer in writers:
            writer.join(PATIENCE_SECONDS)
    assert len(story.acknowledged) >= 60

    story.serve()
    kept = story.history()
    taste = story.get("/api/v1/users/me/taste").json()
    assert taste["n_interactions"] == len(kept)
    assert len(kept) >= before + len(story.acknowledged)
    assert taste["n_liked"] == len({item["song_id"] for item in kept})
    for event_id in story.acknowledged:
        # Sent again, each is known: nothing was lost, and nothing counts twice.
        writer, n = map(int, event_id.split("-"))
        again = story.tell(songs[(100 * writer + n) % len(songs)], "like", event_id=event_id)
        assert again.json()["replayed"] is True
    assert story.get("/api/v1/users/me/taste").json() == taste
    assert story.recommended()["model_version"] == story.version


def a_clean_stop_leaves_no_process_and_no_state(story: Story) -> None:
    database = json.loads((story.folder / "var" / "embedded.json").read_text())["pid"]
    server = story.server
    story.stop()
    assert server is not None
    assert server.returncode in (0, -signal.SIGINT)
    assert not (story.folder / "var" / "embedded.json").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(database, 0)
    assert "Traceback" not in (story.folder / "serve.log").read_text()


STEPS = (
    songs_are_imported,
    interactions_are_imported,
    every_strategy_is_evaluated,
    a_model_is_trained_and_listed_as_live,
    promoting_what_there_is_not_is_one_line_and_exit_2,
    an_administrator_is_created_and_a_name_only_once,
    a_wrong_setting_is_one_line_that_names_it,
    a_listener_registers_and_gets_what_is_popular,
    five_likes_are_answered_and_a_sixth_changes_the_answer,
    what_was_acknowledged_survives_a_kill_in_the_middle_of_writing,
    a_clean_stop_leaves_no_process_and_no_state,
)


def test_the_main_job(story: Story) -> None:
    for step in STEPS:
        step(story)
