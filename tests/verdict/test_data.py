"""Claims about the rows of a data set: the same answers as at declared points, however they were found."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import pytest

from verifier.api import Options, load
from verifier.engines import halfspaces
from verifier.verdict.verdict import Checked, FileResult, Refuted, Undecided

LABELS = "labels { lo, hi }\n"


def check(folder: Path, text: str, csv: str, timeout: float = 60.0) -> FileResult:
    (folder / "d.csv").write_text(csv)
    (folder / "d.vf").write_text(text)
    loaded = load(folder / "d.vf")
    return loaded.check(Options(timeout=timeout))


def errors(result: FileResult) -> list[str]:
    return [f"{d.code} {d.message} {d.fix}" for d in result.diagnostics if d.severity == "error"]


def words(checked: Checked) -> str:
    assert checked.table is not None
    return "".join(r.word[0] for r in checked.table.rows)


# the same as at declared points

DOMAINS = [
    "a: real in [0, 1], b: real in [-2, 2)",
    "a: real in (0, 1), b: int in [-2, 2]",
    "a: real, b: real in [0, infinity), k: {p, q}",
    "a: real in [0, 1], b: real in [0, 1]",
]
MODELS = [
    "features a = a, b = b\n decide if W0*a + W1*b >= W2 then hi else lo",
    "features a = a, b = b\n decide if W0*a + W1*b > W2 then hi else lo",
    "features a = a, b = b\n decide if a >= W2 then hi else lo",
    "features a = a, b = b\n decide if W0*a + W1*b >= W2 and b >= 1/4 then hi else lo",
    "features a = a, b = b\n decide if W0*a >= W2 or W1*b > W2 then hi else lo",
    "features h = relu(W0*a + W1*b - 1/3), g = relu(b - W2)\n decide if h - g >= 1/4 then hi else lo",
    "features a = a, b = b\n decide argmax(lo: W0*a, hi: W1*b + W2)",
    "features a = a, b = b\n decide hi",
]
ORACLES = [
    "features all\n metric linf",
    "features a = 2*a, b = b\n metric linf(scale: {a: 3, b: 1/2})",
    "features a = a\n metric linf",
    "features a = a, b = b\n metric linf\n decide if a >= 1/2 then hi else lo",
    "features a = a, b = b\n metric linf\n decide if a + b > 1/2 then hi else lo",
    "features all\n metric l1",
    "features a = a + b\n metric linf",
]


@pytest.mark.parametrize("seed", range(20))
def test_rows_get_the_answers_of_declared_points(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    domain, model, oracle = draw.choice(DOMAINS), draw.choice(MODELS), draw.choice(ORACLES)
    weights = [Fraction(draw.randint(-6, 6), draw.randint(1, 4)) for _ in range(3)]
    for i, w in enumerate(weights):
        model = model.replace(f"W{i}", f"({w})")
    rows = []
    for _ in range(5):
        row = {"a": str(Fraction(draw.randint(1, 9), 10)), "b": str(Fraction(draw.randint(0, 7), 4))}
        if "b: int" in domain:
            row["b"] = str(draw.randint(-2, 2))
        elif "b: real in [0, 1]" in domain:
            row["b"] = str(Fraction(draw.randint(0, 8), 8))
        if "k:" in domain:
            row["k"] = draw.choice("pq")
        rows.append(row)
    options = draw.choice(["", ", closed: true", ", agree: false"])
    radius = Fraction(draw.randint(0, 8), 8)
    text = f"domain X {{ {domain} }}\n{LABELS}oracle f2 {{ {oracle} }}\nmodel f1 {{ {model} }}\n"
    text += 'data D = csv("d.csv")\n'
    text += f"assert A: forall row in D: robust_at(f1, f2, row, radius: {radius}{options})\n"
    text += f"assert E: exists row in D: robust_at(f1, f2, row, radius: {radius}{options})\n"
    agree = ", agree: false" if "agree" in options else ""
    text += f"compute M: min_distance(f1, f2, D{agree})\n"
    for i, row in enumerate(rows):
        point = ", ".join(f"{k}: {v}" for k, v in row.items())
        text += f"point p{i} = {{ {point} }}\n"
        text += f"assert A{i}: robust_at(f1, f2, p{i}, radius: {radius}{options})\n"
        text += f"compute M{i}: min_distance(f1, f2, p{i}{agree})\n"
    csv = ",".join(rows[0]) + "\n" + "".join(",".join(row.values()) + "\n" for row in rows)
    result = check(tmp_path, text, csv)
    assert errors(result) == []
    assert not result.internal_errors
    alone = [result[f"A{i}"] for i in range(5)]
    amounts = {c.name: c.value for c in result.computed}
    table = result["A"].table
    assert table is not None
    assert [r.word for r in table.rows] == [a.word for a in alone]
    assert [r.distance for r in table.rows] == [amounts[f"M{i}"] for i in range(5)]
    finite = [amounts[f"M{i}"] for i in range(5) if isinstance(amounts[f"M{i}"], Fraction)]
    assert amounts["M"] == (min(finite) if finite else "infinity")  # type: ignore[type-var]
    assert result["A"].word == ("proved" if all(a.word == "proved" for a in alone) else "refuted")
    assert result["E"].word == ("proved" if any(a.word == "proved" for a in alone) else "refuted")
    assert bool(result["A"].vacuous) == (result["A"].word == "proved" and all(a.vacuous for a in alone))
    if isinstance(result["A"].verdict, Refuted):
        first = next(i for i, a in enumerate(alone) if a.word == "refuted")
        assert result["A"].pair is not None
        assert f"row {first + 1} (line {first + 2} of d.csv)" in result["A"].verdict.notes[0]


PLANE = """domain X { size: real in [0, 1], hue: real in [0, 1] }
labels { small, big }
oracle f2 { features s = size  metric linf }
model f1 { features s = size, h = hue  decide if s + h/10 >= 1/2 then big else small }
"""
ROWS = "size,hue,kind\n0.1,0,small\n1/3,0.5,big\n0.9,1,big\n"


def test_formulas_about_rows_are_evaluated(tmp_path: Path) -> None:
    text = PLANE + 'data D = csv("d.csv", label: kind)\n'
    text += "assert A: forall row in D: row.size >= 1/2 => f1(row) == big\n"
    text += "assert B: forall x in D: f1(x) == small expect refuted\n"
    text += "assert C: exists row in D: row.hue == 1/2 and f1(row) == small\n"
    text += "assert E: exists row in D: row.hue == 1/3 expect refuted\n"
    text += "assert F: forall u, v in D: u.size <= v.size => f1(u) == small or f1(v) == big\n"
    text += "assert G: forall row in D: forall x in X: x.size > row.size + 1/4 => f1(x) == big expect refuted\n"
    text += "assert H: not forall row in D: f1(row) == small\n"
    text += "assert I: accuracy(f1, D) == 2/3\n"
    result = check(tmp_path, text, ROWS)
    assert (result.exit_code, errors(result)) == (0, [])
    assert words(result["B"]) == "ppr"
    assert result["B"].pair is not None and list(result["B"].pair.points) == ["x"]
    assert result["H"].pair is not None
    (table,) = [result["C"].table]
    assert table is not None and [r.line for r in table.rows] == [2, 3, 4]


def test_a_row_called_like_another_point_is_not_captured(tmp_path: Path) -> None:
    text = PLANE + 'data D = csv("d.csv")\npoint row = { size: 1, hue: 1 }\nparam v = 3\n'
    text += "assert A: forall x' in D: robust_at(f1, f2, x', radius: 1/20)\n"
    text += "assert B: forall row in D: row.size <= 9/10\n"
    text += "assert C: forall v in D: v.size <= 9/10\n"
    text += "assert E: forall x in D: forall x in X: x.size <= 9/10 expect refuted\n"
    result = check(tmp_path, text, ROWS)
    assert (result.exit_code, errors(result)) == (0, [])


def test_undecided_rows_are_counted(tmp_path: Path) -> None:
    text = PLANE + 'data D = csv("d.csv")\nassert A: forall row in D: robust_at(f1, f2, row, radius: 1/20)\n'
    result = check(tmp_path, text, ROWS, timeout=0.0)
    verdict = result["A"].verdict
    assert isinstance(verdict, Undecided)
    assert "3 of 3 rows stayed open, the first is row 1 (line 2 of d.csv): out of time" in verdict.why
    assert words(result["A"]) == "uuu"


def test_a_formula_without_meaning_at_a_later_row_is_open_there(tmp_path: Path) -> None:
    text = PLANE + 'data D = csv("d.csv")\nassert A: forall row in D: forall x in X: x.size/row.hue <= 10\n'
    result = check(tmp_path, text, "size,hue\n0,1\n1,0\n")
    assert words(result["A"]) == "pu"
    assert "row 2" in str(result["A"].verdict)


def test_linear_models_need_no_solver(tmp_path: Path) -> None:
    draw = random.Random(1)
    rows = "".join(f"{draw.randint(0, 100)}/100,{draw.randint(0, 100)}/100\n" for _ in range(300))
    text = PLANE + 'data D = csv("d.csv")\nassert A: forall row in D: robust_at(f1, f2, row, radius: 1/50)\n'
    result = check(tmp_path, text, "size,hue\n" + rows)
    table = result["A"].table
    assert table is not None
    for row in table.rows:
        assert row.distance is not None
    assert table.nearest[0].distance == table.quantile(Fraction(0))
    assert table.nearest[-1].distance == table.quantile(Fraction(1))
    assert result["A"].seconds < 20


# reading


@pytest.mark.parametrize(
    ("options", "csv", "message"),
    [
        ("", "size,hue\n1,0\n2,0\n0,3\n", "2 of 3 rows of d.csv lie outside of X: line 3 (size = 2 is not in [0, 1])"),
        ("", "size,hue\n" + "2,0\n" * 5, "line 4 (size = 2 is not in [0, 1]) and 2 more"),
        ("", "size\n1\n", "no column `hue` for the coordinate `hue`"),
        ("", "size,hue\n1,x\n", "line 2, column 2 (`hue`): `x` is not a number"),
        (", label: kind", "size,hue,kind\n1,1,bug\n", "`bug` is no label. Did you mean `big`?"),
        (", label: kind, labels: { bigg: 1 }", ROWS, "no label called `bigg`"),
        (", label: kind, labels: { big: 1, small: 1 }", ROWS, "stands for two labels"),
        (", labels: { big: 1 }", ROWS, "Which column holds the labels?"),
        (", columns: { sise: a }", ROWS, "no coordinate called `sise`"),
        (", columns: { size: [a, b] }", ROWS, "`size` has 1 column"),
        (", members: { size: { a: 1 } }", ROWS, "it has no members"),
        (', separator: "--"', ROWS, "Cells are separated by"),
        (", header: no", ROWS, "`header` is true or false"),
        (", outside: keep", ROWS, "`outside` is error or skip"),
        (", sep: 3", ROWS, "no option `sep`"),
        (", outside: skip, outside: skip", ROWS, "given twice"),
        (", outside: skip", "size,hue\n2,0\n", "No row of d.csv lies in X"),
    ],
)
def test_what_does_not_fit_is_said(options: str, csv: str, message: str, tmp_path: Path) -> None:
    text = PLANE + f'data D = csv("d.csv"{options})\nassert A: forall row in D: f1(row) == big\n'
    (error,) = errors(check(tmp_path, text, csv))
    assert message in error


@pytest.mark.parametrize("value", ["3", '"d.csv"', 'xls("d.csv")', "csv(d)", "csv()", 'csv("a.csv", "b.csv")'])
def test_a_data_set_is_a_csv(value: str, tmp_path: Path) -> None:
    (error,) = errors(check(tmp_path, PLANE + f"data D = {value}\n", ROWS))
    assert error.startswith("V501")


def test_paths_stay_inside(tmp_path: Path) -> None:
    (error,) = errors(check(tmp_path, PLANE + 'data D = csv("../d.csv")\n', ROWS))
    assert error.startswith("V502")


def test_rows_outside_are_left_out_on_request(tmp_path: Path) -> None:
    text = PLANE + 'data D = csv("d.csv", outside: skip)\nassert A: forall row in D: row.size <= 1\n'
    result = check(tmp_path, text, "size,hue\n2,0\n1,0\n1,9\n")
    assert result.exit_code == 0
    assert words(result["A"]) == "p"
    assert result["A"].table is not None and result["A"].table.rows[0].line == 3
    assert ["2 rows of d.csv lie outside" in d.message for d in result.diagnostics] == [True]


def test_vectors_members_and_codes(tmp_path: Path) -> None:
    text = """domain X { v: real^2 in [0, 9], k: {p, q}, n: int in [0, 3] } where v[0] <= 5 or k == p
labels { no, yes }
model f1 { features v = v, n = n  decide if v[1] >= 1 then yes else no }
data D = csv("d.csv", label: 5, labels: {yes: "J", no: "N"}, members: {k: {p: 0, q: [1, 2]}}, separator: ";",
  header: false)
data E = csv("d.csv", columns: {v: ["2", "1"], k: "3", n: "4"}, members: {k: {p: 0, q: [1, 2]}}, separator: ";",
  header: false, outside: skip)
assert A: accuracy(f1, D) == 1/2
assert B: exists row in D: row.v[1] == 2 and row.k == q and row.n == 3
assert C: exists row in E: row.v[0] == 2 and row.k == q
assert F: accuracy(f1, f1, E) == 1
"""
    result = check(tmp_path, text, "1;2;2;3;J\n9;1/2;0;0;J\n")
    assert (result.exit_code, errors(result)) == (0, [])


def test_accuracy_needs_labels_and_a_data_set(tmp_path: Path) -> None:
    text = PLANE + 'data D = csv("d.csv")\n'
    (error,) = errors(check(tmp_path, text + "compute A: accuracy(f1, D)\n", ROWS))
    assert "`D` has no labels" in error
    (error,) = errors(check(tmp_path, text + "compute A: accuracy(f1, E)\n", ROWS))
    assert "`E` is not a model or an oracle" in error
    (error,) = errors(check(tmp_path, text + "compute A: accuracy(f1)\n", ROWS))
    assert "takes 2 arguments" in error


# half-spaces


def test_a_cut_leaves_out_what_is_strict() -> None:
    form = halfspaces.Form(Fraction(-1), ((0, Fraction(2)),))
    whole = halfspaces.Range(Fraction(0), Fraction(1, 2), False)
    assert not whole.cut(halfspaces.Side(form, False)).empty
    assert whole.cut(halfspaces.Side(form, True)).empty
    integers = halfspaces.Range(Fraction(0), Fraction(5), True)
    assert integers.cut(halfspaces.Side(form, True)).low == 1
