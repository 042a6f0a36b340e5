"""The sort check of claims: every formula and number of a claim is evaluated once, before anything is solved."""

from __future__ import annotations

from typing import assert_never

from verifier.model.assertion import at_row, claim_of
from verifier.model.claim import (
    Always,
    ByConstruction,
    Claim,
    Compare,
    Computation,
    Contained,
    Infimum,
    Join,
    Later,
    LocallyConstant,
    Measured,
    Not,
    Parts,
    Prenex,
    Rows,
)
from verifier.model.partition import at_part
from verifier.query.pose import Poser


def check_claim(claim: Claim | Measured, poser: Poser) -> None:
    """Raises Rejected where the claim makes no sense."""
    match claim:
        case Always(points, given, then):
            for formula in (*given, then):
                poser.truth(formula, points)
        case Prenex(blocks, formula, given):
            poser.truth(formula, [name for block in blocks for name in block.points])
            if given is not None:
                check_claim(given, poser)
        case Contained(_, _, coarse, fine) | LocallyConstant(_, _, coarse, fine):
            for distance in (coarse, fine):
                poser.shape(distance, ("x", "x'"))
        case Infimum(points, of, given):
            if poser.square(of, points) is None:
                poser.number(of, points)
            for formula in given:
                poser.truth(formula, points)
        case Compare(measure):
            check_claim(measure, poser)
        case Not(inner):
            check_claim(inner, poser)
        case Join(_, parts):
            for _, part in parts:
                check_claim(part, poser)
        case Computation(formulas=formulas):
            for formula in formulas.values():
                poser.truth(formula, ("x",))
        case Rows():
            program = at_row(poser.program, claim, 0)
            check_claim(claim_of(program, claim.body), Poser(program))
        case Parts():
            program = at_part(poser.program, claim.partition, 0)
            check_claim(claim_of(program, claim.body), Poser(program))
        case Later() | ByConstruction():
            pass
        case _:
            assert_never(claim)
