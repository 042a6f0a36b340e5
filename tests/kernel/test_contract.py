"""The trusted part stands alone: it loads where nothing but the standard library exists."""

from __future__ import annotations

import subprocess
import sys

ALONE = """
import sys

class Wall:
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if root == "verifier":
            allowed = name == "verifier" or name == "verifier.kernel" or name.startswith("verifier.kernel.")
        else:
            allowed = root in sys.stdlib_module_names
        if not allowed:
            raise ImportError(f"the kernel imports {name}")
        return None

before = set(sys.modules)
sys.meta_path.insert(0, Wall())
import verifier.kernel.circuit, verifier.kernel.proof, verifier.kernel.wire, verifier.kernel.__main__
for name in set(sys.modules) - before:
    root = name.partition(".")[0]
    assert root in sys.stdlib_module_names or name == "verifier" or name.startswith("verifier.kernel"), name
"""


def test_the_kernel_needs_the_standard_library_only() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
