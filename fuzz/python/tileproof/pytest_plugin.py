"""For pytest: each function that @tileproof.kernel marks becomes a test for each property that it can be asked."""

from __future__ import annotations

import argparse
import types

import pytest

from tileproof import _judging, _subject


def _seed(text):
    try:
        if 0 <= int(text, 0) < 2**64:
            return text
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"given {text!r}, legal is 0 to 2^64 - 1")


def _cases(text):
    if text.isdigit() and 0 < int(text) < 2**31:
        return int(text)
    raise argparse.ArgumentTypeError(f"given {text!r}, legal is 1 to 2^31 - 1")


def pytest_addoption(parser):
    group = parser.getgroup("tileproof")
    help = "of the problems that @tileproof.kernel functions are put to (default: 1)"
    group.addoption("--tileproof-seed", default="1", type=_seed, metavar="N", help=help)
    help = f"problems for each property (default: {_judging.CASES})"
    group.addoption("--tileproof-cases", default=_judging.CASES, type=_cases, metavar="N", help=help)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector, name, obj):
    obj = obj.__func__ if isinstance(obj, staticmethod) else obj
    marks = obj.__dict__.get("__tileproof_kernels__") if isinstance(obj, types.FunctionType) else None
    if not marks:
        return None
    names = [name] if len(marks) == 1 else [f"{name}[{at}-{mark['format']}]" for at, mark in enumerate(marks)]
    return [Kernel.from_parent(collector, name=own, function=obj, marked=mark) for own, mark in zip(names, marks)]


class Kernel(pytest.Collector):
    """A mark of a function."""

    def __init__(self, *, function, marked, **own):
        super().__init__(**own)
        self.function, self.marked, self._run = function, marked, None

    def collect(self):
        try:
            self.subject = _subject.subject_of(self.function, **self.marked)
            names = self.subject.askable()
        except (TypeError, ValueError, ImportError) as error:
            raise self.CollectError(f"@tileproof.kernel of {self.name}: {error}") from None
        return [Property.from_parent(self, name=name) for name in names]

    def run_for(self, item):
        """The run that judges an item. One judges all that are selected, for importing torch takes seconds; where pytest-xdist
        deals the items out, each has its own."""
        option = self.config.option
        judged = lambda names: _judging.run(self.subject, names, option.tileproof_cases, option.tileproof_seed)
        if hasattr(self.config, "workerinput"):
            return judged([item.name])
        if self._run is None:
            try:
                self._run = judged([other.name for other in self.session.items if other.parent is self])
            except Exception as error:
                self._run = error
        if isinstance(self._run, Exception):
            raise self._run
        return self._run


class Property(pytest.Item):
    """A property of a marked function."""

    def runtest(self):
        ran = self.parent.run_for(self)
        judgement = ran.judgements().get(self.name)
        verdict = judgement["verdict"] if judgement else "not judged"
        if ran.exit_code == 0:
            ran.forget()
        if verdict == "SKIPPED":
            pytest.skip(judgement["reason"])
        if verdict == "KNOWN":
            pytest.xfail("a known finding")
        if verdict != "PASSED":
            raise Finding(ran.finding(self.name) or f"{verdict} {self.name}: {judgement['reason'] if judgement else ran.verdict()}")

    def repr_failure(self, excinfo, style=None):
        is_known = isinstance(excinfo.value, (Finding, RuntimeError, ValueError))
        return str(excinfo.value) if is_known else super().repr_failure(excinfo, style)

    def reportinfo(self):
        line = self.parent.function.__code__.co_firstlineno - 1
        return self.path, line, f"{self.parent.name}[{self.name}]"


class Finding(AssertionError):
    """What a property says against a function."""
