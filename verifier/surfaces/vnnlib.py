"""`verifier vnnlib`: a network and a property in the exchange format of the field, answered in our words or theirs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Literal, assert_never

import click

from verifier.engines.portfolio import Portfolio
from verifier.engines.worker import Worker
from verifier.importers import ImportFailed, read_onnx
from verifier.importers.vnnlib_file import read
from verifier.language.build import TooLarge
from verifier.model.network import Network
from verifier.model.violation import Violation, holds
from verifier.report.terminal import columns, diagnostic_text, headline, remark, sentences
from verifier.report.text import ABOUT, cells, decimal, exact
from verifier.source import Diagnostic
from verifier.source.text import NOWHERE
from verifier.surfaces.certificates import save
from verifier.surfaces.exits import PLEASE, described
from verifier.surfaces.terminal import Screen
from verifier.verdict.decide import Outcome
from verifier.verdict.verdict import Checked, FileResult, Proved, Refuted, Undecided
from verifier.verdict.violation import decide

LONG = 60
"""An exact number of more characters is shown rounded."""
ROWS = 24
"""So many inputs are shown, and so many outputs."""
DIGITS = (17, 34, 60)
"""How many of them the inputs are written with for the competition; as few as keep the point a violation."""


def run(
    network: str,
    file: str,
    expected: Literal["proved", "refuted"],
    timeout: float,
    vnncomp: str,
    certificate: str,
    screen: Screen,
    *,
    as_json: bool,
    debug: bool,
) -> int:
    """Decide the property, print what comes out; the exit code."""
    note(vnncomp, "unknown")  # whatever happens, no earlier answer stays
    with screen.working(wanted=not as_json):
        screen.doing(file)
        asked, result = answer(network, file, expected, timeout, keeping=bool(certificate), debug=debug)
    note(vnncomp, "\n".join(in_their_words(result, asked)))
    for line in save(result, certificate) if certificate else ():
        screen.say(line)
    if as_json:
        from verifier.report.json_report import document

        screen.result(document([result], result.exit_code) + "\n")
        return result.exit_code
    for diagnostic in result.diagnostics:
        screen.say(diagnostic_text(diagnostic, result.lines, screen.paint_err))
    for checked in result.assertions:
        screen.result("".join(f"{line.rstrip()}\n" for line in block(checked, screen)))
    for error in result.internal_errors:
        screen.say(f"{file}: internal error: {error} {PLEASE}")
    return result.exit_code


Asked = tuple[Violation, Network]


def answer(
    network: str, file: str, expected: Literal["proved", "refuted"], timeout: float, *, keeping: bool, debug: bool
) -> tuple[Asked | None, FileResult]:
    """What is said about the property, errors included, and what was asked, unless an error prevents it."""
    started = time.monotonic()
    with Worker() as worker:
        worker.warm()
        net = outputs_as_written(Path(network))
        if isinstance(net, Diagnostic):
            return None, FileResult(file, (net,))
        reading = read(Path(file), net.inputs, net.width(len(net.steps)))
        lines = {file: tuple(reading.source.text.splitlines())}
        if reading.violation is None:
            return None, FileResult(file, reading.diagnostics, lines=lines)
        broken: tuple[str, ...] = ()
        try:
            outcome = decide(reading.violation, net, Portfolio(worker, keeping=keeping), timeout)
        except TooLarge:
            large = Diagnostic("V404", NOWHERE, f"{network} is too large once written out.", "Use a smaller model.")
            return None, FileResult(file, (large,))
        except Exception as error:  # an engine or a replay that fails is no verdict
            if debug:
                raise
            broken = (described(error),)
            outcome = Outcome(Undecided("internal error"))
    checked = Checked(
        Path(file).name.removesuffix(".gz").removesuffix(".vnnlib"),
        "vnnlib",
        f"{Path(network).name} has no violation",
        reading.source.span(0, 0),
        outcome.verdict,
        expected,
        time.monotonic() - started,
        outcome.vacuous,
        outcome.warnings,
    )
    return (reading.violation, net), FileResult(file, (), (checked,), internal_errors=broken, lines=lines)


def outputs_as_written(path: Path) -> Network | Diagnostic:
    """The network whose last value is the output of the file. A model that ends with a Softmax, say, has none: the
    importer reads it up to there, which changes no class, but it would change what is compared here."""
    try:
        network, dropped = read_onnx(path)
    except ImportFailed as failed:
        return Diagnostic("V504", NOWHERE, failed.message, failed.fix)
    except Exception as error:  # a file may be damaged in more ways than the importer can name
        why = f"{path.name} could not be understood ({described(error).removesuffix('.')})."
        return Diagnostic("V504", NOWHERE, why, "Export it again.")
    if dropped:
        why = f"{path.name} ends with {dropped}, so its outputs are not piecewise linear."
        return Diagnostic("V504", NOWHERE, why, "Export the network up to its scores (logits).")
    return network


# On the terminal -----------------------------------------------------------------------------------------------------


def block(checked: Checked, screen: Screen) -> Iterator[str]:
    """The line of the answer, and what explains it."""
    style = {True: "good", False: "bad", None: "open"}[checked.met]
    head = f"{checked.name} {checked.text}"
    yield from headline(head, checked.word, remark(checked), checked.seconds, cells(head) + 4, style, screen.paint)
    if checked.vacuous:
        yield from sentences(f"Vacuous: {checked.vacuous}")
    match checked.verdict:
        case Undecided(why):
            yield from sentences(f"Unknown: {why}")
        case Proved():
            pass
        case Refuted(pair=pair):
            assert pair is not None
            table: list[list[str]] = []
            for _, numbers in groupby(point(pair.x), key=lambda named: re.sub(r"(_\d+|\[.*)$", "", named[0])):
                rows = [[name, *both(value)] for name, value in numbers]
                table += rows[:ROWS]
                if len(rows) > ROWS:
                    table.append([f"and {len(rows) - ROWS} more", "", ""])
            yield from (f"   {line}" for line in columns(table, 3))
            if any(ABOUT in cell for row in table for cell in row):
                yield from sentences(f"{ABOUT} marks a rounded number; --json has the exact one.")
        case _:
            assert_never(checked.verdict)
    for warning in checked.warnings:
        yield from sentences(f"Warning: {warning}")


def point(values: Mapping[str, object]) -> list[tuple[str, Fraction]]:
    """Inputs and outputs of a witness."""
    return [(name, value) for name, value in values.items() if isinstance(value, Fraction)]


def both(value: Fraction) -> tuple[str, str]:
    """A number exactly, unless that is long, and as a decimal."""
    text = exact(value)
    near = decimal(value, 12)
    return (text if len(text) <= LONG else "", near if Fraction(near) == value else f"{ABOUT} {near}")


# In the words of VNN-COMP --------------------------------------------------------------------------------------------


def in_their_words(result: FileResult, asked: Asked | None) -> Iterator[str]:
    """`sat` and the point, `unsat`, `timeout`, `unknown` or `error`."""
    if asked is None or result.internal_errors:
        yield "error"
        return
    (checked,) = result.assertions
    match checked.verdict:
        case Undecided(why):
            yield "timeout" if why.startswith("out of time") else "unknown"
        case Proved():
            yield "unsat"
        case Refuted(pair=pair):
            assert pair is not None
            violation, network = asked
            inputs = [value for _, value in point(pair.x)][: violation.inputs]
            for digits in DIGITS:
                written = [decimal(value, digits) for value in inputs]
                rounded = tuple(map(Fraction, written))
                numbers = violation.numbers(network, rounded)
                if holds(violation.formula, numbers):
                    break
            texts = [*written, *(decimal(value, DIGITS[0]) for value in numbers[violation.inputs :])]
            yield "sat"
            yield "(" + "\n ".join(f"({violation.name(i)} {text})" for i, text in enumerate(texts)) + ")"
        case _:
            assert_never(checked.verdict)


def note(path: str, text: str) -> None:
    """Write the competition's file, where one is asked for."""
    if path:
        try:
            Path(path).write_text(f"{text}\n")
        except OSError as error:
            raise click.UsageError(f"Cannot write `{path}`: {error.strerror}.") from None
