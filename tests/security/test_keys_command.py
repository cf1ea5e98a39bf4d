"""Keys made, rotated and revoked by the administration's command, used at the real gateway."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from services.gateway.__main__ import app
from tests.security.gateway import Gateway


def run(gateway: Gateway, *arguments: str) -> str:
    storage = gateway.settings.storage
    environment = {
        "GATEWAY_REDIS_URL": gateway.settings.redis_url,
        "GATEWAY_STORAGE__ENDPOINT": storage.endpoint,
        "GATEWAY_STORAGE__SECRET_KEY": storage.secret_key.get_secret_value(),
    }
    result = CliRunner().invoke(app, ["keys", *arguments], env=environment)
    assert result.exit_code == 0, result.output
    return result.output


def made(output: str) -> tuple[str, str]:
    """The id and the key in the output of ``create`` or ``rotate``."""
    first, secret = output.strip().splitlines()
    return first.split()[0], secret


def status(gateway: Gateway, key: str, path: str = "/v1/models") -> int:
    with gateway.client(key) as client:
        return client.get(path).status_code


def test_a_key_is_made_with_the_scopes_that_are_asked_for(gateway: Gateway) -> None:
    options = ("--new-tenant", "--scope", "webhooks", "--days", "1")
    key_id, key = made(run(gateway, "create", *options))
    assert status(gateway, key, "/v1/webhooks/secret") == 200
    assert status(gateway, key, "/v1/models") == 403
    assert any(key_id in line and " webhooks " in line for line in lines(gateway))


def test_two_keys_work_while_one_takes_over_from_the_other(gateway: Gateway) -> None:
    old_id, old = made(run(gateway, "create", "--new-tenant", "--scope", "trajectories:read"))
    _, new = made(run(gateway, "rotate", old_id, "--overlap-hours", "1"))
    assert (status(gateway, old), status(gateway, new)) == (200, 200)
    assert status(gateway, new, "/v1/webhooks/secret") == 403
    _, newest = made(run(gateway, "rotate", old_id, "--overlap-hours", "0"))
    assert (status(gateway, old), status(gateway, newest)) == (401, 200)


def test_a_revoked_key_is_useless_at_once_and_stays_in_the_list(gateway: Gateway) -> None:
    key_id, key = made(run(gateway, "create", "--new-tenant"))
    run(gateway, "revoke", key_id)
    assert status(gateway, key) == 401
    assert any(key_id in line and "ended" in line for line in lines(gateway))


@pytest.mark.parametrize("command", ["revoke", "rotate"])
def test_a_key_that_is_not_there_is_said_so(gateway: Gateway, command: str) -> None:
    with pytest.raises(AssertionError, match="There is no key"):
        run(gateway, command, "key_nothing")


def lines(gateway: Gateway) -> list[str]:
    return run(gateway, "list").splitlines()
