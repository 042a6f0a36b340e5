"""Text, places in it, and what can be said about those places."""

from verifier.source.diagnostic import Diagnostic, Rejected, Severity
from verifier.source.text import Source, Span

__all__ = ["Diagnostic", "Rejected", "Severity", "Source", "Span"]
