"""Makes a pack from a Python file of prompt constants, by reading, never by running it.

Published checkpoints come with the prompts they were trained on; whoever has that file gets a
pack from it. Not here: what packs are (``pack``).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path

from shared.prompts.pack import CriticPrompts, PackError, PlannerPrompts, PromptPack, load_pack

ROLES = ("narrative_system", "guidance_system", "critic_system", "planner_user", "critic_user")
_HINTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "critic_user": (("critic", "user"), ("verif", "user"), ("judge", "user")),
    "planner_user": (("planner", "user"), ("plan", "user")),
    "critic_system": (("critic",), ("reflect",), ("verif",), ("judge",), ("refine",)),
    "guidance_system": (("guid",), ("image", "system"), ("visual",), ("multimodal",)),
    "narrative_system": (
        ("narrat",),
        ("text", "system"),
        ("story",),
        ("plan", "system"),
        ("plan",),
    ),
}
_OPTIONAL = frozenset({"planner_user", "critic_user"})


def string_constants(source: str) -> dict[str, str]:
    """Every module-level name that is bound to a string, with joined and f-less pieces added.

    Raises:
        PackError: The text is not Python.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise PackError(f"not a Python file: {error}") from error
    found: dict[str, str] = {}
    for node in tree.body:
        target, value = _binding(node)
        text = _text(value, found) if value is not None else None
        if target is not None and text is not None:
            found[target] = text
    return found


def import_prompts(
    path: Path, *, names: Mapping[str, str] | None = None, pack_name: str | None = None
) -> PromptPack:
    """A pack whose words are the constants of a file.

    Args:
        path: The Python file.
        names: Constant names by role (see ``ROLES``); roles left out are guessed from names.
        pack_name: Name of the pack, by default the file's.

    Raises:
        PackError: The file cannot be read, or a role has no constant.
    """
    try:
        constants = string_constants(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PackError(f"{path.name}: {error}") from error
    chosen = _chosen(constants, names or {})
    ours = load_pack("interleave")
    return PromptPack(
        name=pack_name or path.stem,
        planner=PlannerPrompts(
            narrative_system=chosen["narrative_system"],
            guidance_system=chosen["guidance_system"],
            user=chosen.get("planner_user", ours.planner.user),
        ),
        critic=CriticPrompts(
            system=chosen["critic_system"], user=chosen.get("critic_user", ours.critic.user)
        ),
    )


def pack_toml(pack: PromptPack) -> str:
    """The pack as the text of a TOML file that ``load_pack`` reads."""
    lines = [f"name = {_quoted(pack.name)}"]
    for section in ("planner", "critic", "answer"):
        lines += ["", f"[{section}]"]
        fields = getattr(pack, section).model_dump()
        lines += [f"{name} = {_quoted(value)}" for name, value in fields.items()]
    return "\n".join(lines) + "\n"


def _chosen(constants: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(set(names) - set(ROLES))
    if unknown:
        raise PackError(f"unknown roles {unknown}; known are {', '.join(ROLES)}")
    chosen: dict[str, str] = {}
    taken = set(names.values())
    for role in (*names, *(r for r in _HINTS if r not in names)):
        name = names.get(role) or _guess(role, constants, taken)
        if name is not None and name not in constants:
            raise PackError(f"no string constant named {name}; there are {sorted(constants)}")
        if name is not None:
            chosen[role] = constants[name]
            taken.add(name)
    missing = [role for role in ROLES if role not in chosen and role not in _OPTIONAL]
    if missing:
        raise PackError(f"no constant found for {missing}; name them, from {sorted(constants)}")
    return chosen


def _guess(role: str, constants: Mapping[str, str], taken: set[str]) -> str | None:
    for hints in _HINTS[role]:
        for name in constants:
            low = name.lower()
            fits = all(hint in low for hint in hints)
            if fits and name not in taken and ("user" in low) == (role in _OPTIONAL):
                return name
    return None


def _binding(node: ast.stmt) -> tuple[str | None, ast.expr | None]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            return name, value
        case _:
            return None, None


def _text(node: ast.expr, known: Mapping[str, str]) -> str | None:
    """The string an expression plainly is: literals, sums of strings, ``.strip()`` of one."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return known.get(name)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = _text(left, known), _text(right, known)
            return first + second if first is not None and second is not None else None
        case ast.Call(func=ast.Attribute(value=inner, attr="strip"), args=[], keywords=[]):
            text = _text(inner, known)
            return text.strip() if text is not None else None
        case _:
            return None


def _quoted(value: object) -> str:
    if not isinstance(value, str):
        return str(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
