"""Certificates as files: `verifier check --certificate` writes them, and the kernel checks them again for `replay`."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from verifier.api import Loaded, Options, load
from verifier.engines.engine import Certificate, Holds, Unknown
from verifier.engines.worker import Worker
from verifier.kernel.problem import Problem, Rejected
from verifier.kernel.proof import check
from verifier.kernel.wire import (
    BROKEN,
    LONGEST_TEXT,
    claimed,
    digest,
    opened,
    read_problem,
    read_proof,
    write_problem,
    write_proof,
)
from verifier.report.terminal import diagnostic_text
from verifier.report.text import counted, printable
from verifier.surfaces.exits import CONTRADICTED, INTERNAL, PLEASE, UNDECIDED, USAGE, overall
from verifier.surfaces.terminal import Screen
from verifier.syntax import tree
from verifier.verdict.verdict import Checked, FileResult, Refuted, Undecided

PROBLEM, PROOF = ".problem.json", ".proof.json.gz"
NONE = "no certificate of this question"
SEARCHED = "a strategy is not found again; without FILE its certificates are checked"


# writing


def save(result: FileResult, folder: str) -> Iterator[str]:
    """Write NAME.problem.json and NAME.proof.json.gz (NAME.1, NAME.2 ... where a verdict rests on several) for every
    assertion that has certificates; what there is to say about it."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for assertion in result.assertions:
            for name, certificate in _named(assertion):
                try:
                    _write(Path(folder, name), certificate)
                except ValueError as error:
                    yield f"{assertion.name}: no certificate is written, {error}."
    except OSError as error:
        raise click.UsageError(f"Cannot write `{error.filename or folder}`: {error.strerror}.") from None


def _named(assertion: Checked) -> list[tuple[str, Certificate]]:
    """Each question once."""
    verdict, pieces = assertion.verdict, assertion.pieces
    own = () if isinstance(verdict, Undecided) else verdict.certificates
    found = list({c.problem: c for c in (*own, *(pieces.certificates if pieces is not None else ()))}.values())
    if len(found) == 1:
        return [(assertion.name, found[0])]
    return [(f"{assertion.name}.{k}", c) for k, c in enumerate(found, 1)]


def _write(stem: Path, certificate: Certificate) -> None:
    """The same certificate gives the same bytes."""
    problem, proof = f"{stem}{PROBLEM}", f"{stem}{PROOF}"
    Path(problem).write_text(write_problem(certificate.problem), encoding="utf-8", newline="\n")
    with (
        open(proof, "wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        TextIOWrapper(packed, encoding="utf-8", newline="\n") as text,
    ):
        text.writelines(write_proof(certificate.problem, certificate.proof))


# checking again


class Shelf(Worker):
    """Takes the place of the solver: it answers a question only by a certificate of just this question."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.paths: dict[str, Path] = {}
        self.accepted = 0
        self.rejected: list[str] = []
        for path in sorted(p for p in folder.iterdir() if ".proof.json" in p.name):
            try:
                with opened(path) as file:
                    self.paths.setdefault(str(claimed(file)), path)
            except (Rejected, *BROKEN) as why:
                self.rejected.append(f"{printable(path.name)}: {why}")

    def warm(self) -> None:
        """There is no process."""

    def ask(self, task: str, *arguments: Any, seconds: float) -> Any:
        if task not in ("find", "find_square", "case_search", "case_proof", "glance"):
            return Unknown(SEARCHED if task == "play" else NONE)
        return self.look(arguments[0].empty)

    def look(self, problem: Problem) -> Holds | Unknown:
        path = self.paths.get(digest(problem))
        if path is None:
            return Unknown(NONE)
        try:
            with opened(path) as file:
                trusts = check(problem, read_proof(file, problem)).trusts
        except (Rejected, *BROKEN) as why:
            self.rejected.append(f"{printable(path.name)}: {why}")
            return Unknown(self.rejected[-1])
        self.accepted += 1
        return Holds("certificate", trusts)


def replay(paths: Sequence[str], settings: dict[str, str], only: frozenset[str], screen: Screen) -> int:
    """`replay FOLDER` or `replay FILE FOLDER`; the exit code."""
    folder = Path(paths[-1])
    if not folder.is_dir():
        raise click.UsageError(f"`{folder}` is no folder of certificates. Write one: verifier check --certificate.")
    if len(paths) == 1:
        return _folder(folder, screen)
    shelf = Shelf(folder)
    loaded = load(paths[0], Options(settings), shelf)
    for diagnostic in loaded.diagnostics:
        screen.say(diagnostic_text(diagnostic, loaded.lines, screen.paint_err))
    if any(d.severity == "error" for d in loaded.diagnostics):
        return USAGE
    return _file(loaded, shelf, only, screen)


def _folder(folder: Path, screen: Screen) -> int:
    """Every pair of a problem and its proof, whatever file they are about."""
    codes = []
    problems = sorted(p for p in folder.iterdir() if p.name.endswith(PROBLEM))
    if not problems:
        raise click.UsageError(f"There is no certificate (NAME{PROBLEM}) in the folder `{folder}`.")
    for path in problems:
        name = path.name.removesuffix(PROBLEM)
        try:
            with opened(path) as file:
                problem = read_problem(file.read(LONGEST_TEXT + 1))
            proof = folder / (name + PROOF)
            with opened(proof if proof.exists() else proof.with_suffix("")) as file:
                trusts = check(problem, read_proof(file, problem)).trusts
        except Rejected as why:
            codes.append(CONTRADICTED)
            screen.result(f"{printable(name)}: rejected, {why}\n")
        except BROKEN as why:
            codes.append(USAGE)
            screen.result(f"{printable(name)}: unreadable, {why}\n")
        else:
            screen.result(f"{printable(name)}: accepted{_trusting(trusts)}\n")
    return overall(codes)


def _file(loaded: Loaded, shelf: Shelf, only: frozenset[str], screen: Screen) -> int:
    """Every assertion of a file: its questions are posed anew, and answered by nothing but certificates."""
    names = frozenset(d.name.id for d, _ in loaded.items if isinstance(d, tree.Assert))
    if not names:
        raise click.UsageError(f"There is no assertion in `{loaded.path}`.")
    if missing := sorted(only - names):
        raise click.UsageError(f"No assertion is called `{printable(missing[0])}`.")
    codes, start = [], 0

    def done(said: object) -> None:
        nonlocal start
        assert isinstance(said, Checked)
        text, code = _fate(said, shelf, shelf.accepted - start)
        screen.result(f"{printable(said.name)}: {text}\n")
        codes.append(code)
        start = shelf.accepted

    result = loaded.check(Options(only=only or names, timeout=float("inf")), done)
    for rejected in shelf.rejected:
        screen.say(rejected)
    for error in result.internal_errors:
        screen.say(f"{printable(result.path)}: internal error: {printable(error)} {PLEASE}")
    return overall(
        [*codes, *([CONTRADICTED] if shelf.rejected else []), *([INTERNAL] if result.internal_errors else [])]
    )


def _fate(said: Checked, shelf: Shelf, used: int) -> tuple[str, int]:
    verdict = said.verdict
    if isinstance(verdict, Undecided):
        if said.expected == "refuted" and verdict.why.endswith((NONE, SEARCHED)):
            return "not replayed: a refutation has a witness, which `verifier check` evaluates", 0
        return f"not replayed: {verdict.why}", UNDECIDED
    if isinstance(verdict, Refuted) and verdict.pair is not None:
        return "refuted by exact evaluation", 0
    for certificate in verdict.certificates:  # found again without the shelf (Theorem 2)
        if isinstance(answer := shelf.look(certificate.problem), Unknown):
            return f"not replayed: {answer.why}", UNDECIDED
        used += 1
    word = f"{said.word} by {counted(used, 'certificate')}" if used else f"{said.word} by {verdict.by}"
    return word + _trusting(verdict.trusts), 0


def _trusting(trusts: Sequence[str]) -> str:
    return f", trusting {', '.join(trusts)}" if trusts else ""
