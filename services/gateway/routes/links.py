"""Where the API document says what can be done next with what an operation answers."""

from __future__ import annotations

from typing import Any

_ID = "$response.body#/id"
_FIRST = "$response.body#/data/0/id"
_ON_TRAJECTORY = (
    "get_trajectory",
    "stream_events",
    "get_plan",
    "put_plan",
    "approve",
    "cancel_trajectory",
    "fork_trajectory",
    "get_document",
    "get_manifest",
    "delete_trajectory",
)
_ON_ENDPOINT = (
    "get_endpoint",
    "change_endpoint",
    "rotate_secret",
    "list_endpoint_deliveries",
    "replay_endpoint",
    "delete_endpoint",
)
_MAKES_TRAJECTORY = {name: {"trajectory_id": _ID} for name in _ON_TRAJECTORY}
_RETRY = {"retry": {"trajectory_id": _ID, "number": "$response.body#/steps/0/step_number"}}

_LINKS: dict[str, dict[str, dict[str, str]]] = {
    "create_trajectory": _MAKES_TRAJECTORY,
    "fork_trajectory": _MAKES_TRAJECTORY,
    "get_trajectory": _MAKES_TRAJECTORY | _RETRY,
    "list_trajectories": {
        "get_trajectory": {"trajectory_id": _FIRST},
        "list_trajectories": {"cursor": "$response.body#/next_cursor"},
    },
    "upload_image": {"get_file": {"file_id": _ID}},
    "create_endpoint": {name: {"endpoint_id": _ID} for name in _ON_ENDPOINT},
    "list_endpoints": {"get_endpoint": {"endpoint_id": _FIRST}},
    "list_deliveries": {
        "replay_delivery": {"delivery_id": _FIRST},
        "list_deliveries": {"cursor": "$response.body#/next_cursor"},
    },
    "list_endpoint_deliveries": {"replay_delivery": {"delivery_id": _FIRST}},
    "generate_images": {"get_trajectory": {"trajectory_id": "$response.body#/trajectories/0"}},
    "complete_chat": {"get_trajectory": {"trajectory_id": _ID}},
}
"""Operation -> what can follow -> which part of the answer it takes."""


def describe_links(document: dict[str, Any]) -> None:
    """Put the links into every good answer of the document's operations."""
    for operations in document["paths"].values():
        for operation in operations.values():
            links = _LINKS.get(operation["operationId"])
            for status, response in operation["responses"].items():
                if links and status.startswith("2"):
                    response["links"] = {
                        name: {"operationId": name, "parameters": parameters}
                        for name, parameters in links.items()
                    }
