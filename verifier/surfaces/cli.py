"""The command line. Only click is imported here: the rest waits until a command runs, so that `--help` is instant."""

from __future__ import annotations

import gc
import math
import os
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

import click

from verifier import __version__
from verifier.surfaces.exits import INTERNAL, PLEASE, UNDECIDED, USAGE, ReaderLeft, described

if TYPE_CHECKING:
    from verifier.surfaces.terminal import Screen

MANY_OBJECTS = 100_000
"""New objects between two searches for cycles: with Python's 700, they are a tenth of a short run, and find nothing."""

EXIT_CODES = """\b
Exit codes:
  0  every assertion is as expected, and says something
  1  a verdict contradicts its `expect`
  2  the command or a file has a mistake
  3  something stayed undecided (or was interrupted), and nothing contradicts
  4  internal error
"""


def seconds(context: click.Context, parameter: click.Parameter, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise click.BadParameter(f"`{value}` is not a positive number of seconds. Write for example `--timeout 30`.")
    return number


def setting(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    settings = {}
    for value in values:
        name, equals, text = (part.strip() for part in value.partition("="))
        if not (name and equals and text):
            raise click.BadParameter(f"`{value}` does not set a parameter. Write for example `--set gap=3`.")
        settings[name] = text
    return settings


def positive(context: click.Context, parameter: click.Parameter, value: str) -> str:
    sound = re.fullmatch(r"\d{1,100}(/\d{1,100}|(\.\d{1,100})?([eE][+-]?\d{1,3})?)", value, re.ASCII)
    zero = not re.search("[1-9]", re.split("[/eE]", value)[0])
    if not sound or zero or re.search("/0+$", value):
        raise click.BadParameter(f"`{value}` is not a positive number. Write for example `--eps 1/1000`.")
    return value


def scheduler(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"(tcp|tls|ws|wss|ucx)://[^/\s]+", value):
        raise click.BadParameter(f"`{value}` is no address of a scheduler. Write for example `tcp://10.0.0.1:8786`.")
    return value


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document (docs/reference/json.md).")
color_option = click.option("--no-color", is_flag=True, help="No colours; NO_COLOR in the environment does the same.")
debug_option = click.option("--debug", is_flag=True, help="Show the traceback of an internal error.")
force_option = click.option("--force", is_flag=True, help="Write over a file that is there already.")
F = TypeVar("F", bound=Callable[..., Any])


def timeout_option(words: str) -> Callable[[F], F]:
    """`--timeout SECONDS`."""
    return click.option("--timeout", metavar="SECONDS", callback=seconds, default="60", show_default=True, help=words)


settings_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=setting,
    help="Give a `param` of the file another value.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
@click.version_option(__version__, prog_name="verifier")
def cli() -> None:
    """Is a classifier always robust against an oracle? Proved, refuted, or said to be unknown."""


@cli.command(epilog=EXIT_CODES)
@click.argument("paths", nargs=-1, required=True)
@settings_option
@click.option("--only", multiple=True, metavar="NAME", help="Check only this assertion or compute (may be repeated).")
@timeout_option("Seconds for each assertion.")
@json_option
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes at a time, for files or what is in one (default: as many processors as there are, where it pays).",
)
@click.option("--executor", metavar="ADDRESS", callback=scheduler, help="A Dask scheduler: tcp://host:8786.")
@click.option(
    "--eps",
    metavar="R",
    callback=positive,
    default="1/1000",
    show_default=True,
    help="Oracle distance at which a limit is shown.",
)
@click.option("--quiet", is_flag=True, help="Print only what is not as expected.")
@click.option("--stats", is_flag=True, help="Say which engines were asked what, in which order, and what it took.")
@click.option("--cross-check", is_flag=True, help="Ask a second engine whatever one alone has answered.")
@click.option(
    "--certificate", metavar="FOLDER", help="Write what the kernel accepted into this folder (one file only)."
)
@click.option("--no-progress", is_flag=True, help="No progress bar on a terminal.")
@color_option
@debug_option
def check(
    paths: tuple[str, ...],
    settings: dict[str, str],
    only: tuple[str, ...],
    timeout: float,
    as_json: bool,
    jobs: int | None,
    executor: str | None,
    eps: str,
    quiet: bool,
    stats: bool,
    cross_check: bool,
    certificate: str | None,
    no_progress: bool,
    no_color: bool,
    debug: bool,
) -> int:
    """Check the assertions of .vf files; a folder means every .vf file in it."""
    files = find(paths)
    if certificate is not None and len(files) > 1:
        raise click.UsageError("`--certificate` takes one file: certificates are named after its assertions.")
    from verifier.surfaces.check import Hands, run

    options = {
        "settings": settings,
        "only": frozenset(only),
        "timeout": timeout,
        "eps": eps,
        "stats": stats,
        "cross_check": cross_check,
        "keeping": certificate is not None,
    }
    return run(
        files,
        options,
        screen(no_color),
        as_json=as_json,
        hands=Hands(jobs, executor),
        quiet=quiet,
        show=not (as_json or quiet or no_progress),
        debug=debug,
        certificate=certificate,
    )


@cli.command(epilog=EXIT_CODES)
@click.argument("paths", nargs=-1, required=True, metavar="[FILE] FOLDER")
@settings_option
@click.option("--only", multiple=True, metavar="NAME", help="Replay only this assertion (may be repeated).")
@color_option
@debug_option
def replay(paths: tuple[str, ...], settings: dict[str, str], only: tuple[str, ...], no_color: bool, debug: bool) -> int:
    """Have the kernel check the certificates in FOLDER again, and nothing else.

    With FILE, its questions are posed again, so that a certificate of yesterday's file is no certificate of today's.
    """
    if len(paths) > 2:
        raise click.UsageError("Name one .vf file and one folder of certificates.")
    if len(paths) == 2:
        paths = (one(paths[0]), paths[1])
    from verifier.surfaces.certificates import replay

    return replay(paths, settings, frozenset(only), screen(no_color))


@cli.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--check", "check_only", is_flag=True, help="Change nothing; exit with 1 when a file would change.")
@click.option("--diff", is_flag=True, help="Change nothing; print what would change.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Change nothing; print the formatted text.")
@color_option
@debug_option
def fmt(paths: tuple[str, ...], check_only: bool, diff: bool, to_stdout: bool, no_color: bool, debug: bool) -> int:
    """Rewrite .vf files in the usual layout; `-` formats stdin to stdout."""
    if "-" in paths and len(paths) > 1:
        raise click.UsageError("`-` (stdin) stands alone.")
    files = [] if "-" in paths else find(paths)
    from verifier.surfaces.fmt import run

    return run(files, screen(no_color), check_only=check_only, diff=diff, to_stdout=to_stdout)


@cli.command()
@click.argument("file")
@click.option("--canonical", is_flag=True, help="Show the normal forms that are checked.")
@click.option("--latex", is_flag=True, help="The normal forms as LaTeX.")
@json_option
@settings_option
@color_option
@debug_option
def show(
    file: str,
    canonical: bool,
    latex: bool,
    as_json: bool,
    settings: dict[str, str],
    no_color: bool,
    debug: bool,
) -> int:
    """Show what FILE declares."""
    path = one(file)
    from verifier.surfaces.show import run

    return run(path, settings, screen(no_color), canonical=canonical or latex, latex=latex, as_json=as_json)


@cli.command()
@click.argument("file")
@click.argument("names", nargs=-1)
@settings_option
@timeout_option("Seconds for each assertion, and again for its reasons.")
@color_option
@debug_option
def explain(
    file: str, names: tuple[str, ...], settings: dict[str, str], timeout: float, no_color: bool, debug: bool
) -> int:
    """Explain the assertions of FILE: definition, decision, reasons.

    NAMES picks some of them. Every reason is itself proved or refuted.
    """
    path = one(file)
    from verifier.surfaces.explain import run

    with quick_engines():
        return run(path, names, settings, timeout, screen(no_color))


@cli.command()
@click.argument("file")
@click.argument("name", default="")
@click.option("--output", "-o", metavar="FILE", help="Where to write it (default: FILE with the ending .repaired.vf).")
@settings_option
@force_option
@timeout_option("Seconds for each assertion, and twice that for the search.")
@color_option
@debug_option
def repair(
    file: str,
    name: str,
    output: str | None,
    settings: dict[str, str],
    force: bool,
    timeout: float,
    no_color: bool,
    debug: bool,
) -> int:
    """Write the nearest classifier that sees no more than the oracle.

    It makes the assertion NAME true (default: the first one about containment that is refuted). The new file is proved,
    and says what the repair cost.
    """
    path = one(file)
    from verifier.surfaces.repair import run

    with quick_engines():
        return run(path, name, output, settings, timeout, force, screen(no_color))


@cli.command()
@click.argument("file")
@click.option("--slice", "slices", multiple=True, metavar="A=1/2,B=0", help="Fix coordinates, so that two are left.")
@click.option("--assertion", default="", metavar="NAME", help="Show its two points, and the oracle's ball around x.")
@click.option("--output", "-o", metavar="FILE", help="An .svg or .png file (default: FILE.svg).")
@click.option(
    "--kind",
    type=click.Choice(["regions", "fibres", "uncontained", "modulus", "distances"]),
    default="regions",
    show_default=True,
    help="Decision regions, what is one point for the oracle, where containment fails, w(delta), distances of rows.",
)
@settings_option
@force_option
@timeout_option("Seconds for the assertion.")
@color_option
@debug_option
def plot(
    file: str,
    slices: tuple[str, ...],
    assertion: str,
    output: str | None,
    kind: str,
    settings: dict[str, str],
    force: bool,
    timeout: float,
    no_color: bool,
    debug: bool,
) -> int:
    """Draw a model and an oracle over two real coordinates, exactly.

    Needs matplotlib: pip install 'strong-robust[plot]'.
    """
    path = one(file)
    from verifier.surfaces.plot import run

    with quick_engines():
        return run(path, slices, assertion, output, kind, settings, timeout, force, screen(no_color))


@cli.command(epilog=EXIT_CODES.replace("every assertion", "the property"))
@click.argument("network")
@click.argument("property_", metavar="PROPERTY")
@click.option(
    "--expect",
    type=click.Choice(["proved", "refuted"]),
    default="proved",
    show_default=True,
    help="What the verdict should be.",
)
@timeout_option("Seconds for the property.")
@click.option("--vnncomp", default="", metavar="FILE", help="Write the answer in the format of VNN-COMP as well.")
@click.option("--certificate", default="", metavar="FOLDER", help="Write what the kernel accepted into this folder.")
@json_option
@color_option
@debug_option
def vnnlib(
    network: str,
    property_: str,
    expect: Literal["proved", "refuted"],
    timeout: float,
    vnncomp: str,
    certificate: str,
    as_json: bool,
    no_color: bool,
    debug: bool,
) -> int:
    """Decide a VNN-LIB property of an ONNX network.

    A PROPERTY file states what must not happen: proved means that no input violates, refuted shows one that does.
    """
    for path in (network, property_):
        if not os.path.exists(path) or os.path.isdir(path):
            raise click.UsageError(f"There is no file `{path}`.{nearby(path)}")
    from verifier.surfaces.vnnlib import run

    with quick_engines():
        return run(
            network, property_, expect, timeout, vnncomp, certificate, screen(no_color), as_json=as_json, debug=debug
        )


def quick_engines() -> AbstractContextManager[None]:
    from verifier.engines.nursery import allowed

    return allowed(now=False)


def screen(no_color: bool) -> Screen:
    from verifier.surfaces.terminal import Screen

    return Screen.of_process(no_color)


def one(file: str) -> str:
    """The one file that is meant."""
    if Path(file).is_dir():
        raise click.UsageError(f"`{file}` is a folder. Name one .vf file.")
    (path,) = find((file,))
    return path


def find(paths: tuple[str, ...]) -> list[str]:
    """The files meant by `paths`, each once; a folder stands for the .vf files in it, by name."""
    found: dict[str, None] = {}
    for path in paths:
        if os.path.isdir(path):
            inside = sorted(vf_files(path), key=lambda p: Path(p).parts)
            if not inside:
                raise click.UsageError(f"There is no .vf file in the folder `{path}`.")
            found.update(dict.fromkeys(inside))
        elif os.path.exists(path):
            found[str(Path(path))] = None
        elif os.path.islink(path):
            raise click.UsageError(f"`{path}` is a link to `{os.readlink(path)}`, which is not there.")
        else:
            raise click.UsageError(f"There is no file or folder `{path}`.{nearby(path)}")
    return list(found)


def vf_files(folder: str) -> list[str]:
    def unreadable(error: OSError) -> NoReturn:
        raise click.UsageError(f"Cannot read the folder `{error.filename}`: {error.strerror}.")

    found = []
    for place, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [f for f in folders if not f.startswith(".")]
        found += [str(Path(place, f)) for f in files if f.endswith(".vf") and not f.startswith(".")]
    return found


def nearby(path: str) -> str:
    from verifier.source.closest import closest

    try:
        name = closest(os.path.basename(path), os.listdir(os.path.dirname(path) or "."))
    except OSError:
        return ""
    return f" Did you mean `{os.path.join(os.path.dirname(path), name)}`?" if name else ""


def main() -> NoReturn:
    """The command `verifier`: never a traceback, unless `--debug` asks for one."""
    gc.set_threshold(MANY_OBJECTS)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a second thread costs more to start than it does for us
    try:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        code = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        code = UNDECIDED
    except (ReaderLeft, BrokenPipeError):  # not everything was said, so it cannot be 0
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = UNDECIDED
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        click.echo(f"verifier: internal error: {described(error)} {PLEASE}", err=True)
        code = INTERNAL
    gc.freeze()  # else Python looks for cycles in all that was loaded, twice, before it ends
    sys.exit(code)
