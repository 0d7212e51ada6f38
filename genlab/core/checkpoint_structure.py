"""What a checkpoint must hold, checked before anything reads it."""

from collections.abc import Mapping
from typing import Any

STRUCTURE: dict[str, Any] = {"config": Mapping, "fingerprint": str, "parts": Mapping}
OPTIONAL: dict[str, Any] = {"splits": (Mapping, type(None)), "spec": (Mapping, type(None))}
CONFIG = ("data", "model", "loss", "trainer")
POSITION: dict[str, Any] = {"images": int, "step": int, "turns": Mapping}


def require_structure(state: Mapping[str, Any]) -> None:
    """Raise ValueError, with what is wrong, for a state that no version of this program wrote."""
    require_kinds(state, STRUCTURE, "")
    require_kinds({name: value for name, value in state.items() if name in OPTIONAL}, OPTIONAL, "", optional=True)
    require_kinds(state["config"], dict.fromkeys(CONFIG, Mapping), "config.")
    require_kinds(state["config"], {"seed": int}, "config.")
    parts = state["parts"]
    require_kinds(parts, dict.fromkeys((*parts, "position"), Mapping), "parts.")
    require_kinds(parts["position"], POSITION, "parts.position.")
    if min(parts["position"]["images"], parts["position"]["step"]) < 0:
        raise ValueError("parts.position is negative")


def require_kinds(found: Mapping[str, Any], kinds: Mapping[str, Any], key: str, *, optional: bool = False) -> None:
    for name, kind in kinds.items():
        if name not in found:
            if optional:
                continue
            raise ValueError(f"it lacks {key}{name}")
        if not isinstance(found[name], kind) or isinstance(found[name], bool):
            raise ValueError(f"its {key}{name} is of the type {type(found[name]).__name__}")
