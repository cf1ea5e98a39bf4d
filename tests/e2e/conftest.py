"""One real stack for all end-to-end tests, with the models that are committed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.launcher.data_folder import DataFolder
from tests.e2e.local_stack import MODELS, LocalStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A running stack; killed at the end if it was not stopped."""
    missing = [n for n in ("planner", "critic", "generator") if not (MODELS / n).is_dir()]
    if missing:
        pytest.skip(f"no trained {', '.join(missing)} in {MODELS}")
    stack = LocalStack(DataFolder(tmp_path_factory.mktemp("stack") / "data"))
    stack.start()
    yield stack
    stack.kill()
