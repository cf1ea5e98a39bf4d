"""The data folder: lock, credentials, ports."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from services.launcher.data_folder import DataFolder
from services.launcher.errors import AlreadyRunningError, NotRunningError
from services.launcher.ports import HOST, remembered_ports
from services.launcher.state_file import ProcessState, StackState, running_stack


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.create()
    return made


def test_a_second_owner_is_told_who_the_first_is(folder: DataFolder) -> None:
    with (
        folder.owned(),
        pytest.raises(AlreadyRunningError, match="already running"),
        folder.owned(),
    ):
        pass


def test_a_lock_left_behind_means_nothing(folder: DataFolder) -> None:
    folder.lock.write_text("12345")
    assert not folder.is_owned()
    with folder.owned():
        assert folder.is_owned()
    assert not folder.is_owned()


def test_credentials_are_made_once_and_private(folder: DataFolder) -> None:
    first = folder.credentials()
    assert folder.credentials() == first
    assert len(first.redis_password) >= 24
    mode = stat.S_IMODE((folder.path / "credentials.json").stat().st_mode)
    assert mode == 0o600


def test_ports_are_kept_while_they_are_free(folder: DataFolder) -> None:
    first = remembered_ports(folder.ports, ("a", "b"))
    assert remembered_ports(folder.ports, ("a", "b")) == first
    with socket.socket() as taken:
        taken.bind((HOST, first["a"]))
        taken.listen()
        second = remembered_ports(folder.ports, ("a", "b"))
    assert second["a"] != first["a"]
    assert second["b"] == first["b"]


def test_a_damaged_port_file_is_made_anew(folder: DataFolder) -> None:
    folder.ports.write_text("{")
    assert set(remembered_ports(folder.ports, ("a",))) == {"a"}


def test_a_stack_file_without_its_launcher_is_not_a_running_stack(folder: DataFolder) -> None:
    process = ProcessState(name="x", pid=1, address="", ready=True, restarts=0)
    state = StackState(pid=1, url="http://x", redis_url="", ready=True, processes=(process,))
    state.save(folder.stack)
    with pytest.raises(NotRunningError):
        running_stack(folder)
    with folder.owned():
        assert running_stack(folder) == state
