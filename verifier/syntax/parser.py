"""Text → tree. One broken declaration costs only itself: the tokens are cut at the words that begin declarations, and
each piece is parsed on its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from verifier.source import Diagnostic, Rejected, Source
from verifier.syntax import limits, tree
from verifier.syntax.lexer import DAMAGE, grammar, lex, spelling, terminal
from verifier.syntax.mistakes import BEGINNINGS, Stuck, explain, unknown_declaration

if TYPE_CHECKING:
    from lark import Token, Tree


def parse(source: Source) -> tuple[tree.File, tuple[Diagnostic, ...]]:
    """The declarations of a file, and every mistake in it, in the order of the text. Never raises, whatever the text.

    A declaration with a mistake is left out unless the mistake could be mended; a file is sound when there are no
    diagnostics.
    """
    from verifier.syntax.build import build

    tokens, found = lex(source)
    declarations: list[tree.Declaration] = []
    pieces = deque(_pieces(source, tokens))
    while pieces and len(found) <= limits.DIAGNOSTICS:
        piece = pieces.popleft()
        if piece[0] not in BEGINNINGS and piece[0] != "@":
            mistake, meant = unknown_declaration(source, piece)
            if piece[0].type != DAMAGE:
                found.append(mistake)
            if meant is None:
                continue
            piece[0] = piece[0].update(terminal()[meant], meant)
        if any(token.type == DAMAGE for token in piece):
            continue
        result = _attempt(piece)
        if isinstance(result, int):
            stuck = Stuck(source, piece, result, _expected(piece[:result]))
            rest = piece[result:]
            result = _attempt(piece[:result]) if "$END" in stuck.expected and result > 0 else result
            if not isinstance(result, int) and rest and rest[0].type == "NAME" and _leads(source, piece, stuck.at):
                pieces.appendleft(rest)
            else:
                found.append(explain(stuck))
                if piece[0] in ("@", "assert", "compute"):
                    continue
        if not isinstance(result, int):
            for node in result.children:
                try:
                    declarations.append(build(source, node))
                except Rejected as rejected:
                    found += rejected.diagnostics
    return tree.File(source.path, tuple(declarations)), _reported(source, found)


def _reported(source: Source, found: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    ordered = sorted(found, key=lambda diagnostic: diagnostic.span.start)
    if len(ordered) <= limits.DIAGNOSTICS:
        return tuple(ordered)
    ordered = ordered[: limits.DIAGNOSTICS]
    return (
        *ordered,
        Diagnostic(
            "V105",
            ordered[-1].span,
            f"There are more than {limits.DIAGNOSTICS} mistakes; the rest is not shown.",
            fix="Mend these first.",
        ),
    )


# Cutting and parsing -------------------------------------------------------------------------------------------------


def _leads(source: Source, tokens: list[Token], index: int) -> bool:
    """Is this token the first on its line?"""
    begin = tokens[index - 1].end_pos if index else 0
    return index == 0 or "\n" in source.text[begin : tokens[index].start_pos]


def _pieces(source: Source, tokens: list[Token]) -> Iterator[list[Token]]:
    """The tokens, cut where declarations begin. Annotations go with the declaration that follows them."""
    begin, annotated = 0, False
    for index, token in enumerate(tokens):
        if token == "@" or (token in BEGINNINGS and _begins(source, tokens, index)):
            if not annotated and index > begin:
                yield tokens[begin:index]
                begin = index
            annotated = token == "@"
    if begin < len(tokens):
        yield tokens[begin:]


def _begins(source: Source, tokens: list[Token], index: int) -> bool:
    """Does the reserved word here begin a declaration, or is it a label, or a name by mistake?"""
    word = tokens[index]
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    if after == ":" and index > 0 and tokens[index - 1] in ("(", ","):
        return False
    if _leads(source, tokens, index):
        return word in ("assert", "compute") or after not in (":", ",", ")", "]", "}")
    return after is not None and (
        after.type == "NAME" or (word == "labels" and after == "{") or (word == "use" and (after[0] in '("'))
    )


def _attempt(tokens: list[Token]) -> Tree[Token] | int:
    """The parse tree of a piece, or the index of the first token that does not fit."""
    from lark.exceptions import UnexpectedToken

    parser: Any = grammar().parse_interactive()
    for index, token in enumerate(tokens):
        try:
            parser.feed_token(token)
        except UnexpectedToken:
            return index
    try:
        result: Tree[Token] = parser.feed_eof(tokens[-1])
        return result
    except UnexpectedToken:
        return len(tokens)


def _expected(tokens: list[Token]) -> frozenset[str]:
    """What may follow these tokens, as it is written."""
    parser: Any = grammar().parse_interactive()
    for token in tokens:
        parser.feed_token(token)
    return frozenset(spelling()[name] for name in parser.accepts())
