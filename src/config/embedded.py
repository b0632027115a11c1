"""The embedded database: a SecantusDB server started as a child process on a loopback port.

One process owns a data folder at a time, by an advisory lock on ``embedded.lock``; it starts the server,
restarts it after a crash and stops it. Any other process of the same folder joins the running server,
whose port and process id the owner leaves in ``embedded.json``.
"""

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog

from src.config.errors import OperatorError

log = structlog.get_logger(__name__)

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 20.0
MAX_RESTARTS: Final = 5


class EmbeddedDatabase:
    """Owner of, or guest at, the embedded server of one data folder. Use as a context manager.

    Raises:
        OperatorError: SecantusDB is not installed, or its server does not start.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir
        self._storage = data_dir / "db"
        self._state = data_dir / "embedded.json"
        self._log_path = data_dir / "embedded.log"
        self._lock_fd: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._supervisor: threading.Thread | None = None
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self.port = 0

    @property
    def uri(self) -> str:
        # Retryable writes make every write ten times slower on this server after ten thousand of them.
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true&retryWrites=false"

    @property
    def owned(self) -> bool:
        return self._lock_fd is not None

    def __enter__(self) -> Self:
        if importlib.util.find_spec("secantus") is None:
            raise OperatorError(
                "no database: set MADHUR_MONGODB_URI, or install the embedded one with `pip install madhur[embedded]`"
            )
        self._storage.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._lock_fd = _try_lock(self._folder / "embedded.lock")
            if self._lock_fd is not None:
                try:
                    self._start()
                except BaseException:
                    self._unlock()
                    raise
                return self
            state = self._read_state()
            if state and _accepts(state["port"]):
                self.port = state["port"]
                return self
            if time.monotonic() > deadline:
                raise OperatorError(
                    f"another process holds {self._folder / 'embedded.lock'} but its database does not answer; "
                    f"stop that process, or look into {self._log_path}"
                )
            time.sleep(0.1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.owned:
            return
        self._stopping.set()
        with self._starting:  # a restart that has begun ends first; after it none begins
            pass
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                log.warning("embedded database did not stop in time; killing it", seconds=STOP_SECONDS)
                self._child.kill()
                self._child.wait()
        self._state.unlink(missing_ok=True)
        self._unlock()

    def _start(self) -> None:
        self._stop_orphan()
        self.port = _free_port()
        self._spawn()
        self._supervisor = threading.Thread(target=self._supervise, name="embedded-database", daemon=True)
        self._supervisor.start()

    def _spawn(self) -> None:
        command = [sys.executable, "-m", "secantus", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--storage-path", str(self._storage), "--cache-size", "256M", "--log-level", "WARNING"]
        with self._log_path.open("ab") as output:
            # Its own session: Ctrl-C reaches us first, and we stop it after the last request.
            self._child = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        staged = self._state.with_suffix(".tmp")
        staged.write_text(json.dumps({"pid": self._child.pid, "port": self.port}))
        staged.replace(self._state)
        deadline = time.monotonic() + START_SECONDS
        while not _accepts(self.port):
            if self._child.poll() is not None or time.monotonic() > deadline:
                tail = self._log_path.read_text(errors="replace").strip().splitlines()[-1:]
                self._child.kill()
                self._child.wait()
                self._state.unlink(missing_ok=True)
                raise OperatorError(
                    f"the embedded database did not start ({tail[0] if tail else 'no output'}); see {self._log_path}"
                )
            time.sleep(0.02)

    def _supervise(self) -> None:
        restarts = 0
        while self._child is not None:
            code = self._child.wait()
            if self._stopping.is_set():
                return
            restarts += 1
            log.error("embedded database died", exit_code=code, restarts=restarts)
            if restarts > MAX_RESTARTS:
                log.error("embedded database keeps dying; not restarting it", log=str(self._log_path))
                return
            self._stopping.wait(0.2 * 2**restarts)
            with self._starting:
                if self._stopping.is_set():
                    return
                try:
                    self._spawn()  # on the same port, so every client reconnects by itself
                except OperatorError as error:
                    log.error("embedded database restart failed", error=str(error))

    def _stop_orphan(self) -> None:
        """Stop the server that an owner left behind when it was killed."""
        state = self._read_state()
        if state is None:
            return
        pid = state["pid"]
        if _is_our_server(pid, self._storage):
            log.info("stopping the database an earlier process left running", pid=pid)
            for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
                deadline = time.monotonic() + STOP_SECONDS
                while not (ended := _has_ended(pid)) and time.monotonic() < deadline:
                    time.sleep(0.05)
                if ended:
                    break
        self._state.unlink(missing_ok=True)

    def _read_state(self) -> dict[str, int] | None:
        try:
            state = json.loads(self._state.read_text())
            return {"pid": int(state["pid"]), "port": int(state["port"])}
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def _unlock(self) -> None:
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None


def _try_lock(path: Path) -> int | None:
    """An open descriptor that holds the lock until closed or the process dies; None when another has it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_our_server(pid: int, storage: Path) -> bool:
    """Whether ``pid`` is a live SecantusDB on ``storage`` (process ids are reused, so the id alone says little)."""
    _, command = _process(pid)
    return "secantus" in command and str(storage) in command


def _has_ended(pid: int) -> bool:
    """Whether a process has let go of its files. Its command line is gone well before they are closed."""
    state, _ = _process(pid)
    return state in ("", "Z")  # a zombie with threads left ("Zl") still has them open


def _process(pid: int) -> tuple[str, str]:
    """State (as ``ps`` writes it, of its marks only the ``l``) and command line of a process; empty without one."""
    if Path("/proc/self/stat").exists():  # Linux, where a small image has no `ps`
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return "", ""
        return fields[0] + ("l" if int(fields[17]) > 1 else ""), command
    ps = shutil.which("ps")
    if ps is None:
        return "", ""
    result = subprocess.run(  # noqa: S603
        [ps, "-ww", "-o", "stat=,args=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    stat, _, command = result.stdout.strip().partition(" ")
    return stat[:1] + ("l" if "l" in stat else ""), command
