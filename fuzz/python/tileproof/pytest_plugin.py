"""For pytest: each function that @tileproof.kernel marks becomes a test for each property that it can be asked."""

from __future__ import annotations

import types

import pytest

from tileproof import _judging


def pytest_addoption(parser):
    group = parser.getgroup("tileproof")
    group.addoption("--tileproof-seed", default="1", metavar="N", help="of the problems that @tileproof.kernel functions are put to")
    group.addoption("--tileproof-cases", default=_judging.CASES, type=int, metavar="N", help="problems for each property")


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector, name, obj):
    marked = obj.__dict__.get("__tileproof_kernel__") if isinstance(obj, types.FunctionType) else None
    # Of a function that another file imports, its own file has the tests.
    if marked is None or obj.__module__ != collector.obj.__name__:
        return None
    return Kernel.from_parent(collector, name=name, function=obj, marked=marked)


class Kernel(pytest.Collector):
    """A marked function."""

    def __init__(self, *, function, marked, **own):
        super().__init__(**own)
        self.function, self.marked, self._ran = function, marked, None

    def collect(self):
        try:
            self.subject = _judging.subject_of(self.function, **self.marked)
            names = self.subject.askable()
        except (TypeError, ValueError, ImportError) as error:
            raise self.CollectError(f"@tileproof.kernel of {self.name}: {error}") from None
        if not names:
            raise self.CollectError(f"@tileproof.kernel of {self.name}: no property can be asked of what it takes")
        return [Property.from_parent(self, name=name) for name in names]

    def ran(self):
        """Judges all properties that are selected, at once: importing torch takes seconds."""
        if self._ran is None:
            wanted = [item.name for item in self.session.items if item.parent is self]
            option = self.config.option
            self._ran = _judging.run(self.subject, wanted, option.tileproof_cases, None, option.tileproof_seed)
            if self._ran.exit_code == 0 or self._ran.why_not():
                self._ran.forget()
        return self._ran


class Property(pytest.Item):
    """A property of a marked function."""

    def runtest(self):
        ran = self.parent.ran()
        if ran.why_not():
            pytest.skip(ran.why_not())
        judgement = ran.judgements().get(self.name)
        if judgement is None:
            raise Refuted(f"{self.name} was not judged: {ran.last_line()}")
        if judgement["verdict"] == "SKIPPED":
            pytest.skip(judgement["reason"])
        if judgement["verdict"] not in ("PASSED", "KNOWN"):
            raise Refuted(ran.story_of(self.name) or f"{judgement['verdict']} {self.name}: {judgement['reason']}")

    def repr_failure(self, excinfo, style=None):
        return str(excinfo.value) if isinstance(excinfo.value, Refuted) else super().repr_failure(excinfo, style)

    def reportinfo(self):
        line = self.parent.function.__code__.co_firstlineno - 1
        return self.path, line, f"{self.parent.name}[{self.name}]"


class Refuted(AssertionError):
    """What a property says against a function."""
