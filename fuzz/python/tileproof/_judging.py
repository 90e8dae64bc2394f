"""Judges functions of Python by the program: `tileproof verify --python`, of a module that is written for them."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import types
import unittest
from collections.abc import Callable, Iterable

from tileproof import _native, _subject

RUNS = "tileproof-runs"
LARGE = "size/"  # properties of matrices that take a slow function half a minute
CASES = 100  # fewer meet too few classes of codes and parameters to be trusted
RED = "FAILED", "MISTRUSTED"


class NotJudged(unittest.SkipTest):
    """Nothing was judged, as this machine lacks what the function needs: a GPU, a package. Test runners show it as skipped."""


@dataclasses.dataclass(frozen=True)
class Run:
    """A run of the program that gave a verdict."""

    exit_code: int
    output: str
    summary: dict
    folder: str

    def finding(self, property=None) -> str:
        """The paragraph of a property that is FAILED or MISTRUSTED; of the first, the most telling one, if it is None."""
        for block in self.output.split("\n\n"):
            if re.match(rf"(FAILED|MISTRUSTED) {re.escape(property) if property else '[a-z_]+/'}", block):
                return block.rstrip()
        return ""

    def judgements(self) -> dict[str, dict]:
        """By property."""
        return {one["property"]: one for one in self.summary["judgements"]}

    def why_not(self) -> str:
        """Why the subject did not run; "" if it did."""
        return self.summary["subjects"][0]["why_not"] if self.summary["subjects"] else ""

    def group_sizes(self) -> list[int]:
        """Those of the problems."""
        return sorted({size for one in self.summary["judgements"] for size in one["asked"]["group_sizes"]})

    def verdict(self) -> str:
        """The last line."""
        return self.output.rstrip().rpartition("\n")[2]

    def forget(self):
        """Removes its records: nothing needs to be replayed."""
        _remove(self.folder)


def _remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
    try:
        os.rmdir(os.path.dirname(folder))
    except OSError:
        pass  # other runs are there


def _new_folder(name):
    parent, stamp = os.path.abspath(RUNS), time.strftime("%Y%m%d-%H%M%S-") + re.sub(r"[^A-Za-z0-9_.-]+", "-", name) + "-"
    try:
        os.makedirs(parent, exist_ok=True)
        return tempfile.mkdtemp(prefix=stamp, dir=parent)
    except OSError:  # nothing can be written here
        return tempfile.mkdtemp(prefix=stamp, dir=tempfile.mkdtemp(prefix="tileproof-"))


def run(subject: _subject.Subject, properties: Iterable[str], cases, seed, seconds=None, case_deadline=None) -> Run:
    """Judges a subject.

    Raises:
        NotJudged: this machine lacks what the subject needs.
        ValueError: the program does not take what it was given.
        RuntimeError: the program does not run, or the process that judges cannot import the file.
    """
    folder = _new_folder(subject.title)
    module, records = os.path.join(folder, "subject.py"), os.path.join(folder, "records")
    with open(module, "w") as file:
        file.write(subject.text())
    command = [_native.PROGRAM, "verify", "--python", module, "--python-with", sys.executable, "--out", records]
    command += ["--no-accuracy", "--cases", str(cases), "--seed", str(seed)]
    command += [] if seconds is None else ["--for", f"{seconds:.1f}s"]
    command += [] if case_deadline is None else ["--case-deadline", str(case_deadline)]
    for one in properties:
        command += ["--property", one]
    surroundings = {**os.environ, "COLUMNS": "160", "TILEPROOF_CALLED_AS": "tileproof"}  # pytest's COLUMNS would break lines
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, env=surroundings
        )
    except OSError as error:
        _remove(folder)
        raise RuntimeError(f"this machine cannot run {_native.PROGRAM}: {error.strerror}") from None
    summary = os.path.join(records, "summary.json")
    if ended.returncode not in (0, 1, 3) or not os.path.exists(summary):
        raise _refusal(subject, ended, folder)
    with open(summary) as file:
        result = Run(ended.returncode, ended.stdout, json.load(file), folder)
    if why_not := result.why_not():
        result.forget()
        lacking = re.search(r"has no package '(\w+)'", why_not)
        if lacking and importlib.util.find_spec(lacking[1]) is not None:  # this process has it
            raise RuntimeError(f"{subject.title}: the process that judges does not find the package {lacking[1]}: {why_not}")
        raise NotJudged(why_not.partition(", or --python-with")[0].replace("subject.py", subject.title))
    return result


def _refusal(subject, ended, folder):
    """The error of a run without a verdict."""
    _remove(folder)
    said = ended.stderr.strip().rpartition("\n")[2].removeprefix("tileproof: ")
    if ended.returncode != 2:
        return RuntimeError(f"tileproof ends with {ended.returncode}: {(ended.stderr or ended.stdout).strip()[-2000:]}")
    why = re.match(r"(?:--)?python: given '.*?' \((.*)\), legal is", said)
    if why:
        return RuntimeError(f"{subject.title}: the process that judges cannot import its file: {why[1]}")
    return ValueError(re.sub(r"^--(property)?", lambda flag: "properties" if flag[1] else "", said))


def verify(
    function_or_module: Callable | types.ModuleType,
    format: str | None = None,
    operation: str | None = None,
    device: str | None = None,
    seconds: float | None = None,
    *,
    cases: int = CASES,
    seed: int = 1,
    properties: str | Iterable[str] = (),
    case_deadline: float | None = None,
    **statements,
) -> str:
    """Judges a function, or the functions of a module, against the specification of a format, bit for bit.

    The function runs in a process of its own, which imports its file again, over memory that is watched: a crash, a hang, a read
    outside its inputs is a finding like a wrong bit. Problems are drawn, and what fails is made as small as possible.

    Args:
        function_or_module: a function at the top level of a file, of torch tensors (Triton, CuPy) or of numpy arrays, which are
            told by what its file imports (`arrays="numpy"` or "torch" says so); or a module with pack, unpack, dequantize or
            convert. `dequantize` gets the packed codes and the scheme's tensors, `pack` codes uint8 [n][k], `unpack` and
            `convert` the packed codes; what it has parameters for of n, k, group_size and dtype it gets by name.
        format: a name of `tileproof.formats()`; of a module the default is its FORMAT.
        operation: pack, unpack, dequantize or convert; default: the name of the function.
        device: "cpu", the default, or "cuda".
        seconds: once all was asked, goes on with fresh problems until so much time is used. Large matrices (size/), which take a
            slow function half a minute, are then not begun; what is returned says so. Default: `cases` for each property, once,
            and size/.
        cases: problems drawn for each property.
        seed: of all problems; the same seed gives the same problems.
        properties: names of `tileproof list properties`, or how they begin; default: all that can be asked.
        case_deadline: seconds after which a case counts as a hang; default: 10.
        **statements: what the function takes, as a module states it: schemes, types, group_sizes, n_multiple, k_multiple,
            max_n, max_k, arrays, format_to. README says what they mean.

    Returns:
        The verdict, in a line: "PASSED: 14 PASSED, ...".

    Raises:
        AssertionError: the function is wrong, with the smallest case and the line that replays it; or too little was looked at.
        NotJudged: this machine lacks what the function needs; a skipped test.
        ValueError, TypeError: an argument is not legal.
        RuntimeError: the process that judges does not run, or cannot import the function's file.
    """
    __tracebackhide__ = True  # pytest then ends with the caller's line
    if _subject.is_judged_here:
        return "not judged: this is the process that judges"
    if seconds is not None and not (isinstance(seconds, (int, float)) and 0 < seconds < 1e6):
        raise ValueError(f"seconds: given {seconds!r}, legal is a number above 0 and below a million")
    properties = [properties] if isinstance(properties, str) else list(properties)
    subject = _subject.subject_of(function_or_module, format, operation, device, statements)
    askable = subject.askable()
    large = [name for name in askable if name.startswith(LARGE)]
    quick = [name for name in askable if name not in large]
    if properties or not quick or not large:
        rounds, left_out = [properties or askable], []
    else:
        rounds, left_out = ([quick, large], []) if seconds is None else ([quick], large)
    begin, verdicts = time.monotonic(), []
    while rounds:
        names, left = rounds.pop(0), None
        if verdicts and seconds is not None:
            left, seed = seconds - (time.monotonic() - begin), seed + 1
        ran = run(subject, names, cases, seed, left, case_deadline)
        if ran.exit_code != 0:
            raise AssertionError(_story(subject, ran))
        ran.forget()
        verdicts.append(ran.verdict())
        if seconds is not None and time.monotonic() - begin < seconds - 1:
            rounds.append(names)
    sizes = ran.group_sizes()
    notes = [f"group_size {', '.join(map(str, sizes))}"] * bool(sizes) + [f"not asked: {', '.join(left_out)}"] * bool(left_out)
    return "; ".join(verdicts + notes)


def _story(subject, ran):
    first = ran.finding()
    others = [
        one["property"]
        for one in ran.summary["judgements"]
        if one["verdict"] in RED and f" {one['property']} " not in first.partition("\n")[0]
    ]
    lines = [f"{subject.title} is not what {subject.statements['FORMAT']} says", "", first or ran.verdict()]
    if others:
        lines += ["", f"{len(others)} more {'property fails' if len(others) == 1 else 'properties fail'}: {', '.join(others)}"]
    return "\n".join([*lines, f"records: {os.path.relpath(ran.folder)}"])


def kernel(format: str | None = None, operation: str | None = None, device: str | None = None, **statements):
    """Marks a function for pytest, which makes a test of each property that it can be asked.

        @tileproof.kernel(format="awq")
        def dequantize(packed, scales, zeros): ...

    The function is tested by every test file that has it, also by one that imports it. Two marks are two sets of tests.

    Args:
        format, operation, device, **statements: as those of `verify`.

    Returns:
        A decorator that gives the function back as it is.

    Raises:
        TypeError: an argument is unknown, or what is marked is no function.
    """
    if format is not None and not isinstance(format, str):
        raise TypeError(f"format: given {format!r}, legal is a name of tileproof.formats(): @tileproof.kernel(format=...)")

    def mark(function):
        if not isinstance(function, types.FunctionType):
            raise TypeError(f"@tileproof.kernel: given {function!r}, legal is a function of Python that launches it")
        marks = function.__dict__.setdefault("__tileproof_kernels__", [])
        marks.append({"format": format, "operation": operation, "device": device, "statements": statements})
        return function

    return mark
