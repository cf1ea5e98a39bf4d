from __future__ import annotations

from importlib.util import find_spec

import pytest
from typer.testing import CliRunner

from services.launcher.cli import app
from services.launcher.research import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_module_and_its_help(name: str) -> None:
    module, text = COMMANDS[name]

    listed = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output

    assert find_spec(module) is not None
    assert name in listed
    assert text.split(":", maxsplit=1)[0] in listed
