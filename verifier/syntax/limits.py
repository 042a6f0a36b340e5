"""Caps on what a file may hold. Hostile text is normal input, and passing a cap is a diagnostic like any other."""

FILE_BYTES = 1_000_000
TOKENS = 100_000
DEPTH = 200
"""Levels of nesting in one declaration; every operator of a long sum and every bracket is one. Stages may recurse."""
DIGITS = 200
"""Digits in one number, the exponent's included."""
EXPONENT = 400
"""Largest |k| in a number m * 10^k with m whole."""
NAME_LENGTH = 100
STRING_LENGTH = 4_000
DIAGNOSTICS = 50
"""Mistakes reported in one run; one more says that there are others."""
