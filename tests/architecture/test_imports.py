"""What gets loaded where. The order of the rooms is import-linter's part (see pyproject.toml)."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import verifier

PACKAGE = Path(verifier.__file__).parent
HEAVY = {"flint", "lark", "numpy", "onnx", "onnxruntime", "rich", "scipy", "sklearn", "sympy", "z3"}


def loaded_by(code: str, *flags: str) -> set[str]:
    """The modules in memory after a fresh interpreter has run `code` in an empty environment."""
    program = f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r})\n{code}\nprint('\\n', *sys.modules, sep='\\n')"
    ran = subprocess.run(
        [sys.executable, *flags, "-c", program], capture_output=True, text=True, check=True, env={"PATH": os.defpath}
    )
    return set(ran.stdout.split("\n\n")[-1].split())


def kernel_modules() -> list[str]:
    return sorted(f"verifier.kernel.{p.stem}".removesuffix(".__init__") for p in (PACKAGE / "kernel").glob("*.py"))


def test_the_kernel_starts_where_nothing_is_installed() -> None:
    modules = loaded_by("\n".join(f"import {name}" for name in kernel_modules()), "-I", "-S")
    roots = {name.partition(".")[0] for name in modules}
    assert roots - {"__main__", "verifier"} <= set(sys.stdlib_module_names)
    assert {name for name in modules if name.startswith("verifier")} <= {"verifier", *kernel_modules()}


@pytest.mark.parametrize("path", sorted((PACKAGE / "kernel").glob("*.py")), ids=lambda p: p.name)
def test_the_kernel_imports_the_standard_library_and_itself_even_inside_functions(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                imported = [name.name for name in names]
            case ast.ImportFrom(module=module, level=level):
                assert level == 0, "imports are written in full"
                imported = [module or ""]
            case ast.Call(func=ast.Name(id="__import__" | "eval" | "exec" | "compile") as name):
                pytest.fail(f"{path.name}:{node.lineno} calls {name.id}")
            case _:
                continue
        for name in imported:
            ours = name == "verifier.kernel" or name.startswith("verifier.kernel.")
            standard = name.partition(".")[0] in sys.stdlib_module_names - {"importlib", "ctypes", "subprocess"}
            assert ours or standard, f"{path.name}:{node.lineno} imports {name}"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["check", "--help"], ["fmt", "--help"], ["show", "--help"], ["--version"]]
)
def test_help_is_instant_because_it_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"from verifier.surfaces.cli import cli\ncli.main({arguments!r}, standalone_mode=False)"
    modules = loaded_by(code)
    assert "click" in modules
    assert not {name.partition(".")[0] for name in modules} & HEAVY


def test_a_file_without_a_network_is_checked_without_numpy_and_other_heavy_modules(tmp_path: Path) -> None:
    (tmp_path / "small.vf").write_text("""
domain X { size: real in [0, 1], hue: real in [0, 1] }
labels { small, big }
oracle f2 { features s = size  metric linf  decide if s >= 1/2 then big else small }
model f1 { features h = size  decide if h >= 1/2 then big else small }
assert A: contained(f1, f2)
assert B: forall x in X: f1(x) == f2(x)
""")
    arguments = ["check", str(tmp_path / "small.vf"), "--jobs", "1"]
    modules = loaded_by(f"from verifier.surfaces.cli import cli\ncli.main({arguments!r}, standalone_mode=False)")
    assert "verifier.verdict.decide" in modules
    mine = {"numpy", "sympy", "z3", "rich", "highspy", "multiprocessing", "email", "importlib.metadata"}
    assert not modules & mine


def test_the_pytest_plugin_weighs_nothing_in_other_people_s_projects() -> None:
    before, after = loaded_by("import pytest"), loaded_by("import verifier.surfaces.pytest_plugin")
    mine = {"verifier", "verifier.surfaces", "verifier.surfaces.pytest_plugin"}
    assert after - before <= mine
