"""Where the service is, and how many items it is given at a time."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from services.trainer.benchmarks.records import BenchmarkDataError

_REQUEST_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the service is and how many items it is given at a time."""

    server: str
    api_key: str
    concurrency: int = 8
    retry_failed: bool = False

    def __post_init__(self) -> None:
        """Check the address; raises ``BenchmarkDataError``."""
        checked_address(self.server, "--server")

    def open(self) -> httpx.AsyncClient:
        """A client of the service."""
        headers = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        return httpx.AsyncClient(
            base_url=self.server, headers=headers, timeout=_REQUEST_TIMEOUT_S, trust_env=False
        )


def checked_address(address: str, option: str) -> str:
    """The address.

    Raises:
        BenchmarkDataError: It cannot be one.
    """
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise BenchmarkDataError(f"{option} {address!r}: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise BenchmarkDataError(f"{option} {address!r} should be as http://host:port")
    return address
