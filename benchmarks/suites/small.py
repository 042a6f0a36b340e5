"""Small questions, most of which z3 alone answers in a tenth of a second: where what a tool does besides costs most.

Random networks of two or three inputs and two to six ReLUs, with weights that are quarters, over real, whole and yes/no
coordinates: one point or two, written into the file or as ONNX. Some claims hold since neurons cancel, some by their
bounds, some by a hair; some fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import pairwise

import numpy as np

from benchmarks.claim import Claim, Layer, Net, Side, row
from benchmarks.contest import Instance
from benchmarks.suites import Options
from benchmarks.suites.twins import onnx_file
from verifier.model.violation import All, Compare, Formula, Some

EACH = 13
"""Instances of each kind."""
ZERO, ONE = Fraction(0), Fraction(1)
Generator = np.random.Generator


def instances(options: Options) -> Iterator[Instance]:
    for kind, make in KINDS.items():
        for seed in range(EACH):
            yield make(f"{kind} {seed}", np.random.default_rng([seed, len(kind), ord(kind[0])]))


# Networks and their words ---------------------------------------------------------------------------------------------


def numbers(generator: Generator, count: int, most: int = 8) -> tuple[Fraction, ...]:
    """Quarters."""
    return tuple(Fraction(v, 4) for v in generator.integers(-most, most + 1, count).tolist())


def random_net(generator: Generator, inputs: int, outputs: int) -> Net:
    """One hidden layer or two, of two to six ReLUs in all."""
    relus = int(generator.integers(2, 7))
    first = relus if relus < 4 or generator.random() < 0.5 else relus // 2
    widths = [inputs, first, *([relus - first] if relus > first else []), outputs]
    return Net(tuple(random_layer(generator, wide, out) for wide, out in pairwise(widths)))


def random_layer(generator: Generator, wide: int, out: int) -> Layer:
    return Layer(tuple(numbers(generator, wide) for _ in range(out)), numbers(generator, out, 4))


def deaf(net: Net, generator: Generator) -> Net:
    """The network without its last input, but for two neurons that see it and cancel."""
    first, second, *others = net.layers
    rows = tuple((*r[:-1], ZERO) for r in first.weights)
    seeing = (*numbers(generator, net.inputs)[:-1], ONE)
    weights = numbers(generator, len(second.bias))
    hidden = Layer((*rows, seeing, seeing), (*first.bias, ONE, ONE))
    after = Layer(tuple((*r, w, -w) for r, w in zip(second.weights, weights, strict=True)), second.bias)
    return Net((hidden, after, *others))


def split(net: Net, generator: Generator) -> Net:
    """The same function: a neuron of the first layer twice, each with a part of its weights."""
    first, second, *others = net.layers
    share = Fraction(int(generator.integers(1, 4)), 4)
    hidden = Layer((*first.weights, first.weights[0]), (*first.bias, first.bias[0]))
    after = Layer(tuple((r[0] * share, *r[1:], r[0] * (1 - share)) for r in second.weights), second.bias)
    return Net((hidden, after, *others))


def beside(left: Net, right: Net) -> Net:
    """Both networks of the same input, their outputs one after the other. They have as many layers."""
    layers = []
    for k, (a, b) in enumerate(zip(left.layers, right.layers, strict=True)):
        before, after = (ZERO,) * len(a.weights[0]), (ZERO,) * len(b.weights[0])
        rows = (
            (*a.weights, *b.weights) if k == 0 else (*(r + after for r in a.weights), *(before + r for r in b.weights))
        )
        layers.append(Layer(tuple(rows), (*a.bias, *b.bias)))
    return Net(tuple(layers))


def vector(entries: tuple[Fraction, ...]) -> str:
    return f"[{', '.join(map(str, entries))}]"


def written(net: Net, of: str) -> str:
    """The outputs in the verifier's language."""
    text = of
    for k, layer in enumerate(net.layers):
        matrix = ", ".join(map(vector, layer.weights))
        text = f"[{matrix}] * {text if k == 0 else f'relu({text})'} + {vector(layer.bias)}"
    return text


def sides(generator: Generator, inputs: int) -> tuple[Side, ...]:
    """Real coordinates; in a third of the cases the last ones are whole or yes/no."""
    real = Side(-ONE, ONE)
    found = [real] * inputs
    if generator.random() < 1 / 3:
        found[-1] = Side(ZERO, ONE, True)
        found[-2] = Side(Fraction(-2), Fraction(3), True) if generator.random() < 0.5 else real
    return tuple(found)


def domain(box: tuple[Side, ...]) -> str:
    sorts = (f"x{i}: {'int' if s.integer else 'real'} in [{s.low}, {s.high}]" for i, s in enumerate(box))
    return f"domain X {{ {', '.join(sorts)} }}\nlabels {{ a, b }}\n"


def names(count: int) -> str:
    return f"[{', '.join(f'x{i}' for i in range(count))}]"


Files = dict[str, str | bytes]


def model(net: Net, generator: Generator, name: str = "f1", share: float = 0.4) -> tuple[str, Files]:
    """The model that decides by the larger of two outputs: a `share` of them as a file, the others written out."""
    if generator.random() < share:
        return f'model {name} = onnx("{name}.onnx")\n', {f"{name}.onnx": onnx_file(net)}
    text = f"features s = {written(net, names(net.inputs))}  decide argmax(s)"
    return f"model {name} {{ {text} }}\n", {}


def linked(box: tuple[Side, ...], links: dict[int, Fraction]) -> tuple[Side, ...]:
    return tuple(Side(s.low, s.high, s.integer, links.get(i)) for i, s in enumerate(box))


def first(start: int, margin: Fraction = ZERO) -> Compare:
    """Output `start` is no smaller than the one after it: label a."""
    return row({start: 1, start + 1: -1}, -margin)


def second(start: int, margin: Fraction = ZERO) -> Compare:
    """Label b."""
    return row({start: -1, start + 1: 1}, -margin, strict=not margin)


def flips(start: int) -> Formula:
    """One label at x, the other at x'."""
    return Some((All((first(start), second(start + 2))), All((second(start), first(start + 2)))))


def made(name: str, claim: Claim, parts: tuple[str, ...], files: Files) -> Instance:
    return Instance(name, (claim,), {"q.vf": "".join(parts), **files}, ("check", "q.vf"))


# Kinds ----------------------------------------------------------------------------------------------------------------


def near(name: str, generator: Generator) -> Instance:
    """Two near points with opposite classes, both with a margin."""
    inputs = int(generator.integers(2, 4))
    net, box = random_net(generator, inputs, 2), sides(generator, inputs)
    radius = Fraction(int(generator.choice([1, 2, 5])), 20)
    margin = radius * Fraction(int(generator.integers(1, 12)))
    text, files = model(net, generator)
    claim = Claim(
        net,
        linked(box, dict.fromkeys(range(inputs), radius)),
        All((first(2 * inputs, margin), second(2 * inputs + 2, margin))),
    )
    oracle = "oracle f2 { features all  metric linf }\n"
    said = f"assert C: strongly_robust(f1, f2, radius: {radius}, closed: true, where_both: margin(f1) >= {margin})\n"
    return made(name, claim, (domain(box), text, oracle, said), files)


def around(name: str, generator: Generator) -> Instance:
    """A point near a given one with another class."""
    inputs = int(generator.integers(2, 4))
    net, box = random_net(generator, inputs, 2), sides(generator, inputs)
    radius = Fraction(int(generator.integers(1, 11)), 10)
    at = tuple(Fraction(int(generator.integers(int(s.low), int(s.high) + 1))) for s in box)
    here = net.at(at)
    ball = tuple(Side(max(s.low, p - radius), min(s.high, p + radius), s.integer) for s, p in zip(box, at, strict=True))
    text, files = model(net, generator)
    claim = Claim(net, ball, first(inputs) if here[0] < here[1] else second(inputs), copies=1)
    point = f"point p = {{ {', '.join(f'x{i}: {v}' for i, v in enumerate(at))} }}\n"
    oracle = "oracle f2 { features all  metric linf }\n"
    said = f"assert C: robust_at(f1, f2, p, radius: {radius}, closed: true)\n"
    return made(name, claim, (domain(box), text, oracle, point, said), files)


def blind(name: str, generator: Generator, contained: bool) -> Instance:
    """The oracle does not see the last coordinate: is there a pair that only the model's features (or its classes) tell
    apart? Half of the networks are deaf to it."""
    inputs = int(generator.integers(2, 4))
    net, box = random_net(generator, inputs, 2), sides(generator, inputs)
    if generator.random() < 0.5:
        net = deaf(net, generator)
    text, files = model(net, generator, share=0.0 if contained else 0.4)  # the features of a file are its last ReLUs
    differ = Some(tuple(row({2 * inputs + k: s, 2 * inputs + k + 2: -s}, strict=True) for k in (0, 1) for s in (1, -1)))
    formula = differ if contained else flips(2 * inputs)
    claim = Claim(net, linked(box, dict.fromkeys(range(inputs - 1), ZERO)), formula)
    oracle = f"oracle f2 {{ features all except x{inputs - 1}  metric linf }}\n"
    said = f"assert C: {'contained' if contained else 'factors'}(f1, f2)\n"
    return made(name, claim, (domain(box), text, oracle, said), files)


def exported(name: str, generator: Generator) -> Instance:
    """Can an output be as large as the largest of a few thousand points, give or take a little?"""
    inputs = int(generator.integers(2, 4))
    net, box = random_net(generator, inputs, 1), (Side(-ONE, ONE),) * inputs
    points = [tuple(Fraction(v, 4) for v in p) for p in generator.integers(-4, 5, (200, inputs)).tolist()]
    bound = max(net.at(p)[0] for p in points) + Fraction(int(generator.integers(-2, 5)), 8)
    claim = Claim(net, box, row({inputs: 1}, -bound), copies=1)
    lines = [f"(declare-const X_{i} Real)\n(assert (and (>= X_{i} -1) (<= X_{i} 1)))\n" for i in range(inputs)]
    lines.append(f"(declare-const Y_0 Real)\n(assert (>= Y_0 {float(bound)}))\n")
    files: Files = {"net.onnx": onnx_file(net), "q.vnnlib": "".join(lines)}
    return Instance(name, (claim,), files, ("vnnlib", "net.onnx", "q.vnnlib"))


def switched(name: str, generator: Generator) -> Instance:
    """A yes/no coordinate chooses which output decides: does it decide?"""
    inputs = int(generator.integers(2, 4))
    net = random_net(generator, inputs + 1, 2)
    if generator.random() < 0.5:  # both outputs are the same function of what the oracle sees
        net = deaf(net, generator)
        *before, last = net.layers
        net = Net((*before, Layer((last.weights[0],) * 2, (last.bias[0],) * 2)))
    box = (*((Side(-ONE, ONE),) * inputs), Side(ZERO, ONE, True))
    links = dict.fromkeys(range(inputs), ZERO)
    start, width = 2 * (inputs + 1), inputs + 1

    def high(copy: int) -> Formula:
        of, switch = start + 2 * copy, copy * width + inputs
        return Some((All((row({switch: 1}, -1), row({of: 1}))), All((row({switch: -1}), row({of + 1: 1})))))

    def low(copy: int) -> Formula:
        of, switch = start + 2 * copy, copy * width + inputs
        off = row({of: -1}, strict=True), row({of + 1: -1}, strict=True)
        return Some((All((row({switch: 1}, -1), off[0])), All((row({switch: -1}), off[1]))))

    claim = Claim(net, linked(box, links), Some((All((high(0), low(1))), All((low(0), high(1))))))
    text = (
        f"def net(v) = {written(net, 'v')}\n"
        f"model f1 {{ features s = if x{inputs} == 1 then net({names(width)})[0] else net({names(width)})[1]"
        "  decide if s >= 0 then a else b }\n"
    )
    oracle = f"oracle f2 {{ features all except x{inputs}  metric linf }}\n"
    return made(name, claim, (domain(box), text, oracle, "assert C: factors(f1, f2)\n"), {})


def rewritten(name: str, generator: Generator) -> Instance:
    """Do two networks decide alike? In the second a neuron is written as two; in half of them a number is changed."""
    inputs = int(generator.integers(2, 4))
    net, box = random_net(generator, inputs, 2), sides(generator, inputs)
    other = split(net, generator)
    if generator.random() < 0.5:
        *before, last = other.layers
        other = Net((*before, Layer(last.weights, (last.bias[0] + Fraction(1, 4), *last.bias[1:]))))
    both, of = beside(net, other), inputs
    claim = Claim(both, box, Some((All((first(of), second(of + 2))), All((second(of), first(of + 2))))), copies=1)
    texts, files = zip(*(model(n, generator, f) for n, f in ((net, "f1"), (other, "f2"))), strict=True)
    return made(name, claim, (domain(box), *texts, "assert C: f1 == f2\n"), files[0] | files[1])


def nearest(name: str, generator: Generator) -> Instance:
    """The least distance of two points with opposite classes, both with a margin."""
    inputs = int(generator.integers(2, 4))
    net, box = random_net(generator, inputs, 2), (Side(-ONE, ONE),) * inputs
    margin = Fraction(int(generator.integers(1, 5)), 4)
    text, files = model(net, generator)
    of = 2 * inputs
    claim = Claim(net, box, All((first(of, margin), second(of + 2, margin))), least=True)
    oracle = "oracle f2 { features all  metric linf }\n"
    said = f"compute C: critical_radius(f1, f2, where_both: margin(f1) >= {margin})\n"
    return made(name, claim, (domain(box), text, oracle, said), files)


KINDS: dict[str, Callable[[str, Generator], Instance]] = {
    "near": near,
    "around": around,
    "contained": partial(blind, contained=True),
    "factors": partial(blind, contained=False),
    "exported": exported,
    "switched": switched,
    "rewritten": rewritten,
    "least": nearest,
}
