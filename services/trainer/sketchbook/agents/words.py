"""Writes the word list of the ``sketchbook`` prompt pack: what its planner can be asked.

``python -m services.trainer.sketchbook.agents.words`` writes the file anew. Not here: which
words the world knows (``scope``).
"""

from __future__ import annotations

from pathlib import Path

from services.trainer.sketchbook.scope import HINTS, LEXICON

FILE = Path(__file__).parents[4] / "shared" / "prompts" / "packs" / "sketchbook.words.txt"


def known_words() -> list[str]:
    """Every word of the world and of its paraphrases, sorted."""
    return sorted(word for word in LEXICON | HINTS if not word.isdigit())


if __name__ == "__main__":
    FILE.write_text("\n".join(known_words()) + "\n", encoding="utf-8")
