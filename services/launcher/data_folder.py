"""The data folder of a local stack: its paths, its lock and its credentials.

One launcher at a time owns a folder. The lock is the operating system's, so it ends with its
owner however that ends, and a lock file left behind by a dead launcher means nothing.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from services.launcher.errors import AlreadyRunningError
from shared.contracts.wire import Wire

_FOLDERS = ("logs", "valkey", "seaweedfs")


class Credentials(Wire):
    """Passwords made at the first start; nobody outside the machine ever needs them."""

    redis_password: str
    s3_access_key: str = "interleave"
    s3_secret_key: str


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths inside the data folder; ``create`` makes what is missing."""

    path: Path

    @property
    def lock(self) -> Path:
        """Held while a launcher runs; contains its process id."""
        return self.path / "lock"

    @property
    def ports(self) -> Path:
        """Ports of the last start."""
        return self.path / "ports.json"

    @property
    def stack(self) -> Path:
        """Description of the running stack (see ``state_file``)."""
        return self.path / "stack.json"

    @property
    def key(self) -> Path:
        """The API key made at the first start, readable by the owner only."""
        return self.path / "api_key"

    def log(self, name: str) -> Path:
        """Log file of one process."""
        return self.path / "logs" / f"{name}.log"

    def create(self) -> None:
        """Make the folder and its parts, for its owner only."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in _FOLDERS:
            (self.path / name).mkdir(exist_ok=True)

    def credentials(self) -> Credentials:
        """The stack's passwords; made once and kept."""
        file = self.path / "credentials.json"
        if file.exists():
            return Credentials.model_validate_json(file.read_text())
        made = Credentials(
            redis_password=secrets.token_urlsafe(24), s3_secret_key=secrets.token_urlsafe(24)
        )
        write_private(file, made.model_dump_json())
        return made

    def api_key(self) -> SecretStr | None:
        """The launcher's own API key, once there is one."""
        return SecretStr(self.key.read_text().strip()) if self.key.exists() else None

    @contextmanager
    def owned(self) -> Generator[None]:
        """Own the folder for the length of the block.

        Raises:
            AlreadyRunningError: Another launcher does.
        """
        with self.lock.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunningError(self._who_runs(file.name)) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def _who_runs(self, lock: str) -> str:
        pid = Path(lock).read_text().strip() or "unknown"
        return (
            f"A stack is already running on {self.path} (process {pid}).\n"
            f"See it with `interleave status --data {self.path}`, stop it with "
            f"`interleave down --data {self.path}`, or choose another folder with --data."
        )

    def is_owned(self) -> bool:
        """Whether a launcher runs on this folder now."""
        if not self.lock.exists():
            return False
        with self.lock.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, at once or not at all."""
    temporary = file.with_suffix(f"{file.suffix}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
    temporary.replace(file)
