"""Text ↔ tree: `read` a file, `parse` it, `format_source` it, `unparse` an expression."""

from verifier.syntax.format import format_source, unparse
from verifier.syntax.lexer import decode, read
from verifier.syntax.parser import parse

__all__ = ["decode", "format_source", "parse", "read", "unparse"]
