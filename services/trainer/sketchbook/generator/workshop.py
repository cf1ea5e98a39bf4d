"""What every training step needs, prepared once and kept on disk.

Here live the tokenizer, the autoencoder with its written encoder, the table of latents and the
pool of samples, each made from seeds when it is not there yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKLFlux2
from transformers import Qwen2Tokenizer

from services.trainer.sketchbook.generator.codes import Tiles, fit_code, render_all_tiles
from services.trainer.sketchbook.generator.data import (
    LatentTable,
    Pool,
    fill_normalisation,
    make_pool,
    make_table,
)
from services.trainer.sketchbook.generator.text import fit_tokenizer, sentences
from services.trainer.sketchbook.generator.vae import new_vae, round_weights, write_encoder

_SENTENCES = 30_000
_CODE_TILES = 20_000
_NORMALISATION_TILES = 8_000
_SHARD = 150_000
_FIT_SEED = 11
_POOL_SEED = 5_000
_FIXED_PARTS = ("encoder.", "quant_conv.", "bn.")


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything a run reads besides its weights."""

    tokenizer: Qwen2Tokenizer
    vae: AutoencoderKLFlux2
    table: LatentTable
    tiles: Tiles
    pool: Pool

    @property
    def pad_token(self) -> int:
        """The token that fills prompts up."""
        return int(self.tokenizer.pad_token_id)  # pyright: ignore[reportArgumentType]


def open_workshop(folder: Path, *, samples: int) -> Workshop:
    """Prepare, or find prepared, what training needs."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(folder / "tokenizer")
    tiles = render_all_tiles()
    vae = _vae(folder / "encoder.pt", tiles)
    pool = _pool(folder, tokenizer, samples=samples)
    return Workshop(tokenizer, vae, _table(folder / "table.pt", vae, tiles), tiles, pool)


def _table(path: Path, vae: AutoencoderKLFlux2, tiles: Tiles) -> LatentTable:
    if not path.exists():
        torch.save(make_table(vae, tiles).codes, path)
    return LatentTable(torch.load(path, weights_only=True))


def _tokenizer(folder: Path) -> Qwen2Tokenizer:
    if not folder.exists():
        fit_tokenizer(sentences(count=_SENTENCES, seed=_FIT_SEED)).save_pretrained(folder)
    return Qwen2Tokenizer.from_pretrained(folder)


def _vae(path: Path, tiles: Tiles) -> AutoencoderKLFlux2:
    torch.manual_seed(_FIT_SEED)
    vae = new_vae().eval()
    if path.exists():
        vae.load_state_dict(torch.load(path, weights_only=True), strict=False)
        return vae
    write_encoder(vae, fit_code(tiles, samples=_CODE_TILES, seed=_FIT_SEED))
    round_weights(vae.encoder)
    fill_normalisation(vae, tiles, samples=_NORMALISATION_TILES, seed=_FIT_SEED)
    fixed = {k: v for k, v in vae.state_dict().items() if k.startswith(_FIXED_PARTS)}
    torch.save(fixed, path)
    return vae


def _pool(folder: Path, tokenizer: Qwen2Tokenizer, *, samples: int) -> Pool:
    paths = [folder / f"pool-{shard:03d}.npz" for shard in range(-(-samples // _SHARD))]
    for shard, path in enumerate(paths):
        if not path.exists():
            make_pool(tokenizer, count=min(_SHARD, samples), seed=_POOL_SEED + shard).save(path)
    return Pool.load(*paths)
