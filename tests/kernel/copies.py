"""The checker with a change in its source: what would happen if this line were another one."""

from __future__ import annotations

import ast
import inspect
import sys
import types
from collections.abc import Iterator
from functools import cache
from unittest.mock import patch

from verifier.kernel import descent, proof, ranges, refute, shape, wire, zonotope

ORDER = {
    "shape": shape,
    "ranges": ranges,
    "zonotope": zonotope,
    "descent": descent,
    "refute": refute,
    "proof": proof,
    "wire": wire,
}
SOURCES = {name: inspect.getsource(module) for name, module in ORDER.items()}


@cache
def _compiled(name: str) -> types.CodeType:
    return compile(SOURCES[name], name, "exec")


def kernel(**changed: str) -> types.SimpleNamespace:
    """The modules of the kernel, each using the others as changed; the records of `problem` and `circuit` are the same.

    `kernel(refute=text)` has another `refute`."""
    made: dict[str, types.ModuleType] = {}
    with patch.dict(sys.modules):
        for name, module in ORDER.items():
            copy = types.ModuleType(module.__name__)
            exec(compile(changed[name], name, "exec") if name in changed else _compiled(name), copy.__dict__)
            copy.__dict__.update(
                {k: v for k, v in vars(module).items() if inspect.isclass(v) and issubclass(v, Exception)}
            )
            made[name] = sys.modules[module.__name__] = copy
    return types.SimpleNamespace(**made)


def guards(source: str) -> Iterator[tuple[str, str]]:
    """Each way to weaken `source` by one raise, or by one alternative of the condition before it: (name, program)."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if not isinstance(node, ast.If | ast.match_case) or not isinstance(node.body[0], ast.Raise):
            continue
        if "ValueError" in ast.unparse(node.body[0]):
            continue  # not a guard, but one of a writer
        line = f"line {node.body[0].lineno} {ast.unparse(node.body[0])[15:115]}"
        if isinstance(node, ast.If) and isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.Or):
            for part, alternative in enumerate(node.test.values.copy()):
                del node.test.values[part]
                yield f"{line} without {ast.unparse(alternative)}", ast.unparse(tree)
                node.test.values.insert(part, alternative)
        else:
            body, node.body = node.body, [ast.Pass()]
            yield line, ast.unparse(tree)
            node.body = body
