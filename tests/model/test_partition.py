"""A partition covers X: every point lies in exactly one part, and the shares add up to 1."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from verifier.api import Loaded, load_text
from verifier.model.interpret import Interpreter
from verifier.model.partition import at_part, loses_nothing, shares
from verifier.model.program import PointValue
from verifier.query.pose import Poser


def loaded(text: str) -> Loaded:
    found = load_text(text)
    assert not found.diagnostics, found.diagnostics
    return found


DOMAIN = "domain X { a: real in [-1, 2), b: real in (0, 1], n: int in [-3, 9], k: {p, q, r}, v: real^2 in [0, 1] }\n"
SIDES = [Fraction(i, 12) for i in range(-12, 25)]


def cut(draw: random.Random) -> str:
    widths = "1/4 1/3 5/12 1 7".split()
    real = {
        "a": f"at [{', '.join(map(str, sorted(draw.sample(SIDES[1:-1], 3))))}]",
        "b": "at [1/3, 1/2]",
        "v[0]": "at [1/12]",
        "v[1]": "at [1/2, 3/4, 11/12]",
    }
    cuts = [f"{name} {draw.choice([at, 'every ' + draw.choice(widths)])}" for name, at in real.items()]
    cuts += [f"n {draw.choice(['every 1', 'every 4', 'every 20', 'at [-2, 1/2, 9]', ''])}", "k"]
    return ", ".join(draw.sample(cuts, draw.randint(1, 4)))


@pytest.mark.parametrize("seed", range(40))
def test_every_point_lies_in_exactly_one_part(seed: int) -> None:
    draw = random.Random(seed)
    program = loaded(DOMAIN + f"partition P of X by {cut(draw)}\n").program
    partition = program.partitions["P"]
    parts = [at_part(program, partition, i) for i in range(partition.count)]
    whole = Interpreter(program)
    for _ in range(20):
        point: PointValue = {
            "a": draw.choice(SIDES),
            "b": draw.choice(SIDES),
            "n": Fraction(draw.randint(-4, 10)),
            "k": draw.choice("pqr"),
            "v": (draw.choice(SIDES[12:]), draw.choice(SIDES[12:])),
        }
        inside = [i for i, part in enumerate(parts) if Interpreter(part).inside(point)]
        assert len(inside) == whole.inside(point)
        for i in inside:  # and the bounds that the solvers see are those of the part
            poser = Poser(parts[i])
            values = [point["a"], point["b"], point["n"], Fraction("pqr".index(str(point["k"]))), *point["v"]]
            for form, value in zip(poser.inputs("x"), values, strict=True):
                low, high = poser.build.bounds(form)
                assert isinstance(value, Fraction)
                assert low is not None and high is not None and low <= value <= high
    assert sum(shares(program, partition)(i) or 0 for i in range(partition.count)) == 1
    assert len({partition.where(i) for i in range(partition.count)}) == partition.count


def test_the_parts_are_counted_and_not_listed() -> None:
    program = loaded(
        "domain X { a: int in [0, 999], b: real in [0, 1] }\npartition P of X by a, b every 1/1000"
    ).program
    partition = program.partitions["P"]
    assert partition.count == 1_000_000
    assert partition.where(999_999) == (("a", "[999, 999]"), ("b", "[999/1000, 1]"))
    assert partition.where(1) == (("a", "[0, 0]"), ("b", "[1/1000, 1/500)"))
    assert shares(program, partition)(7) == Fraction(1, 1_000_000)


def test_the_partitions_of_fairify_have_its_numbers_of_parts() -> None:
    text = """domain X { age: int in [10, 100], education: int in [0, 15], num: int in [1, 16], job: int in [0, 13],
      gain: int in [0, 19], loss: int in [0, 19], hours: int in [1, 100], country: int in [0, 40],
      credit: int in [0, 20000] }
    partition AC of X by age every 10, education every 10, num every 10, job every 10, gain every 10, loss every 10,
      hours every 10, country every 10
    partition GC of X by credit every 100
    """
    program = loaded(text).program
    assert (program.partitions["AC"].count, program.partitions["GC"].count) == (16000, 201)
    assert program.partitions["GC"].where(200) == (("credit", "[20000, 20000]"),)
    assert shares(program, program.partitions["GC"])(0) == Fraction(100, 20001)


@pytest.mark.parametrize(
    ("oracle", "nothing"),
    [
        ("features all metric linf", True),
        ("features all except k metric l0", True),
        ("features b = a, w = v[1], n = n metric discrete", True),
        ("features w = v metric linf", False),
        ("features a = a, w = v[0] metric linf", False),
        ("features a = 2*a, v = v metric linf", False),
        ("features all metric d(u, w) = abs(u.a - w.a)", False),
        ("features all metric mahalanobis([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])", False),
    ],
)
def test_what_the_oracle_sees_is_not_torn(oracle: str, nothing: bool) -> None:
    domain = "domain X { a: real in [0, 1], n: int in [0, 1], v: real^2 in [0, 1] }\n"
    if "except k" in oracle:
        domain = "domain X { a: real in [0, 1], v: real^2 in [0, 1], k: {p, q} }\n"
    program = loaded(f"{domain}oracle f2 {{ {oracle} }}\npartition P of X by a every 1/2, v[1] at [1/3]").program
    assert loses_nothing(program, program.partitions["P"], "f2") is nothing


def test_a_share_is_only_said_where_a_number_says_it() -> None:
    text = "partition P of X by a at [1/2]"
    for domain in ("a: real in [0, 1], b: real in [0, 1], where a <= b", "a: real in [0, 1], b: real"):
        program = loaded(f"domain X {{ {domain} }}\n{text}").program
        assert shares(program, program.partitions["P"])(0) is None
    program = loaded(f"domain X {{ a: real in [0, 2], b: real in [1, 1], k: {{p, q}} }}\n{text}, k").program
    assert shares(program, program.partitions["P"])(0) == Fraction(1, 8)


def test_a_part_is_numbered_by_its_slices() -> None:
    text = "domain X { m: int in [0, 11], c: {r, s}, n: int in [1, 9] }\npartition P of X by m every 4, c, n every 3"
    partition = load_text(text).program.partitions["P"]
    assert [partition.number([k for _, k in partition.slices(i)]) for i in range(18)] == list(range(18))
