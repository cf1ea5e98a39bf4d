"""Object keys and public file ids lead to each other."""

from __future__ import annotations

import pytest

from shared.stores.keys import file_id_of_key, key_of_file, picture_id, picture_key, upload_key

TRAJECTORY = "trj_" + "a" * 24


@pytest.mark.parametrize("after", [None, 3])
def test_a_picture_s_id_leads_to_its_key_and_back(after: int | None) -> None:
    key = picture_key("ten_1", TRAJECTORY, step=2, attempt=1, after=after)
    file_id = picture_id(TRAJECTORY, step=2, attempt=1, after=after)
    assert key_of_file("ten_1", file_id) == key
    assert file_id_of_key(key) == file_id


def test_an_upload_s_id_leads_to_its_key_and_back() -> None:
    key = upload_key("ten_1", "0" * 64)
    assert key_of_file("ten_1", file_id_of_key(key)) == key


def test_pictures_drawn_from_different_candidates_never_share_a_key() -> None:
    keys = {
        picture_key("ten_1", TRAJECTORY, step=1, attempt=1, after=after) for after in (None, 1, 2)
    }
    assert len(keys) == 3


@pytest.mark.parametrize("file_id", ["", "pic_x", "up_0", "pic_a_1_1_1_1", "pic_../x_1_1"])
def test_a_malformed_id_leads_nowhere(file_id: str) -> None:
    assert key_of_file("ten_1", file_id) is None


def test_other_objects_have_no_public_id() -> None:
    with pytest.raises(ValueError, match="not the key"):
        file_id_of_key("journal/trj_1.json")
