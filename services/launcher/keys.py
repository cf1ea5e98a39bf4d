"""``interleave keys``: hands the work to the gateway's own key administration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.launcher.data_folder import DataFolder
from services.launcher.errors import NotRunningError
from services.launcher.services import Wiring
from services.launcher.settings import LauncherSettings
from services.launcher.state_file import port_of, running_stack

keys_app = typer.Typer(no_args_is_help=True, help="Make, rotate, list and revoke API keys.")
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of the stack's data [.interleave].")
]


@keys_app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def create(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="To tell keys apart.")] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="`trajectories:read`, `trajectories:write`, `webhooks`, `admin` [all]."),
    ] = None,
    data: DataOption = None,
) -> None:
    """Make a key; it is shown this once.

    Also takes the other options of `python -m services.gateway keys create`: `--days`,
    `--new-tenant`, `--weight`, `--max-in-flight`, `--max-waiting`, `--calls-per-day`.
    """
    scopes = [part for each in scope or () for part in ("--scope", each)]
    _gateway_keys("create", "--name", name, *scopes, *context.args, data=data)


@keys_app.command()
def rotate(
    key_id: Annotated[str, typer.Argument(help="Id from the list.")],
    overlap_hours: Annotated[float, typer.Option(help="The old key works so long.")] = 24.0,
    data: DataOption = None,
) -> None:
    """Make a key with the same rights; the old one ends later."""
    _gateway_keys("rotate", key_id, "--overlap-hours", str(overlap_hours), data=data)


@keys_app.command("list")
def list_keys(data: DataOption = None) -> None:
    """List keys, without their secrets."""
    _gateway_keys("list", data=data)


@keys_app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id from the list.")], data: DataOption = None
) -> None:
    """Make a key useless from now on."""
    _gateway_keys("revoke", key_id, data=data)


def _gateway_keys(*arguments: str, data: Path | None) -> None:
    settings = LauncherSettings()
    try:
        folder = DataFolder(data or settings.data)
        stack = running_stack(folder)
    except NotRunningError as error:
        Console().print(error.detail, style="red", markup=False)
        raise typer.Exit(1) from None
    command = (sys.executable, "-m", "services.gateway", "keys", *arguments)
    ports = {"s3": port_of(stack, "seaweedfs")}
    storage = Wiring(ports, folder.credentials(), settings).storage("GATEWAY")
    environment = os.environ | {"GATEWAY_REDIS_URL": stack.redis_url} | storage
    raise typer.Exit(subprocess.run(command, env=environment, check=False).returncode)
