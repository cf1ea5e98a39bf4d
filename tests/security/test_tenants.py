"""Another tenant's ids answer exactly like ids that never existed, on every route.

The routes come from the API document: one with a new kind of id fails here until it is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from services.gateway.app import build_app
from services.gateway.settings import GatewaySettings
from services.gateway.wiring import open_parts
from tests.security.belongings import IDEMPOTENCY_KEY, PROMPT, Belongings, belongings_of
from tests.security.gateway import Gateway

DOCUMENT = build_app(GatewaySettings(), open_parts).openapi()
NOWHERE = "0" * 24
NO_SUCH = {
    "trajectory_id": f"trj_{NOWHERE}",
    "upload_id": "up_" + "0" * 64,
    "picture_id": f"pic_{NOWHERE}_0_1",
    "endpoint_id": f"whe_{NOWHERE}",
    "delivery_id": "msg_nowhere_1",
}
BODIES = {
    "put_plan": {"steps": [{"step_number": 1, "prompt": "draw a seed"}]},
    "retry": {"prompt": "draw it again"},
    "fork_trajectory": {"step": 1},
    "change_endpoint": {"description": "mine now"},
    "replay_endpoint": {"since": "2026-01-01T00:00:00Z"},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """A call with an id in its path."""

    name: str
    method: str
    path: str

    def call(self, client: httpx.Client, ids: dict[str, str]) -> httpx.Response:
        """Make it with these ids and a body that is valid."""
        path = re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], self.path)
        return client.request(self.method, path, json=BODIES.get(self.name))


def operations() -> Iterator[Operation]:
    """Every operation with an id in its path; a file is tried as upload and as picture."""
    for path, methods in DOCUMENT["paths"].items():
        if "{" not in path:
            continue
        for method, operation in methods.items():
            for variant in ("{upload_id}", "{picture_id}") if "{file_id}" in path else ("",):
                each = path.replace("{file_id}", variant)
                yield Operation(operation["operationId"], method.upper(), each)


OPERATIONS = list(operations())
LAST_THE_HARMFUL = sorted(OPERATIONS, key=lambda each: each.method == "DELETE")


def ids_of(owner: Belongings) -> dict[str, str]:
    return {
        "trajectory_id": owner.trajectory_id,
        "upload_id": owner.upload_id,
        "picture_id": owner.picture_id,
        "endpoint_id": owner.endpoint_id,
        "delivery_id": owner.delivery_id,
        "number": "1",
    }


@pytest.fixture(scope="module")
def owner(gateway: Gateway) -> Belongings:
    return belongings_of(gateway, "ten_owner")


@pytest.fixture(scope="module")
def stranger(gateway: Gateway, owner: Belongings) -> Belongings:
    """Another tenant that owns things too."""
    return belongings_of(gateway, "ten_stranger")


def outline(answer: httpx.Response) -> tuple[int, object, set[str]]:
    """What a caller can tell of an answer, without what differs every time."""
    body = answer.json()
    body.pop("instance")
    return answer.status_code, body, set(answer.headers)


def test_every_kind_of_id_in_the_document_is_known_here() -> None:
    known = {*NO_SUCH, "number"}
    assert {name for each in OPERATIONS for name in re.findall(r"\{(\w+)\}", each.path)} <= known
    assert len(OPERATIONS) >= 19


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")
def test_anothers_id_answers_like_one_that_never_existed(
    gateway: Gateway, owner: Belongings, stranger: Belongings, operation: Operation
) -> None:
    with gateway.client(stranger.key) as client:
        anothers = operation.call(client, ids_of(owner))
        nobodys = operation.call(client, {**ids_of(owner), **NO_SUCH})
    assert anothers.status_code == 404, anothers.text
    assert anothers.json()["code"] == "not_found"
    assert outline(anothers) == outline(nobodys)
    assert owner.trajectory_id not in anothers.text
    assert PROMPT not in anothers.text


def test_lists_and_their_cursors_show_ones_own_only(
    gateway: Gateway, owner: Belongings, stranger: Belongings
) -> None:
    paths = (
        "/v1/trajectories",
        f"/v1/trajectories?cursor={owner.cursor}",
        "/v1/webhooks/deliveries",
        f"/v1/webhooks/deliveries?cursor={owner.delivery_cursor}",
        "/v1/webhook-endpoints",
    )
    with gateway.client(stranger.key) as client:
        shown = "".join(client.get(path).text for path in paths)
    for theirs in (owner.trajectory_id, owner.delivery_id, owner.endpoint_id):
        assert theirs not in shown
    assert stranger.endpoint_id in shown


def test_the_same_idempotency_key_of_two_tenants_makes_two_trajectories(
    owner: Belongings, stranger: Belongings, gateway: Gateway
) -> None:
    headers = {"Idempotency-Key": IDEMPOTENCY_KEY}
    with gateway.client(stranger.key) as client:
        answer = client.post("/v1/trajectories", json={"prompt": PROMPT}, headers=headers)
    assert owner.trajectory_id != stranger.trajectory_id
    assert answer.json()["id"] == stranger.trajectory_id


@pytest.mark.parametrize("kind", ["upload_id", "picture_id"])
def test_anothers_images_cannot_be_used_in_a_request(
    gateway: Gateway, owner: Belongings, stranger: Belongings, kind: str
) -> None:
    def ask(client: httpx.Client, image: str) -> list[tuple[int, object, set[str]]]:
        words = [
            {"type": "text", "text": "go on"},
            {"type": "image_url", "image_url": {"url": image}},
        ]
        message = {"role": "user", "content": words}
        answers = [
            client.post("/v1/trajectories", json={"prompt": "<image>", "images": [image]}),
            client.post("/v1/chat/completions", json={"messages": [message]}),
        ]
        return [outline(answer) for answer in answers]

    with gateway.client(stranger.key) as client:
        anothers = ask(client, ids_of(owner)[kind])
        nobodys = ask(client, NO_SUCH[kind])
    assert {status for status, _, _ in anothers} == {422}
    assert anothers == nobodys


def test_the_signing_secrets_of_two_tenants_differ(
    gateway: Gateway, owner: Belongings, stranger: Belongings
) -> None:
    shown: set[str] = set()
    for each in (owner, stranger):
        with gateway.client(each.key) as client:
            shown.add(client.get("/v1/webhooks/secret").json()["secret"])
    assert len(shown) == 2


@pytest.mark.parametrize(
    "operation",
    LAST_THE_HARMFUL,
    ids=lambda each: f"{each.method} {each.path}",
)
def test_the_owner_finds_all_of_it_unchanged(
    gateway: Gateway, owner: Belongings, stranger: Belongings, operation: Operation
) -> None:
    with gateway.client(owner.key) as client:
        answer = operation.call(client, ids_of(owner))
    assert answer.status_code in {200, 201, 202, 204, 409}, answer.text
    if operation.name == "get_trajectory":
        assert answer.json()["status"] == "succeeded"
        assert answer.json()["request"]["prompt"] == PROMPT
    if operation.name == "get_endpoint":
        assert answer.json()["description"] == ""
