"""The API, fuzzed from its own document in all phases: no 5xx, nothing undocumented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.security.fuzzing import fuzz, fuzzable
from tests.servers import S3Server, ValkeyServer

MOST_NEVER_GOOD = 3


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_api_does_what_its_document_says_whatever_it_is_sent(
    valkey: ValkeyServer, s3: S3Server, tmp_path: Path
) -> None:
    with fuzzable(valkey, s3, tmp_path) as gateway:
        result = fuzz(gateway, tmp_path, examples=4, seed=1, longest_s=400)
    assert result.clean, result.output[-20_000:]
    # Chance decides what gets through; nearly everything must, or the fuzzer stands outside.
    assert len(result.never_good) <= MOST_NEVER_GOOD, result.never_good
    assert sum(sum(counts.values()) for counts in result.answers.values()) > 1000
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert re.search(rf"✅ +{phase}", result.output), f"{phase} did not run"
