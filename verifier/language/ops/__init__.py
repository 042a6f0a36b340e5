"""Operators: each in its own file, each one line in the table.

An operator says twice what it means: `expand` builds it from affine forms and choices, `meaning` evaluates it on
rationals.
"""

from __future__ import annotations

from verifier.language.ops.abs import ABS
from verifier.language.ops.clamp import CLAMP
from verifier.language.ops.max import MAX
from verifier.language.ops.min import MIN
from verifier.language.ops.norm1 import NORM1
from verifier.language.ops.norminf import NORMINF
from verifier.language.ops.op import Op
from verifier.language.ops.relu import RELU
from verifier.language.ops.sign import SIGN
from verifier.language.ops.step import STEP
from verifier.language.ops.sum import SUM

__all__ = ["OPS", "Op"]

OPS: dict[str, Op] = {
    "relu": RELU,
    "abs": ABS,
    "sign": SIGN,
    "step": STEP,
    "clamp": CLAMP,
    "max": MAX,
    "min": MIN,
    "sum": SUM,
    "norm1": NORM1,
    "norminf": NORMINF,
}
