"""A network at a symbolic point: its steps as forms and choices."""

from __future__ import annotations

from fractions import Fraction

from verifier.language.build import Build, Form
from verifier.model.network import Dense, Network, Relu, Tree


def unroll(build: Build, network: Network, point: tuple[Form, ...]) -> list[tuple[Form, ...]]:
    """Every value of a network at a symbolic point, in the order of Network.values."""
    values: list[tuple[Form, ...]] = [point]
    for step in network.steps:
        match step:
            case Dense(sources, divisor=divisor) as dense:
                rows, exponent = dense.exact
                forms = [form for source in sources for form in values[source]]
                found = build.dense(rows, 1 << exponent, forms)
                if divisor is not None:
                    found = [build.scale(1 / Fraction(d), f) for d, f in zip(divisor, found, strict=True)]
                values.append(tuple(found))
            case Relu(source):
                values.append(tuple(build.relu(form, scaled=False) for form in values[source]))
            case Tree():
                values.append(_grow(build, step, values[step.source]))
    return values


def _grow(build: Build, tree_: Tree, x: tuple[Form, ...]) -> tuple[Form, ...]:
    """The leaf of a decision tree as nested choices; nodes are numbered after their parents, so children are ready
    first."""
    done: dict[int, tuple[Form, ...]] = {}
    for n in reversed(range(len(tree_.left))):
        if tree_.left[n] < 0:
            done[n] = tuple(build.constant(Fraction(float(v))) for v in tree_.leaf[n])
            continue
        slack = build.combine([(Fraction(-1), x[tree_.feature[n]])], Fraction(float(tree_.threshold[n])))
        goes_left = build.at_least_zero(slack)
        left, right = done[int(tree_.left[n])], done[int(tree_.right[n])]
        done[n] = tuple(build.select(goes_left, a, b) for a, b in zip(left, right, strict=True))
    return done[0]
