"""``python -m services.gateway serve|keys``: the public API, and the administration of its keys."""

from __future__ import annotations

from typing import Annotated

import typer

from services.gateway.keys_command import keys
from services.gateway.settings import GatewaySettings

app = typer.Typer(no_args_is_help=True, help="The public API and its keys.")
app.add_typer(keys, name="keys")


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8200,
    grace_s: Annotated[int, typer.Option(help="For open requests at the end.")] = 3,
) -> None:
    """Serve the public API until a signal comes."""
    # The model-free half of the command must not wait for the web framework.
    from services.gateway.app import build_app  # noqa: PLC0415
    from services.gateway.serving import server_of  # noqa: PLC0415
    from services.gateway.wiring import open_parts  # noqa: PLC0415

    settings = GatewaySettings()
    app = build_app(settings, open_parts)
    server_of(app, settings, host=host, port=port, grace_s=grace_s).run()


if __name__ == "__main__":
    app()
