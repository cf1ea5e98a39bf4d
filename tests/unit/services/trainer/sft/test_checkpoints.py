from __future__ import annotations

from pathlib import Path

from services.trainer.sft.training import last_checkpoint


def _checkpoint(out: Path, step: int, state: str | None) -> Path:
    folder = out / "checkpoints" / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    if state is not None:
        (folder / "trainer_state.json").write_text(state)
    return folder


def test_training_goes_on_from_the_newest_whole_checkpoint(tmp_path: Path) -> None:
    whole = _checkpoint(tmp_path, 20, '{"global_step": 20}')
    cut = [_checkpoint(tmp_path, 40, None), _checkpoint(tmp_path, 60, '{"global_')]

    assert last_checkpoint(tmp_path) == str(whole)
    assert not any(folder.exists() for folder in cut)


def test_without_a_whole_checkpoint_training_starts_anew(tmp_path: Path) -> None:
    _checkpoint(tmp_path, 20, None)

    assert last_checkpoint(tmp_path) is None
    assert last_checkpoint(tmp_path / "elsewhere") is None
