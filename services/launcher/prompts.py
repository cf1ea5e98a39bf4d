"""``interleave prompts``: makes prompt packs out of prompt files that people already have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from shared.prompts.importer import ROLES, import_prompts, pack_toml
from shared.prompts.pack import PackError

prompts_app = typer.Typer(no_args_is_help=True, help="Prompt packs.")


@prompts_app.callback()
def prompts() -> None:
    """Prompt packs."""


@prompts_app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A Python file with prompts in constants.")],
    *,
    out: Annotated[Path | None, typer.Option(help="TOML file to write [packs/NAME.toml].")] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(help=f"ROLE=CONSTANT where guessing fails; roles: {', '.join(ROLES)}."),
    ] = None,
) -> None:
    """Make a pack from the string constants of a file, which is read but never run."""
    console = Console()
    target = out or Path("packs") / f"{file.stem}.toml"
    try:
        pack = import_prompts(file, names=dict(_pair(each) for each in name or ()))
    except PackError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(pack_toml(pack), encoding="utf-8")
    console.print(f"Written to {target}. Use it with PLANNER_PACK={target} CRITIC_PACK={target}.")


def _pair(text: str) -> tuple[str, str]:
    role, separator, constant = text.partition("=")
    if not separator:
        raise PackError(f"{text}: write ROLE=CONSTANT")
    return role.strip(), constant.strip()
