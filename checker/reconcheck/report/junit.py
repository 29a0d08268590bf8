"""Runs as JUnit XML, as test reports of CI systems read it: a suite a model, a case a goal in a scope."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

from reconcheck.explain.cases import Case, Status, cases
from reconcheck.explain.run import Failure, Outcome, Run
from reconcheck.explain.verdict import Report
from reconcheck.render.diagnostics import render_diagnostics
from reconcheck.render.run import render_failure
from reconcheck.render.text import HEADLINES, Paint, render_answer

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""


def junit(run: Run) -> str:
    """The test report of a run."""
    root = Xml.Element("testsuites", {"name": "reconcheck"})
    for outcome in run.outcomes:
        root.append(_suite(outcome))
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    root.set("time", f"{run.seconds:.3f}")
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _suite(outcome: Outcome) -> Xml.Element:
    """A model; one without a report has one case, which ends with an error."""
    suite = Xml.Element("testsuite", {"name": _clean(outcome.file)})
    seconds = 0.0
    if isinstance(outcome.result, Failure):
        _failed(suite, outcome.file, outcome.result)
    else:
        seconds = outcome.result.seconds
        _report(suite, outcome.file, outcome.result)
    listed = suite.findall("testcase")
    suite.set("tests", str(len(listed)))
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(sum(1 for case in listed if case.find(tag) is not None)))
    suite.set("time", f"{seconds:.3f}")
    return suite


def _failed(suite: Xml.Element, file: str, failure: Failure) -> None:
    first = failure.diagnostics[0]
    case = Xml.SubElement(suite, "testcase", {"name": "the model", "classname": _clean(file), "time": "0.000"})
    error = Xml.SubElement(case, "error", {"message": _clean(first.message), "type": first.code})
    error.text = _clean(render_failure(file, failure, False))


def _report(suite: Xml.Element, file: str, report: Report) -> None:
    operator = report.operator
    settings = [("operator", operator.name), ("runtime", operator.runtimes())]
    settings += [(name, str(value)) for name, value in operator.parameters]
    listed = Xml.SubElement(suite, "properties")
    for name, value in settings:
        Xml.SubElement(listed, "property", {"name": name, "value": _clean(value)})
    for case in cases(report):
        suite.append(_case(file, report, case))
    if report.findings:
        told = Xml.SubElement(suite, "system-out")
        told.text = _clean(render_diagnostics(report.findings, operator.sources))


def _case(file: str, report: Report, case: Case) -> Xml.Element:
    answer, line = case.answer, case.expectation
    at = case.goal.span.line if line is None else line.span.line
    about = {"name": case.name, "classname": file, "file": file, "line": str(at), "time": f"{answer.seconds:.3f}"}
    made = Xml.Element("testcase", {key: _clean(value) for key, value in about.items()})
    shown = _clean(render_answer(report.operator, answer, Paint(False)))
    message = _clean(f"{case.goal.name}: {HEADLINES[answer.verdict]}, {case.scope}")
    match case.status:
        case Status.FAILED:
            code = answer.code if line is None else "RC405"
            wanted = "" if line is None else f"expected {line.verdict}; "
            Xml.SubElement(made, "failure", {"message": wanted + message, "type": code}).text = shown
        case Status.UNKNOWN:
            Xml.SubElement(made, "error", {"message": message, "type": answer.code or "RC406"}).text = shown
        case Status.OPEN:
            why = "`expect` lines decide for this goal, and there is none for this scope"
            Xml.SubElement(made, "skipped", {"message": f"{message}; {why}"})
            Xml.SubElement(made, "system-out").text = shown
        case Status.PASSED:
            if answer.trace is not None:
                Xml.SubElement(made, "system-out").text = shown
    return made


def _clean(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)
