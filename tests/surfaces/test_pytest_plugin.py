"""pytest collects `.vf` files when asked to."""

from __future__ import annotations

import pytest

from tests.surfaces import fake

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def puppet(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> None:
    monkeypatch.setattr("verifier.api.load", fake.load)
    pytester.makefile(".vf", claims="proved A1\nrefuted A2 expected\nrefuted A3\nunknown A4\ncompute R\n")


def test_nothing_is_collected_unasked(pytester: pytest.Pytester) -> None:
    pytester.runpytest_inprocess().assert_outcomes()


@pytest.mark.parametrize("asked", ["option", "ini"])
def test_every_assertion_is_a_test(pytester: pytest.Pytester, asked: str) -> None:
    if asked == "ini":
        pytester.makeini("[pytest]\nverifier_files = true")
    ran = pytester.runpytest_inprocess("-v", *(["--verifier"] if asked == "option" else []))
    ran.assert_outcomes(passed=3, failed=2)
    ran.stdout.fnmatch_lines(["*claims.vf::A1 PASSED*", "*claims.vf::A3 FAILED*"])


def test_a_file_that_is_named_is_collected_without_being_asked_for(pytester: pytest.Pytester) -> None:
    pytester.makefile(".vf", other="proved B1\n")
    pytester.runpytest_inprocess("claims.vf").assert_outcomes(passed=3, failed=2)
    pytester.runpytest_inprocess("claims.vf::A1").assert_outcomes(passed=1)


def test_a_failing_item_shows_the_report_of_its_assertion(pytester: pytest.Pytester) -> None:
    ran = pytester.runpytest_inprocess("--verifier")
    ran.stdout.fnmatch_lines(["*A3 p()*refuted*(expected proved)*", "*size   1/3*"])
    ran.stdout.no_fnmatch_line("*Traceback*")
    ran.stdout.no_fnmatch_line("*NotMet*")


def test_a_mistake_is_a_failed_collection_with_its_message(pytester: pytest.Pytester) -> None:
    pytester.makefile(".vf", broken="proved A\nmistake")
    ran = pytester.runpytest_inprocess("--verifier", "broken.vf")
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*broken.vf:2:1: error?V201?: No.", "*fix: Yes."])


def test_one_assertion_can_be_chosen_and_has_its_time(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nverifier_timeout = 5")
    ran = pytester.runpytest_inprocess("--verifier", "claims.vf::A4")
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["*5 s were not enough."])


def test_an_internal_error_is_shown(pytester: pytest.Pytester) -> None:
    pytester.makefile(".vf", crash="crash A")
    pytester.runpytest_inprocess("--verifier", "crash.vf").assert_outcomes(failed=1)
