"""The canonical form of a program's classifiers, for `verifier show --canonical`."""

from __future__ import annotations

from collections.abc import Iterator

from verifier.canonical import show
from verifier.language.build import Form
from verifier.model.meaning import numbers
from verifier.model.network import Dense, Relu, Step
from verifier.model.program import Classifier, Program
from verifier.model.symbolic import entries
from verifier.query.pose import Poser


def canonical(program: Program, latex: bool = False) -> str:
    """One block a classifier: its feature map g as an exact piecewise-linear normal form, and when it gives which
    label."""
    poser = Poser(program)
    blocks = []
    for classifier in program.classifiers.values():
        names = {form.terms[0][0]: name for form, name in zip(poser.inputs("x"), coordinates(program), strict=True)}
        maps = features(poser, classifier)
        shown = (show.latex if latex else show.text)(poser.build, maps, names, labels(poser, classifier))
        comment = "%" if latex else "#"
        blocks.append(f"{comment} {classifier.kind} {classifier.name}\n{shown}")
    return "\n".join(blocks)


def labels(poser: Poser, classifier: Classifier) -> list[tuple[str, Form]]:
    """The formula of each label; none for a constant classifier."""
    label = poser.symbolic.label(classifier, poser.point("x"))
    return [] if label.members == ("",) else list(zip(label.members, label.cases, strict=True))


def coordinates(program: Program) -> list[str]:
    """A name for each input, as the file calls it."""
    assert program.domain is not None
    return [
        c.name if c.size is None else f"{c.name}[{i}]" for c in program.domain.coordinates for i in range(c.size or 1)
    ]


def features(poser: Poser, classifier: Classifier) -> list[tuple[str, Form]]:
    """The entries of g by name, after the neurons of a network; a nominal feature by its code."""
    values = poser.symbolic.features(classifier, poser.point("x"))
    forms = [n for value in values.values() for n in numbers(value)]
    return [*neurons(poser, classifier), *zip(entries(classifier.features), forms, strict=True)]


def neurons(poser: Poser, classifier: Classifier) -> Iterator[tuple[str, Form]]:
    """`hidden1[0]`, `hidden1[1]`, ...: of a network of layers one after the other all but those that are g."""
    network = classifier.network
    if network is None or not all(layered(step, k) for k, step in enumerate(network.steps)):
        return
    values = poser.symbolic.network(classifier, poser.point("x"))
    for layer, value in enumerate(range(2, len(values), 2), start=1):
        if value != classifier.cut:
            yield from ((f"hidden{layer}[{i}]", form) for i, form in enumerate(values[value]))


def layered(step: Step, k: int) -> bool:
    """Step k of Dense, Relu, Dense, Relu, ..., each of the value before it."""
    match step:
        case Dense(sources):
            return k % 2 == 0 and sources == (k,)
        case Relu(source):
            return k % 2 == 1 and source == k
        case _:
            return False
