"""Redis failures as our own errors."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import redis

from shared.errors import StoreUnavailableError


@contextmanager
def store_errors() -> Generator[None]:
    """Turn a Redis server that cannot be reached, or is not ready, into a retryable error."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError) as error:
        raise StoreUnavailableError(f"The state store did not answer: {error}") from error
    except redis.ResponseError as error:
        if str(error).startswith(("LOADING", "MASTERDOWN", "MISCONF", "OOM")):
            raise StoreUnavailableError(f"The state store is not ready: {error}") from error
        raise
