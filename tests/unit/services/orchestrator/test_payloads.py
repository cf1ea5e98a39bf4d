"""Which events become deliveries, to whom, and how they can be put in order."""

from __future__ import annotations

import json

from services.orchestrator.payloads import deliveries_for, final_delivery
from shared.contracts.trajectories import WebhookTarget
from shared.contracts.webhooks import SigningKey, WebhookEndpoint
from tests.trajectories import START, Driver, profile, trajectory

ALL, FINAL, STEPS, OFF = "whe_all", "whe_final", "whe_steps", "whe_off"


def endpoint(name: str, *events: str, disabled: bool = False) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=name,
        tenant="ten_1",
        url=f"https://{name}.example.com",
        events=events,
        keys=(SigningKey(secret="whsec_AAAA"),),
        created_at=START,
        updated_at=START,
        disabled_at=START if disabled else None,
    )


ENDPOINTS = [
    endpoint(ALL, "*"),
    endpoint(FINAL),
    endpoint(STEPS, "plan.step", "step.finished"),
    endpoint(OFF, "*", disabled=True),
]


def finished(webhook: WebhookTarget | None = None) -> Driver:
    driver = Driver(trajectory(profile("fast"), webhook=webhook))
    driver.plan("a", None)
    driver.draw("generate-0-1")
    return driver


def test_everybody_gets_the_types_they_want() -> None:
    driver = finished(WebhookTarget(url="https://named.example.com"))
    found = deliveries_for(driver.state, driver.events, ENDPOINTS)
    by_endpoint = {
        name: [d.event for d in found if d.endpoint == name] for name in (ALL, FINAL, STEPS, OFF)
    }
    assert by_endpoint[ALL] == driver.kinds
    assert by_endpoint[FINAL] == ["trajectory.succeeded"]
    assert by_endpoint[STEPS] == ["plan.step", "plan.step", "step.finished", "step.finished"]
    assert by_endpoint[OFF] == []
    assert [d.event for d in found if d.endpoint is None] == ["trajectory.succeeded"]


def test_ids_are_all_different_and_the_same_again() -> None:
    driver = finished(WebhookTarget(url="https://named.example.com", events=("*",)))
    first = deliveries_for(driver.state, driver.events, ENDPOINTS)
    assert len({delivery.id for delivery in first}) == len(first)
    assert deliveries_for(driver.state, driver.events, ENDPOINTS) == first


def test_a_receiver_can_order_what_came_in_any_order() -> None:
    driver = finished()
    bodies = [json.loads(d.body) for d in deliveries_for(driver.state, driver.events, ENDPOINTS)]
    told = [body for body in reversed(bodies) if body["type"] != "trajectory.succeeded"]
    by_sequence = {body["data"]["sequence"]: body["type"] for body in told}
    assert [by_sequence[number] for number in sorted(by_sequence)] == driver.kinds[:-1]


def test_a_restored_record_tells_its_end_to_everybody_again() -> None:
    state = finished(WebhookTarget(url="https://named.example.com")).state
    ids = {delivery.id for delivery in final_delivery(state, ENDPOINTS)}
    name = state.id.removeprefix("trj_")
    assert ids == {f"msg_{name}_{state.sequence}{end}" for end in ("", "_all", "_final")}
