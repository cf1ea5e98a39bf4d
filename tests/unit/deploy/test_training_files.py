from __future__ import annotations

from pathlib import Path

import pytest
import yaml

_FOLDER = Path("deploy/training")


@pytest.mark.parametrize(
    ("file", "kind", "part"),
    [("fsdp2.yaml", "FSDP", "fsdp_config"), ("zero3.yaml", "DEEPSPEED", "deepspeed_config")],
)
def test_launch_files_hold_what_accelerate_knows(file: str, kind: str, part: str) -> None:
    from accelerate.commands.config.config_args import ClusterConfig  # noqa: PLC0415

    found = yaml.safe_load((_FOLDER / file).read_text())

    assert found["distributed_type"] == kind
    assert set(found) <= set(ClusterConfig.__dataclass_fields__)
    assert found[part]


def test_the_sharding_is_the_one_that_the_names_promise() -> None:
    fsdp = yaml.safe_load((_FOLDER / "fsdp2.yaml").read_text())["fsdp_config"]
    zero = yaml.safe_load((_FOLDER / "zero3.yaml").read_text())["deepspeed_config"]

    assert fsdp["fsdp_version"] == 2
    assert zero["zero_stage"] == 3
