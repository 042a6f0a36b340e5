"""The whole pipeline on one screen: text -> tree -> program -> claims -> questions -> answers -> verdicts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from verifier.engines.engine import Holds
from verifier.engines.portfolio import Portfolio
from verifier.engines.worker import Worker
from verifier.language.build import TooLarge
from verifier.model.assertion import claim_of, joined, measure_of, property_of
from verifier.model.claim import Claim, Computation, Infimum, Later, Measured
from verifier.model.data import Cells, Layout
from verifier.model.elaborate import elaborate
from verifier.model.meaning import NotYet
from verifier.model.network import Network
from verifier.model.program import Program
from verifier.model.replace import quantifiers
from verifier.model.uses import Gathered, gather, gather_text, inside
from verifier.query.pose import Poser
from verifier.query.static import check_claim
from verifier.source import Diagnostic, Rejected, Source, Span
from verifier.syntax import tree
from verifier.syntax.format import unparse
from verifier.syntax.parser import parse
from verifier.verdict.crew import Crew, Site, undivided
from verifier.verdict.decide import Decider, Outcome
from verifier.verdict.many import Progress
from verifier.verdict.verdict import Checked, Computed, FileResult, Measurement, Undecided


class Options(Struct, frozen=True):
    """`settings`: param name -> text of its value (`--set gap=3`); `only`: names of assertions and computes (empty:
    all);
    `timeout`: seconds for each assertion; `eps`: the oracle distance at which a limit witness is shown ("1/1000")."""

    settings: Mapping[str, str] = {}
    only: frozenset[str] = frozenset()
    timeout: float = 60.0
    eps: str = "1/1000"
    strict: bool = True
    """Setting a param that the file does not declare is an error; otherwise a warning (one `--set` for many files)."""
    certifying: bool = True
    """Look for certificates of what z3 proves; otherwise it is trusted."""
    cross_check: bool = False
    """Ask a second engine whatever one alone has answered, and the program that a model comes from about witnesses."""
    stats: bool = False
    """Say what the engines were asked (`Checked.asked`)."""
    keeping: bool = False
    """Keep the certificates of parts, which may be many (`Pieces.certificates`)."""


Item = tuple[tree.Assert, Claim] | tuple[tree.Compute, Measured]


class Loaded(Struct, frozen=True):
    """A file, read and elaborated. `diagnostics` says what is wrong with it; `names` lists its assertions and
    computes in order."""

    path: str
    program: Program
    diagnostics: tuple[Diagnostic, ...]
    items: tuple[Item, ...]
    sources: Mapping[str, Source]
    worker: Worker
    declarations: tuple[tree.Declaration, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(d.name.id for d, _ in self.items)

    @property
    def lines(self) -> Mapping[str, tuple[str, ...]]:
        return {path: tuple(s.text.splitlines()) for path, s in self.sources.items()}

    def decider(self, certifying: bool = False) -> Decider:
        """For what is asked besides the assertions; `certifying` as in `Options`."""
        return Decider(self.program, Portfolio(self.worker, certifying), Fraction(Options().eps))

    def check(
        self,
        options: Options = Options(),
        done: Callable[[Checked | Computed], None] = lambda result: None,
        site: Site | None = None,
        watch: Callable[[str, Progress], None] = lambda name, progress: None,
    ) -> FileResult:
        """Decide every assertion and compute; `done` sees each result as it comes, `watch` how far one about many rows
        or parts is. `site`: where a crew helps. With errors in the file, nothing runs.

        KeyboardInterrupt ends it with what there is (`interrupted`)."""
        results: list[Checked | Computed] = []
        broken: list[str] = []
        interrupted = False
        if not any(d.severity == "error" for d in self.diagnostics):
            try:
                for result in self._run(options, broken, site, watch):
                    results.append(result)
                    done(result)
            except KeyboardInterrupt:
                interrupted = True
            finally:
                self.worker.close()
        return FileResult(
            self.path,
            self.diagnostics,
            tuple(r for r in results if isinstance(r, Checked)),
            tuple(r for r in results if isinstance(r, Computed)),
            tuple(broken),
            interrupted,
            self.lines,
        )

    def _run(
        self, options: Options, broken: list[str], site: Site | None, watch: Callable[[str, Progress], None]
    ) -> Iterator[Checked | Computed]:
        portfolio = Portfolio(self.worker, options.certifying, options.cross_check, options.stats, options.keeping)
        decider = Decider(self.program, portfolio, Fraction(options.eps))
        self.worker.heard = decider.heard
        items = [item for item in self.items if not options.only or item[0].name.id in options.only]
        crew = Crew(site, self.program, decider.eps, portfolio) if site is not None else None
        away = [d.name.id for d, claim in items if undivided(claim)] if site is not None and site.eager else []
        if len(away) < 2:
            away = []
        answers = crew.whole(away, options.timeout) if crew is not None else iter(())
        for declaration, claim in items:
            name = declaration.name.id
            started = time.monotonic()
            portfolio.taken()
            portfolio.nodes, decider.progress, decider.watch = 0, Progress(), partial(watch, name)
            try:
                found: Outcome | Measurement
                if name in away:
                    did = next(answers)
                    portfolio.asked += did.asked
                    found, started = did.found(isinstance(declaration, tree.Compute)), time.monotonic() - did.seconds
                elif isinstance(declaration, tree.Compute):
                    assert isinstance(claim, Infimum | Computation | Later)
                    found = decider.compute(claim, options.timeout)
                else:
                    assert not isinstance(claim, Infimum | Computation)
                    decider.elsewhere = crew.about(name, claim) if crew is not None else None
                    found = decider.decide(claim, options.timeout)
                if isinstance(found, Outcome):
                    found = replace(found, warnings=(*found.warnings, *second_opinion(decider, found)))
            except Exception as error:  # whatever breaks, the other assertions are still decided
                broken.append(f"{name}: {type(error).__name__}: {error}")
                failed = f"internal error: {error}"
                number = isinstance(declaration, tree.Compute)
                found = Measurement(None, why=failed) if number else Outcome(Undecided(failed))
            seconds, asked = time.monotonic() - started, portfolio.taken() if options.stats else None
            if isinstance(declaration, tree.Compute):
                assert isinstance(found, Measurement)
                yield replace(computed(declaration, found, seconds), asked=asked)
            else:
                assert isinstance(found, Outcome)
                yield replace(checked(declaration, found, seconds), asked=asked)
            if decider.stopped:
                raise KeyboardInterrupt


def checked(d: tree.Assert, outcome: Outcome, seconds: float) -> Checked:
    return Checked(
        d.name.id,
        property_of(d.body),
        unparse(d.body),
        d.span,
        outcome.verdict,
        d.expect,
        seconds,
        outcome.vacuous,
        (*outcome.warnings, *doubts(d.body)),
        d.annotations,
        outcome.table,
        outcome.pieces,
        outcome.strategy,
    )


def doubts(body: tree.Expr) -> tuple[str, ...]:
    """What an assertion says, but was hardly meant to."""
    loose = [
        q for q in quantifiers(body) if q.kind == "exists" and isinstance(q.body, tree.Binary) and q.body.op == "=>"
    ]
    return tuple(
        f"`exists {names}: A => B` is true as soon as A is false for some {names}; `A and B` may be meant."
        for names in dict.fromkeys(", ".join(n.id for n in q.names) for q in loose)
    )


def computed(d: tree.Compute, value: Measurement, seconds: float) -> Computed:
    return Computed(d.name.id, unparse(d.body), d.span, seconds, value)


def second_opinion(decider: Decider, outcome: Outcome) -> tuple[str, ...]:
    """Where the library that a model comes from answers otherwise than exact arithmetic at the witness. To load it
    takes longer than most questions do: without `--cross-check` it is asked where rounding may matter."""
    if isinstance(outcome.verdict, Undecided) or outcome.verdict.pair is None:
        return ()
    witness = outcome.verdict.pair
    warnings = []
    for seen in witness.seen:
        network = decider.program.classifiers[seen.classifier].network
        if network is None or not network.path:
            continue
        from verifier.importers import ImportFailed, original, settled

        fed = [decider.replay.interpreter.fed(seen.classifier, p) for p in witness.points.values()]
        if not decider.portfolio.doubting and settled(network, fed):
            continue
        import numpy as np

        try:
            runtime = original(network)
            if runtime is None:
                continue
            answers = runtime(np.array([[float(x) for x in row] for row in fed]))
        except (ImportFailed, OverflowError):
            continue
        for name, exact, index in zip(witness.points, seen.labels, answers, strict=True):
            if (there := decider.program.labels[index]) != exact:
                warnings.append(
                    f"At {name} the original {network.format} model answers {there} in floating point, "
                    "where exact arithmetic "
                    f"gives {exact}."
                )
    return tuple(warnings)


class Readers(Struct, frozen=True):
    """Reads the files that a `.vf` file names, from its own folder tree. `live`: networks given in Python, by the name
    they are
    imported under."""

    live: Mapping[str, Network] = {}

    def network(self, kind: str, path: str, span: Span) -> Network:
        from verifier.importers import ImportFailed, NotYetAvailable, read

        if path in self.live:
            return self.live[path]
        try:
            return read(kind, inside(path, span))
        except NotYetAvailable:
            raise NotYet(f"the importer `{kind}`") from None
        except ImportFailed as failed:
            raise Rejected(Diagnostic("V504", span, failed.message, failed.fix)) from None

    def matrix(self, path: str, span: Span) -> tuple[tuple[Fraction, ...], ...]:
        from verifier.importers import ImportFailed
        from verifier.importers.matrix import read_matrix

        try:
            return read_matrix(inside(path, span))
        except ImportFailed as failed:
            raise Rejected(Diagnostic("V504", span, failed.message, failed.fix)) from None

    def data(self, path: str, layout: Layout, span: Span) -> Cells:
        from verifier.importers import ImportFailed
        from verifier.importers.csv_file import read_csv

        try:
            return read_csv(inside(path, span), layout)
        except ImportFailed as failed:
            raise Rejected(Diagnostic("V504", span, failed.message, failed.fix)) from None


def load(path: str | Path, options: Options = Options(), worker: Worker | None = None) -> Loaded:
    """Read `path`; never raises on its content: problems are diagnostics. `worker`: who answers, if not the solver."""
    return _load(gather(Path(path)), str(path), options, Readers(), worker or Worker())


def load_text(
    text: str,
    path: str = "text.vf",
    options: Options = Options(),
    live: Mapping[str, Network] | None = None,
    worker: Worker | None = None,
) -> Loaded:
    """The same for a text; files that it names are looked for beside `path`."""
    return _load(gather_text(Source(path, text)), path, options, Readers(live or {}), worker or Worker())


def _load(gathered: Gathered, path: str, options: Options, readers: Readers, worker: Worker) -> Loaded:
    if any(isinstance(d, tree.Assert | tree.Compute) for d in gathered.declarations):
        worker.warm()
    settings, wrong = _settings(options.settings)
    elaborated = elaborate(path, gathered.declarations, readers, settings, gathered.lost)
    program = elaborated.program
    found = elaborated.diagnostics
    if not options.strict:
        found = [replace(d, severity="warning") if d.code == "V208" else d for d in found]
    diagnostics = [*gathered.diagnostics, *wrong, *found]
    items: list[Item] = []
    if not any(d.severity == "error" for d in diagnostics):
        diagnostics += _empty(program, worker, options.timeout)
    poser = Poser(program)
    for d in gathered.declarations:
        if isinstance(d, tree.Assert | tree.Compute):
            try:
                items.append(_item(program, d, poser))
            except Rejected as rejected:
                diagnostics += (r for r in rejected.diagnostics if not elaborated.echo(r))
            except TooLarge:
                diagnostics.append(
                    Diagnostic("V404", d.span, "This is too large once written out.", "Use a smaller model.")
                )
    if any(d.severity == "error" for d in diagnostics):
        worker.close()
    order = list(gathered.sources)
    unique = sorted(
        dict.fromkeys(diagnostics),
        key=lambda d: (order.index(d.span.file) if d.span.file in order else -1, d.span.start),
    )
    return Loaded(path, program, tuple(unique), tuple(items), gathered.sources, worker, tuple(gathered.declarations))


def _item(program: Program, d: tree.Assert | tree.Compute, poser: Poser) -> Item:
    try:
        if isinstance(d, tree.Compute):
            measure = measure_of(program, d.body)
            check_claim(measure, poser)
            return d, measure
        claim = claim_of(program, d.body)
        check_claim(claim, poser)
        return d, claim
    except NotYet as later:
        unavailable = Later(str(later))
        if isinstance(d, tree.Compute):
            return d, unavailable
        return d, unavailable


def _settings(settings: Mapping[str, str]) -> tuple[dict[str, tree.Expr], list[Diagnostic]]:
    """The values of `--set`, parsed."""
    values: dict[str, tree.Expr] = {}
    wrong: list[Diagnostic] = []
    for name, text in settings.items():
        source = Source(f"--set {name}", f"let value = {text}")
        file, diagnostics = parse(source)
        if diagnostics or len(file.declarations) != 1 or not isinstance(file.declarations[0], tree.Let):
            span = source.span(12, max(13, len(source.text)))
            wrong.append(
                Diagnostic("V208", span, f"`{name}` cannot be set to this.", "Write a number: `--set gap=1/2`.")
            )
        else:
            values[name] = file.declarations[0].value
    return values, wrong


def _empty(program: Program, worker: Worker, seconds: float) -> list[Diagnostic]:
    """An empty domain is an error; the constraints that contradict each other are shown."""
    domain = program.domain
    if domain is None or domain.where is None:
        return []
    portfolio = Portfolio(worker, certifying=False)
    end = time.monotonic() + seconds

    def contradict(parts: list[tree.Expr]) -> bool:
        poser = Poser(replace(program, domain=replace(domain, where=None)))
        x = poser.point("x").values
        posed = poser.pose(("x",), [poser.symbolic.truth(p, x) for p in parts])
        return posed.impossible or isinstance(portfolio.find(posed.question, end - time.monotonic()), Holds)

    blamed = joined(domain.where, "and")
    if not contradict(blamed):
        return []
    for part in list(blamed):  # what is left is needed, each
        rest = [p for p in blamed if p is not part]
        if rest and contradict(rest):
            blamed = rest
    shown = [unparse(p) for p in blamed]
    message = (
        f"The domain {domain.name} is empty: its intervals contradict `{shown[0]}`."
        if len(shown) == 1
        else f"The domain {domain.name} is empty: these constraints contradict each other within its "
        f"intervals: {'; '.join(shown)}."
    )
    span = blamed[0].span if len(blamed) == 1 else domain.where.span
    return [Diagnostic("V311", span, message, "Relax one of them.")]


def show(path: str | Path, options: Options = Options(), latex: bool = False) -> str:
    """The canonical form of every classifier of a file, as text or LaTeX."""
    from verifier.report.canonical import canonical

    return canonical(load(path, options).program, latex)
