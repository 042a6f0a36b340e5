"""verifier: is a classifier always robust against an oracle? Proved, refuted, or said to be unknown.

`verifier.load(path).check()` runs the assertions of a `.vf` file; everything is exact.
"""

__version__ = "0.1.0"
