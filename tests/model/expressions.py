"""Random expressions of every sort over one small program, as text, and points to read them at."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from hypothesis import strategies as st

from verifier.api import load_text
from verifier.model.program import PointValue, Program
from verifier.source import Source
from verifier.syntax import tree
from verifier.syntax.parser import parse

TEXT = """
domain X { a: real in [-2, 2], v: real^2 in (-1, 1], n: int in [-3, 3], c: {r, s, t}, d: {r, s, t} } where a + v[0] < 3
labels { no, maybe, yes }
let k = 3/2
let M = [[1, -1], [2, 0]]
def hinge(e) = relu(e) - 1
def later(e, f) = if e >= f then e else 2 * f
def near(e) = e == 1 or -1 <= e < 1/2
def name(e) = if near(e) then maybe else argmax(no: e, yes: 1/4)
oracle plain { features a = a, c = c  metric l1(scale: {a: 2})  decide if a >= 0 and c == r then yes else no }
oracle own { features v = v, n = n  metric m(e, f) = max(2 * abs(e.n - f.n), norm1(e.v - f.v))  decide name(n) }
oracle blind { features n = n  metric discrete }
model net {
  features h = relu(M * v + [a, -1/2]), w = a / 3
  metric linf(weights: {w: 2})
  decide argmax([h[0], h[1] - w, 1/4])
}
model last { features a = a, d = d  metric l0  decide argmax(yes: a, no: 2 * a - 1/2, ties: last) }
model lowest { features all except d  metric linf  decide argmin(yes: a, maybe: sum(v), no: n) }
model walk {
  features a = a, c = c, n = n
  metric l1
  decide if not (c == s) => a > 1/2 then yes else if a == n or c == t and n != 0 then argmax(no: a, maybe: n) else no
}
model sort { features c = c, d = d  metric discrete  decide if c == d then yes else if c != r then no else maybe }
point p = { a: 1/2, v: [0, 1], n: 1, c: r, d: t }
"""

CLASSIFIERS = {"plain": "ac", "own": "vn", "net": "hw", "last": "ad", "lowest": "avnc", "walk": "acn", "sort": "cd"}
"""Those that decide, and their features."""
NUMERIC = {"plain": "a", "own": "n", "net": "w", "last": "a", "lowest": "an", "walk": "an"}
VECTORS = {"own": "v", "net": "h", "lowest": "v"}
LABELS, MEMBERS, SIGNS = ("no", "maybe", "yes"), ("r", "s", "t"), ("<", "<=", "==", "!=", ">=", ">")


@cache
def program() -> Program:
    loaded = load_text(TEXT)
    assert loaded.diagnostics == ()
    return loaded.program


def expression(text: str) -> tree.Expr:
    file, diagnostics = parse(Source("expression", f"compute it: {text}"))
    assert not diagnostics, (text, diagnostics)
    (declaration,) = file.declarations
    assert isinstance(declaration, tree.Compute)
    return declaration.body


CONSTANTS = st.sampled_from(["0", "1", "-1", "1/2", "2", "0.25", "-3", "k", "7/3"])
POINTS = st.sampled_from(["u", "w", "p"])


def fill(pattern: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda found: pattern.format(*found))


def pick(table: dict[str, str]) -> st.SearchStrategy[tuple[str, str]]:
    return st.sampled_from([(f, h) for f, features in table.items() for h in features])


ATOMS = st.one_of(
    CONSTANTS,
    fill("{}.a", POINTS),
    fill("{}.n", POINTS),
    fill("{}.v[{}]", POINTS, st.sampled_from("01")),
    fill("{}[{}]", POINTS, st.sampled_from("0123")),
    fill("code({}.c)", POINTS),
    fill("sum(onehot({}.d))", POINTS),
    fill("dot(onehot({}.c), [1, 5, -2])", POINTS),
    fill("distance({}, {}, {})", st.sampled_from([*CLASSIFIERS, "blind"]), POINTS, POINTS),
    st.tuples(pick(CLASSIFIERS), POINTS, POINTS).map(lambda t: f"distance({t[0][0]}, {t[1]}, {t[2]}, only: {t[0][1]})"),
    fill("margin({}, {})", st.sampled_from(["net", "last", "lowest"]), POINTS),
    st.tuples(pick(NUMERIC), POINTS).map(lambda t: f"{t[0][0]}.{t[0][1]}({t[1]})"),
)
VECTOR_ATOMS = st.one_of(
    fill("{}.v", POINTS),
    fill("[{}, {}]", ATOMS, ATOMS),
    st.tuples(pick(VECTORS), POINTS).map(lambda t: f"{t[0][0]}.{t[0][1]}({t[1]})"),
)
LABEL_ATOMS = fill("{}({})", st.sampled_from(list(CLASSIFIERS)), POINTS)
MEMBER_ATOMS = fill("{}.{}", POINTS, st.sampled_from("cd"))
EQUAL = st.sampled_from(["==", "!="])
TRUTH_ATOMS = st.one_of(
    st.sampled_from(["true", "false"]),
    fill("({} {} {})", ATOMS, st.sampled_from(SIGNS), ATOMS),
    fill("({} {} {})", LABEL_ATOMS, EQUAL, LABEL_ATOMS),
    fill("({} {} {})", LABEL_ATOMS, EQUAL, st.sampled_from(LABELS)),
    fill("({} {} {})", st.sampled_from(LABELS), EQUAL, LABEL_ATOMS),
    fill("({} {} {})", MEMBER_ATOMS, EQUAL, MEMBER_ATOMS),
    fill("({} {} {})", MEMBER_ATOMS, EQUAL, st.sampled_from(MEMBERS)),
    fill("({} {} {})", POINTS, EQUAL, POINTS),
    fill("(margin({}, {}) {} {})", st.sampled_from(list(CLASSIFIERS)), POINTS, st.sampled_from(SIGNS), CONSTANTS),
    fill("({} {} margin({}, {}))", CONSTANTS, st.sampled_from(SIGNS), st.sampled_from(list(CLASSIFIERS)), POINTS),
    fill(
        "(distance({}, {}, {}) {} {})",
        st.sampled_from([*CLASSIFIERS, "blind"]),
        POINTS,
        POINTS,
        st.sampled_from(["<", "<="]),
        CONSTANTS,
    ),
)


@cache
def expressions(depth: int) -> dict[str, st.SearchStrategy[str]]:
    """Numbers, formulas, vectors of two, labels and members, nested at most so deep."""
    numbers, truths, vectors = ATOMS, TRUTH_ATOMS, VECTOR_ATOMS
    labels, members = LABEL_ATOMS, MEMBER_ATOMS
    sign = st.sampled_from(SIGNS)
    for _ in range(depth):
        n, t, v, lab, m = numbers, truths, vectors, labels, members
        numbers = st.one_of(
            n,
            fill("({} {} {})", n, st.sampled_from("+-"), n),
            fill("({} * {})", CONSTANTS, n),
            fill("({} * {})", n, CONSTANTS),
            fill("({} / {})", n, st.sampled_from(["2", "-3", "0.5", "k"])),
            fill("(-{})", n),
            fill("{}({})", st.sampled_from(["relu", "abs", "sign", "step", "hinge"]), n),
            fill("clamp({}, {}, {})", n, n, n),
            fill("{}({}, {})", st.sampled_from(["max", "min", "later", "sum", "norm1"]), n, n),
            fill("{}({}, {})", st.sampled_from(["max", "min", "norminf"]), n, v),
            fill("{}({})", st.sampled_from(["sum", "norm1", "norminf", "max"]), v),
            fill("dot([{}, {}], {})", CONSTANTS, CONSTANTS, v),
            fill("{}[{}]", v, st.sampled_from("01")),
            fill("(if {} then {} else {})", t, n, n),
        )
        truths = st.one_of(
            t,
            fill("({} {} {})", n, sign, n),
            fill("({} {} {} {} {})", n, sign, n, sign, n),
            fill("({} {} {})", v, EQUAL, v),
            fill("({} {} {})", lab, EQUAL, lab),
            fill("({} {} {})", m, EQUAL, m),
            fill("({} {} {})", t, EQUAL, t),
            fill("(not {})", t),
            fill("({} {} {})", t, st.sampled_from(["and", "or", "=>", "<=>"]), t),
            fill("(if {} then {} else {})", t, t, t),
            fill("near({})", n),
        )
        vectors = st.one_of(
            v,
            fill("[{}, {}]", n, n),
            fill("({} {} {})", v, st.sampled_from("+-"), v),
            fill("({} * {})", CONSTANTS, v),
            fill("(M * {})", v),
            fill("(-{} / 2)", v),
            fill("{}({})", st.sampled_from(["relu", "abs", "step"]), v),
            fill("(if {} then {} else {})", t, v, v),
        )
        labels = st.one_of(lab, fill("(if {} then {} else {})", t, lab, lab))
        members = st.one_of(m, fill("(if {} then {} else {})", t, m, m))
    return {"number": numbers, "truth": truths, "vector": vectors, "label": labels, "member": members}


QUARTERS = st.integers(-8, 8).map(lambda i: Fraction(i, 4))


@st.composite
def points(draw: st.DrawFn) -> PointValue:
    """Points of X, many of them where tests tie."""
    side = st.integers(-3, 4).map(lambda i: Fraction(i, 4))
    return {
        "a": draw(QUARTERS),
        "v": (draw(side), draw(side)),
        "n": Fraction(draw(st.integers(-3, 3))),
        "c": draw(st.sampled_from(MEMBERS)),
        "d": draw(st.sampled_from(MEMBERS)),
    }
