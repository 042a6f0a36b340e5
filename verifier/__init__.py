"""verifier: is a classifier always robust against an oracle? Proved, refuted, or said to be unknown.

`verifier.load(path).check()` runs the assertions of a `.vf` file; `verifier.Problem` writes one from Python.
Everything is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verifier.api import Options, load, load_text
    from verifier.surfaces.problem import Invalid, Problem, finite, integer, real

__version__ = "0.1.0"
__all__ = ["Invalid", "Options", "Problem", "finite", "integer", "load", "load_text", "real"]

_HOMES = {"Options": "verifier.api", "load": "verifier.api", "load_text": "verifier.api"}


def __getattr__(name: str) -> Any:
    """The public names, imported when first used: `import verifier` alone is instant."""
    if name not in __all__:
        raise AttributeError(f"module 'verifier' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "verifier.surfaces.problem")), name)
