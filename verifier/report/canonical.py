"""The canonical form of a program's classifiers, for `verifier show --canonical`."""

from __future__ import annotations

from verifier.model.program import Program


def canonical(program: Program, latex: bool = False) -> str:
    raise NotImplementedError
