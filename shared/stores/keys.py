"""Object keys and public file ids, in one place.

Every object of a tenant lies under ``tenants/<tenant>/``, so that a file id can only ever be
resolved inside its owner's prefix.
"""

from __future__ import annotations

import re
from typing import TypedDict

_UPLOAD_ID = re.compile(r"^up_([0-9a-f]{64})$")
_UPLOAD_KEY = re.compile(r"^tenants/[^/]+/uploads/([0-9a-f]{64})\.png$")
_PICTURE_KEY = re.compile(
    r"^tenants/[^/]+/trajectories/trj_([0-9A-Za-z]+)/steps/(\d+)/(\d+)(?:-after-(\d+))?\.png$"
)
_PICTURE_ID = re.compile(r"^pic_([0-9A-Za-z]+)_(\d{1,4})_(\d{1,4})(?:_(\d{1,4}))?$")


def upload_key(tenant: str, sha256: str) -> str:
    """Key of an uploaded (checked, re-encoded) image."""
    return f"tenants/{tenant}/uploads/{sha256}.png"


def picture_key(
    tenant: str, trajectory_id: str, *, step: int, attempt: int, after: int | None = None
) -> str:
    """Key of an attempt's picture; ``step`` is the index from 0, ``attempt`` from 1.

    ``after`` is set for a picture drawn ahead of a verdict: the earlier step's attempt that it
    was drawn from. Two such pictures must not share a key, or a late one would replace the
    one that counts.
    """
    suffix = "" if after is None else f"-after-{after}"
    return f"tenants/{tenant}/trajectories/{trajectory_id}/steps/{step}/{attempt}{suffix}.png"


def trajectory_prefix(tenant: str, trajectory_id: str) -> str:
    """Under which all objects of one trajectory lie."""
    return f"tenants/{tenant}/trajectories/{trajectory_id}/"


def journal_key(trajectory_id: str) -> str:
    """Key of a trajectory's newest snapshot."""
    return f"journal/{trajectory_id}.json"


def upload_id(sha256: str) -> str:
    """Public id of an uploaded image."""
    return f"up_{sha256}"


def picture_id(trajectory_id: str, *, step: int, attempt: int, after: int | None = None) -> str:
    """Public id of an attempt's picture; the arguments are those of ``picture_key``."""
    suffix = "" if after is None else f"_{after}"
    return f"pic_{trajectory_id.removeprefix('trj_')}_{step}_{attempt}{suffix}"


def key_of_file(tenant: str, file_id: str) -> str | None:
    """The object key that a public file id means for this tenant, or None if malformed."""
    if upload := _UPLOAD_ID.match(file_id):
        return upload_key(tenant, upload[1])
    if picture := _PICTURE_ID.match(file_id):
        return picture_key(tenant, f"trj_{picture[1]}", **_place(picture))
    return None


def file_id_of_key(key: str) -> str:
    """The public id of the object under ``key``; the inverse of ``key_of_file``.

    Raises:
        ValueError: if no public file has this key.
    """
    if upload := _UPLOAD_KEY.match(key):
        return upload_id(upload[1])
    if picture := _PICTURE_KEY.match(key):
        return picture_id(picture[1], **_place(picture))
    message = f"not the key of a public file: {key}"
    raise ValueError(message)


class _Place(TypedDict):
    step: int
    attempt: int
    after: int | None


def _place(match: re.Match[str]) -> _Place:
    after = match[4]
    return _Place(
        step=int(match[2]), attempt=int(match[3]), after=None if after is None else int(after)
    )
