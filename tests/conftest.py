"""Fixtures every test may use: real servers, started once and only when asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import S3Server, ValkeyServer, running_s3, running_valkey


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A real Valkey server, shared by all tests: use keys of your own."""
    with running_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server with the bucket of its ``storage`` settings, shared by all tests."""
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server
