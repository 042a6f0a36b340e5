"""Properties and measures are definitions in the language: each reads, means what it says, and hides no name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from string import Formatter

import pytest

from verifier.language import measures, properties
from verifier.language.measures import MEASURES
from verifier.language.properties import PROPERTIES
from verifier.language.properties import property as pattern
from verifier.language.properties.property import Measure, Property
from verifier.model.assertion import template
from verifier.model.elaborate import BUILTINS, names_in

WORDS: dict[str, Property | Measure] = {**PROPERTIES, **MEASURES}


def choices(word: Property | Measure) -> Iterator[Mapping[str, str]]:
    """Every way to give its options."""
    values = {"number": ("", None), "formula": ("", None), "flag": ("true", "false", None)}
    ways = [[(k, v) for v in values.get(kind, ("decision", None))] for k, kind in word.options.items()]
    for given in product(*ways):
        chosen = {k: v for k, v in given if v is not None}
        if set(word.required) <= set(chosen):
            yield chosen


def texts(shape: object) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The points and the definitions of a pattern."""
    match shape:
        case pattern.Always(points, given, then):
            yield points, (*given, then)
        case pattern.Contained(coarse, fine):
            yield ("x", "x'"), (coarse, fine)
        case pattern.Infimum(points, of, given):
            yield points, (of, *given)
        case pattern.Every(parts):
            for _, part in parts:
                yield from texts(part)
        case pattern.Opposite(part):
            yield from texts(part)


@pytest.mark.parametrize("name", WORDS)
def test_a_word_is_registered_under_its_own_name(name: str) -> None:
    word = WORDS[name]
    assert word.name == name
    assert set(word.required) <= set(word.options)
    if isinstance(word, pattern.Measure):
        assert word.words and "." not in word.words


@pytest.mark.parametrize("name", PROPERTIES)
def test_the_words_of_a_property_speak_of_what_was_given(name: str) -> None:
    """Whatever options are given: arguments and these, nothing else, and no full stop of their own."""
    word = PROPERTIES[name]
    for given in choices(word):
        words = word.words({k: v or "1" for k, v in given.items()})
        used = {field for _, field, _, _ in Formatter().parse(words) if field is not None}
        assert set(word.parameters) <= used <= {*word.parameters, *given}
        assert "." not in words


def test_no_word_is_two_things() -> None:
    later = {*properties.LATER, *measures.LATER}
    assert set(PROPERTIES).isdisjoint(MEASURES)
    assert later.isdisjoint(WORDS)
    assert BUILTINS.isdisjoint({*WORDS, *later})


@pytest.mark.parametrize("name", WORDS)
def test_every_definition_is_an_expression_over_its_points_and_arguments(name: str) -> None:
    word = WORDS[name]
    assert word.parameters
    for given in choices(word):
        if word.pattern is None:
            continue
        for points, definitions in texts(word.pattern(given)):
            for text in definitions:
                used = names_in(template(text))
                allowed = {*points, *word.parameters, *(k for k in given if k in word.options)}
                allowed |= {f"{k}_at" for k in given} | {"distance"}
                assert used <= allowed, (text, used - allowed)


@pytest.mark.parametrize("name", WORDS)
def test_every_argument_occurs_in_the_definition(name: str) -> None:
    word = WORDS[name]
    given = {k: "" for k, kind in word.options.items() if kind in ("number", "formula")}
    if word.pattern is None:
        return
    shapes = list(texts(word.pattern(given)))
    used = {n for _, definitions in shapes for text in definitions for n in names_in(template(text))}
    at = {"p"} if name == "contained_at" else set()  # says where x is
    if shapes:
        assert set(word.parameters) - at <= used


@pytest.mark.parametrize("closed", ["true", "false", None])
def test_a_ball_is_closed_only_when_it_is_said(closed: str | None) -> None:
    given = {"radius": ""} | ({"closed": closed} if closed else {})
    for name in ("strongly_robust", "robust_at"):
        shape = PROPERTIES[name].pattern(given)
        assert isinstance(shape, pattern.Always)
        assert ("<= radius" in shape.given[0]) == (closed == "true")


def test_where_binds_the_first_point_and_where_both_binds_both() -> None:
    for name in ("strongly_robust", "factors", "critical_radius"):
        of = WORDS[name].pattern
        assert of is not None
        shape = of({"radius": "", "where": "", "where_both": ""})
        assert isinstance(shape, pattern.Always | pattern.Infimum)
        assert [g for g in shape.given if "where" in g] == ["where_at(x)", "where_both_at(x)", "where_both_at(x')"]
