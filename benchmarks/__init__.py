"""Measures the verifier beside other tools, on the same questions and in the same run. See README.md."""
