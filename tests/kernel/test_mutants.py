"""The arithmetic of the checker is pinned down: each change of it is noticed, or cannot matter."""

from __future__ import annotations

import pytest

from tests.kernel.copies import SOURCES, kernel
from tests.kernel.laws import LAWS
from tests.kernel.mutants import mutants, noticed

EQUIVALENT: dict[str, dict[str, tuple[str, ...]]] = {
    "shape": {},
    "ranges": {
        "any grid will do, a finer or a coarser one": (
            "FINE = 1 << 32 | 1 -> 2",
            "FINE = 1 << 32 | 32 -> 33",
            "FINE = 1 << 32 | 32 -> 31",
            "return lcm(*(b.denominator for b in ends)) * (1 if side.integer else FINE) | 1 -> 2",
        ),
        "a multiple of 0 is not followed": (
            "(low, _), (high, under) = sides if k > 0 else sides[::-1] | k > 0 -> k >= 0",
            "(low, _), (high, under) = sides if k > 0 else sides[::-1] | 0 -> -1",
        ),
        "a level too high only makes the numbers longer, and one less is spare": (
            "self.level.append(0) | 0 -> 1",
            "self.level.append(max((self.level[j] for j, _ in terms), default=0)) | 0 -> 1",
            "self.level.append(max((self.level[j] for j, _ in terms), default=0)) | 0 -> -1",
            "self.depth = max(self.level, default=0) | 0 -> 1",
            "self.depth = max(self.level, default=0) | 0 -> -1",
        ),
        "a node that is its own run is 0, and so is what it hears": ("if run >= rise: | run >= rise -> run > rise",),
        "a node that stays dirty is computed again": ("dirty[n] = 0 | 0 -> 1",),
        "no node before n is dirty": (
            "n = dirty.find(1, n + 1, end) | n + 1 -> n - 1",
            "n = dirty.find(1, n + 1, end) | 1 -> 0 (2)",
        ),
        "a term of weight 0 adds nothing, whichever end is taken": (
            "least, most = (low[j], high[j]) if a > 0 else (high[j], low[j]) | a > 0 -> a >= 0",
            "least, most = (low[j], high[j]) if a > 0 else (high[j], low[j]) | 0 -> -1",
        ),
        "an open test has an upper end of at least 0": (
            "return 0, None if first[1] is None else max(first[1], 0) | 0 -> -1 (2)",
        ),
        "zero with either sign": (
            "constant += weight * shift | constant += weight * shift -> constant -= weight * shift",
        ),
        "a node met twice has weight 0 the second time": (
            "if j not in form and j in scaled.affine:"
            " | j not in form and j in scaled.affine -> j not in form or j in scaled.affine",
            "if n in scaled.affine and (weight := form.pop(n, 0)): | 0 -> 1",
            "if n in scaled.affine and (weight := form.pop(n, 0)): | 0 -> -1",
        ),
        "the test of a relu is its branch, too": (
            "test = scaled.select[relu][0] | 0 -> 1",
            "of = [scaled.select[n][0] if relus else n for n in (second, first)] | 0 -> 1",
        ),
        "a node that is its own twin is told by itself and 0": (
            "if first >= second or level[first] != level[second] or unit[first] != unit[second]:"
            " | first >= second -> first > second",
        ),
        "at an end of 0 both formulas agree": (
            "if low is not None and low >= 0: | low >= 0 -> low > 0",
            "if low is not None and low >= 0: | 0 -> 1",
            "if high is not None and high <= 0: | high <= 0 -> high < 0",
            "if high is not None and high <= 0: | 0 -> -1",
        ),
        "with the slope rounded down, the upper end needs more": (
            "return slope, max(-slope * low, (one - slope) * high) | -slope * low -> -slope + low",
            "return slope, max(-slope * low, (one - slope) * high) | -slope -> slope",
        ),
    },
    "zonotope": {
        "how precise forms are is free to choose": (
            "LANE = 120 | 120 -> 121",
            "LANE = 120 | 120 -> 119",
            "DIGIT, FACTOR = 56, 44 | 56 -> 57",
            "DIGIT, FACTOR = 56, 44 | 56 -> 55",
            "DIGIT, FACTOR = 56, 44 | 44 -> 45",
            "DIGIT, FACTOR = 56, 44 | 44 -> 43",
            "largest = max((a.bit_length() + self.grain[j] for j, a in terms), default=0) | max -> min",
            "largest = max((a.bit_length() + self.grain[j] for j, a in terms), default=0) | 0 -> 1",
            "largest = max((a.bit_length() + self.grain[j] for j, a in terms), default=0) | 0 -> -1",
            "shift = min(max(FACTOR + self.grain[n] - largest, 0), DIGIT) | 0 -> 1",
            "shift = min(max(FACTOR + self.grain[n] - largest, 0), DIGIT) | min -> max",
            "shift = min(max(FACTOR + self.grain[n] - largest, 0), DIGIT)"
            " | FACTOR + self.grain[n] -> FACTOR - self.grain[n]",
            "self.grain.append(max(abs(low or 0), abs(high or 0)).bit_length() - DIGIT) | 0 -> 1",
            "self.grain.append(max(abs(low or 0), abs(high or 0)).bit_length() - DIGIT) | 0 -> -1",
            "self.grain.append(max(abs(low or 0), abs(high or 0)).bit_length() - DIGIT) | 0 -> 1 (2)",
            "self.grain.append(max(abs(low or 0), abs(high or 0)).bit_length() - DIGIT) | 0 -> -1 (2)",
        ),
        "nobody changes these records, and the lists are as long as each other": (
            "@dataclass(frozen=True, slots=True) | True -> False",
            "@dataclass(frozen=True, slots=True) | True -> False (2)",
            "@dataclass(frozen=True, slots=True) | True -> False (3)",
            "@dataclass(frozen=True, slots=True) | True -> False (4)",
            "@dataclass(frozen=True, slots=True) | True -> False (5)",
            "@dataclass(frozen=True, slots=True) | True -> False (6)",
            "for n, (low, high) in enumerate(zip(whole.low, whole.high, strict=True)): | True -> False",
        ),
        "a bound that is hit exactly, or not": (
            "if size >= HALF: | size >= HALF -> size > HALF",
            "if size(form) << GRAIN >= HALF: | size(form) << GRAIN >= HALF -> size(form) << GRAIN > HALF",
            "return None if most >= HALF else Form(number, (most << 2 * LANE) + (radius << LANE) + error)"
            " | most >= HALF -> most > HALF",
        ),
        "both ends of a test with a form are known": (
            "assert low is not None and high is not None"
            " | low is not None and high is not None -> low is not None or high is not None",
            "assert low is not None and high is not None"
            " | low is not None and high is not None -> low is not None or high is not None (2)",
            "assert low is not None and high is not None and most is not None"
            " | low is not None and high is not None and (most is not None)"
            " -> low is not None or high is not None or most is not None",
        ),
        "to shift by nothing, to the left or to the right": (
            "return value << by if by >= 0 else value >> -by | by >= 0 -> by > 0",
            "return value << by if by >= 0 else value >> -by | 0 -> 1",
        ),
        "the same modulo the base": (
            "HALF, LAST = 1 << LANE - 1, (1 << LANE) - 1 | 1 -> 2 (3)",
            "constant = (number + HALF & LAST) - HALF | number + HALF -> number - HALF",
            "return constant, ((number - constant >> LANE) + HALF & LAST) - HALF"
            " | (number - constant >> LANE) + HALF -> (number - constant >> LANE) - HALF",
        ),
        "roundings and cancelling leave room: sums of bounds are hardly ever reached at once, and may be larger": (
            "size = (lost >> 2 * LANE) + 2 * abs(node.constant) | 2 * abs(node.constant) -> 2 + abs(node.constant)",
            "middle, radius = self.interval(n, 0, high) | 0 -> -1",
            "error = (slope * (form.loss & LAST) >> GRAIN) + 1 + self.digits"
            " | (slope * (form.loss & LAST) >> GRAIN) + 1 -> (slope * (form.loss & LAST) >> GRAIN) - 1",
            "return form_of((middle << LANE) + middle + self.new(radius), 0, radius, 2 * abs(middle) + radius)"
            " | 0 -> 1",
            "size = (lost >> 2 * LANE) + 2 * abs(node.constant) | 2 -> 3",
            "size = (lost >> 2 * LANE) + 2 * abs(node.constant) | 2 -> 1",
            "error, radius = (part + terms.sizes + 1 >> node.shift for part in (lost & LAST, lost >> LANE & LAST))"
            " | part + terms.sizes + 1 -> part + terms.sizes - 1",
            "return form_of(number, error + 1 + self.digits, radius + 2, (size >> node.shift) + 1 + self.digits)"
            " | error + 1 -> error - 1",
            "return form_of(number, error + 1 + self.digits, radius + 2, (size >> node.shift) + 1 + self.digits)"
            " | 2 -> 3",
            "return form_of(number, error + 1 + self.digits, radius + 2, (size >> node.shift) + 1 + self.digits)"
            " | 2 -> 1",
            "return form_of(number, error + 1 + self.digits, radius + 2, (size >> node.shift) + 1 + self.digits)"
            " | (size >> node.shift) + 1 -> (size >> node.shift) - 1",
            "error = (slope * (form.loss & LAST) >> GRAIN) + 1 + self.digits | 1 -> 2",
            "error = (slope * (form.loss & LAST) >> GRAIN) + 1 + self.digits | 1 -> 0",
            "return shifted(low + high, half), shifted(high - low, half) + 2 | 2 -> 3",
            "error, radius = (part + terms.sizes + 1 >> node.shift for part in (lost & LAST, lost >> LANE & LAST))"
            " | 1 -> 2",
            "error, radius = (part + terms.sizes + 1 >> node.shift for part in (lost & LAST, lost >> LANE & LAST))"
            " | 1 -> 0",
            "return form_of(number, error + 1 + self.digits, radius + 2, (size >> node.shift) + 1 + self.digits)"
            " | 1 -> 2",
            "return form_of(number, error + 1 + self.digits, radius + 2, (size >> node.shift) + 1 + self.digits)"
            " | 1 -> 0",
            "return form_of(number, error + 1 + self.digits, radius + 2, (size >> node.shift) + 1 + self.digits)"
            " | 1 -> 2 (2)",
            "return form_of(number, error + 1 + self.digits, radius + 2, (size >> node.shift) + 1 + self.digits)"
            " | 1 -> 0 (2)",
            "digits = (slope * size(form) >> GRAIN) + 1 + self.digits + 2 * half + middle"
            " | (slope * size(form) >> GRAIN) + 1 -> (slope * size(form) >> GRAIN) - 1",
            "digits = (slope * size(form) >> GRAIN) + 1 + self.digits + 2 * half + middle | 2 -> 3",
            "return form_of((middle << LANE) + middle + self.new(radius), 0, radius, 2 * abs(middle) + radius)"
            " | 2 -> 3",
            "digits = (slope * size(form) >> GRAIN) + 1 + self.digits + 2 * half + middle | 1 -> 2",
            "digits = (slope * size(form) >> GRAIN) + 1 + self.digits + 2 * half + middle | 1 -> 0",
            "return constant, ((number - constant >> LANE) + HALF & LAST) - HALF"
            " | number - constant -> number + constant",
            "half = shifted(max(-low, high), -self.plan.grain[n] - 1) + 1 | 1 -> 2",
            "middle, radius = self.interval(n, 0, most) | 0 -> -1",
            "return form_of(number + self.new(half), form.loss & LAST, radius, size(form) + middle + half)"
            " | size(form) + middle + half -> size(form) + middle - half",
            "return form_of(number + self.new(half), form.loss & LAST, radius, size(form) + middle + half)"
            " | size(form) + middle -> size(form) - middle",
            "positive = moved & (signs << LANE - 1) - signs | 1 -> 2",
            "positive = moved & (signs << LANE - 1) - signs | 1 -> 0",
        ),
        "a symbol may be turned round": (
            "return form_of((middle << LANE) + middle + self.new(radius), 0, radius, 2 * abs(middle) + radius)"
            " | (middle << LANE) + middle + self.new(radius) -> (middle << LANE) + middle - self.new(radius)",
        ),
        "the test of a relu is its branch, too": (
            "self.grain.append(self.grain[scaled.select[n][0]]) | 0 -> 1",
            "if self.ranges.outcome(self.scaled.select[first][0]) is not None: | 0 -> 1",
        ),
    },
    "descent": {
        "the test of a relu is its branch, too": (
            "test = found[scaled.select[n][0]] | 0 -> 1",
            "form = found[scaled.select[n][0]] | 0 -> 1",
            "todo += [j for j, _ in found[scaled.select[n][0]][0]] | 0 -> 1 (2)",
        ),
        "what is 0 times a difference says nothing of it": (
            "for bound, below in ((ranges.low[n], times > 0), (ranges.high[n], times < 0)): | times > 0 -> times >= 0",
            "for bound, below in ((ranges.low[n], times > 0), (ranges.high[n], times < 0)): | times < 0 -> times <= 0",
        ),
    },
    "refute": {
        "the weight of a choice is a multiple of 2^24, and not 0": (
            "side = 1 if weight[n] > 0 else -1 | weight[n] > 0 -> weight[n] >= 0",
            "side = 1 if weight[n] > 0 else -1 | 0 -> 1",
            "side = 1 if weight[n] > 0 else -1 | 0 -> -1",
        ),
        "one more in the last place": ("along, constant, slope = 0, 0, rest | 0 -> 1 (2)",),
        "any cap will do": (
            "MOST_OPEN = 10_000 | 10000 -> 10001",
            "MOST_OPEN = 10_000 | 10000 -> 9999",
            "if len(open_) >= MOST_OPEN: | len(open_) >= MOST_OPEN -> len(open_) > MOST_OPEN",
        ),
        "no step comes here": ("assert_never(step) | assert_never(step) -> pass",),
        "to settle more is right as well, and the nodes before a settled one are settled": (
            'seen = [row.place if row.kind in ("low", "high") else scaled.gaps[row.place][1] for row in end.rows]'
            " | 1 -> 0",
            "close(scaled, ranges, end, node + 1) | 1 -> 0",
        ),
        "a level too high only makes the numbers longer, and one less is spare": (
            "depth = GRAIN * (1 + scaled.depth) | 1 -> 2",
            "depth = GRAIN * (1 + scaled.depth) | 1 -> 0",
        ),
        "weights and sums are 0 or at least 2^24": (
            "bound = ranges.high[n] if weight > 0 else ranges.low[n] | weight > 0 -> weight >= 0",
            "bound = ranges.high[n] if weight > 0 else ranges.low[n] | 0 -> 1",
            "bound = ranges.high[n] if weight > 0 else ranges.low[n] | 0 -> -1",
            "if constant > 0 or (constant == 0 and not strict): | 0 -> 1",
            "elif k > 0: | k > 0 -> k >= 0",
            "elif k > 0: | 0 -> 1",
            "elif k > 0: | 0 -> -1",
            "side = 1 if weight[second] > 0 else -1 | weight[second] > 0 -> weight[second] >= 0",
            "side = 1 if weight[second] > 0 else -1 | 0 -> 1",
            "side = 1 if weight[second] > 0 else -1 | 0 -> -1",
            "if common <= 0 or (low is None and high is None): | 0 -> 1",
            "if common <= 0 or (low is None and high is None): | 0 -> -1",
            "if common <= 0 or (low is None and high is None): | common <= 0 -> common < 0",
            "k, end = weight[second], high if side > 0 else low | side > 0 -> side >= 0",
            "k, end = weight[second], high if side > 0 else low | 0 -> -1",
        ),
        "the test of a relu is its branch, too": (
            "test, other = scaled.select[second][0], scaled.select[first][0] | 0 -> 1",
            "test, other = scaled.select[second][0], scaled.select[first][0] | 0 -> 1 (2)",
        ),
        "a side is 1 or -1": (
            "bound = ranges.low[row.place] if side > 0 else ranges.high[row.place] | side > 0 -> side >= 0",
            "bound = ranges.low[row.place] if side > 0 else ranges.high[row.place] | 0 -> -1",
            "slope, shift = chord(low, high) if side > 0 else chord(_minus(high), _minus(low)) | side > 0 -> side >= 0",
            "slope, shift = chord(low, high) if side > 0 else chord(_minus(high), _minus(low)) | 0 -> -1",
            "slope, shift = chord(low, high) if side > 0 else chord(_minus(high), _minus(low))"
            " | side > 0 -> side >= 0 (2)",
            "slope, shift = chord(low, high) if side > 0 else chord(_minus(high), _minus(low)) | 0 -> -1 (2)",
            "strict = strict or (side < 0 and ranges.strict[row.place]) | side < 0 -> side <= 0",
            "strict = strict or (side < 0 and ranges.strict[row.place]) | 0 -> 1",
        ),
    },
}
"""module -> why a change cannot matter -> the changes."""


def test_the_laws_hold() -> None:
    for law in LAWS:
        law(kernel())


@pytest.mark.parametrize("module", EQUIVALENT)
def test_changes_of_the_arithmetic_are_noticed(module: str) -> None:
    """A quarter of them; `python -m tests.kernel.test_mutants` tries all."""
    assert wrong(module, 4) == []


def wrong(module: str, stride: int = 1) -> list[str]:
    """Changes that nothing notices, and those that are listed as equivalent and are not, or are none of the source. Of
    a sample the latter meet the cases alone, since all laws take as long as ten other changes."""
    found = dict(mutants(SOURCES[module]))
    known = {name for names in EQUIVALENT[module].values() for name in names}
    wrong = [*(known - found.keys())]
    for name in list(found)[::stride]:
        listed = name in known
        if noticed(module, found[name](), briefly=listed and stride > 1) == listed:
            wrong.append(name)
    return wrong


if __name__ == "__main__":
    import sys

    alive = [f"{module}: {name}" for module in EQUIVALENT for name in wrong(module)]
    print("\n".join(alive) or "Every change is noticed, or known to be equivalent.")
    sys.exit(bool(alive))
