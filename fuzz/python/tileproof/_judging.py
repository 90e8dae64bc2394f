"""Judges functions of Python by the program: `tileproof verify --python`, of a module that is written for them."""

from __future__ import annotations

import ctypes
import dataclasses
import difflib
import importlib
import importlib.machinery
import importlib.util
import inspect
import json
import os
import pprint
import re
import shutil
import subprocess
import sys
import time
import types
import unittest
from collections.abc import Callable, Iterable

from tileproof import _native, _specification

OPERATIONS = "pack", "unpack", "dequantize", "convert"
STATEMENTS = "schemes", "types", "group_sizes", "n_multiple", "k_multiple", "max_n", "max_k", "arrays", "format_to"
RUNS = "tileproof-runs"
LARGE = "size/"  # properties of matrices that take a slow function half a minute
CASES = 100  # fewer meet too few classes of codes and parameters to be trusted


class NotJudged(unittest.SkipTest):
    """Nothing was judged, as this machine lacks what the function needs: a GPU, a package. Test runners show it as skipped."""


@dataclasses.dataclass(frozen=True)
class Subject:
    """A function or a module, and what is stated of it."""

    title: str  # for messages: "dequantize of test_mine.py"
    file: str
    module: str  # by which its file imports it
    functions: dict[str, str]  # by operation: the name within the module
    statements: dict[str, object]  # FORMAT, DEVICE, TYPES, ...

    def text(self):
        """The module that `tileproof verify --python` takes."""
        paths = [os.path.abspath(path) for path in sys.path if path and os.path.exists(path)]
        lines = [
            f'"""{self.title}, as tileproof judges it."""',
            "",
            "import sys",
            "",
            f"sys.path += [path for path in {pprint.pformat(paths, width=120)} if path not in sys.path]",
            "",
            "from tileproof._judging import found",
            "",
            *(f"{name} = {value!r}" for name, value in self.statements.items()),
            *(f"{name} = found({self.file!r}, {self.module!r}, {own!r})" for name, own in self.functions.items()),
        ]
        return "\n".join(lines) + "\n"

    def askable(self):
        """The names of the properties that it can be asked.

        Raises:
            ValueError: a statement is not legal.
        """
        facts = [f"function={name}" for name in self.functions]
        for name, value in self.statements.items():
            values = [value] if isinstance(value, (str, int)) else value
            facts += [f"{name}={one}" for one in values if name not in ("DEVICE", "ARRAYS")]
        ask = _specification.library().tileproof_askable_properties
        ask.restype = ctypes.c_char_p
        answer = json.loads(ask("\n".join(facts).encode()))
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["properties"]


is_judged_here = False  # whether this is the process in which a function is judged


def found(file: str, module: str, name: str):
    """A function of a file: of the module by that name, where importing that gives this file, or of the file alone.

    For the process that judges: a script calls `verify` again while it is imported there.
    """
    global is_judged_here
    is_judged_here = True
    try:
        spec = importlib.util.find_spec(module) if module != "__main__" else None
    except (ImportError, ValueError):
        spec = None
    if spec is not None and spec.origin is not None and os.path.realpath(spec.origin) == os.path.realpath(file):
        loaded = importlib.import_module(module)
    else:
        stem = os.path.splitext(os.path.basename(file))[0]
        loader = importlib.machinery.SourceFileLoader(f"tileproof_{stem}", file)
        loaded = sys.modules.get(loader.name)
        if loaded is None:
            loaded = sys.modules[loader.name] = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
            sys.path.insert(0, os.path.dirname(file))
            loader.exec_module(loaded)
    for part in name.split("."):
        loaded = getattr(loaded, part)
    return loaded


def subject_of(target, format, operation, device, statements) -> Subject:
    unknown = [name for name in statements if name not in STATEMENTS]
    if unknown:
        near = difflib.get_close_matches(unknown[0], STATEMENTS, 1)
        raise TypeError(f"{unknown[0]}: no such argument, legal is {near[0] if near else ', '.join(STATEMENTS)}")
    if device not in (None, "cpu", "cuda"):
        raise ValueError(f"device: given {device!r}, legal is 'cpu' or 'cuda'")
    if operation is not None and operation not in OPERATIONS:
        raise ValueError(f"operation: given {operation!r}, legal is {', '.join(OPERATIONS)}")
    stated = {name.upper(): value for name, value in statements.items() if value is not None}
    stated |= {name: value for name, value in (("FORMAT", format), ("DEVICE", device)) if value is not None}
    if isinstance(target, types.ModuleType):
        file = getattr(target, "__file__", None)
        names = {name: name for name in OPERATIONS if callable(getattr(target, name, None))}
        if operation is not None:
            names = {name: own for name, own in names.items() if name == operation}
        if file is None or not names:
            given = f"module {target.__name__}" + (", which has none" if file else ", which has no file")
            raise ValueError(f"function_or_module: given {given}, legal is a module with {' or '.join(OPERATIONS)}")
        for name in *(name.upper() for name in STATEMENTS), "FORMAT", "DEVICE", "LIBRARY", "BUILD":
            if hasattr(target, name):
                stated.setdefault(name, getattr(target, name))
        title, module = f"{', '.join(names)} of {os.path.basename(file)}", target.__name__
    elif callable(target):
        file, module, names = _place_of(target, operation)
        title = f"{next(iter(names.values()))} of {os.path.basename(file)}"
    else:
        raise TypeError(f"function_or_module: given {target!r}, legal is a function or a module")
    if "FORMAT" not in stated:
        raise ValueError(f"format: given none, legal is {', '.join(_specification.formats())}")
    _specification.format_of(stated["FORMAT"])
    return Subject(title, os.path.abspath(file), module, names, stated)


def _place_of(function, operation):
    """Where another process finds the function: its file, its module, and its names by operation."""
    name, module = getattr(function, "__qualname__", None), getattr(function, "__module__", None)
    legal = "a function or a class's function at the top level of a file, where another process finds it by its name"
    if name is None or module is None:
        raise ValueError(f"function_or_module: given {function!r}, legal is {legal}")
    at = sys.modules.get(module)
    file = getattr(at, "__file__", None)
    for part in name.split("."):
        at = getattr(at, part, None)
    if at is not function or file is None:
        raise ValueError(f"function_or_module: given {name} of {module}, legal is {legal}")
    own = name.rpartition(".")[2]
    if operation is None and own not in OPERATIONS:
        raise ValueError(f"operation: given none, and the function is named {own}; legal is {', '.join(OPERATIONS)}")
    return file, module, {operation or own: name}


@dataclasses.dataclass(frozen=True)
class Run:
    """A run of the program."""

    exit_code: int
    said: str  # on stdout
    complained: str  # on stderr
    summary: dict | None
    folder: str

    def story_of(self, property=None):
        """What it says of a property that is FAILED or MISTRUSTED; of the most telling one, if it is None."""
        for block in self.said.split("\n\n"):
            if re.match(rf"(FAILED|MISTRUSTED) {re.escape(property) if property else '[a-z_]+/'}", block):
                return block.rstrip().replace("./tileproof replay", "tileproof replay")
        return ""

    def judgements(self):
        """By property."""
        return {one["property"]: one for one in self.summary["judgements"]} if self.summary else {}

    def why_not(self):
        """Why the subject did not run; "" if it did."""
        return self.summary["subjects"][0]["why_not"] if self.summary and self.summary["subjects"] else ""

    def last_line(self):
        return self.said.rstrip().rpartition("\n")[2]

    def forget(self):
        """Removes its records, as nobody needs to replay anything."""
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            os.rmdir(os.path.dirname(self.folder))
        except OSError:
            pass  # of other runs


def new_folder(name):
    parent = os.path.abspath(RUNS)
    os.makedirs(parent, exist_ok=True)
    for attempt in range(1000):
        stamp = time.strftime("%Y%m%d-%H%M%S") + (f"-{attempt}" if attempt else "")
        folder = os.path.join(parent, f"{stamp}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}")
        try:
            os.mkdir(folder)
            return folder
        except FileExistsError:
            continue
    raise RuntimeError(f"{parent} has a thousand runs of this second")


def run(subject: Subject, properties: Iterable[str], cases, seconds, seed) -> Run:
    """Judges a subject.

    Raises:
        ValueError: the program does not take what it was given.
        RuntimeError: the program does not run on this machine.
    """
    folder = new_folder(subject.title)
    module = os.path.join(folder, "subject.py")
    with open(module, "w") as file:
        file.write(subject.text())
    records = os.path.join(folder, "records")
    command = [_native.PROGRAM, "verify", "--python", module, "--python-with", sys.executable, "--out", records]
    command += ["--no-accuracy", "--cases", str(cases), "--seed", str(seed)]
    command += [] if seconds is None else ["--for", f"{seconds:.1f}s"]
    for one in properties:
        command += ["--property", one]
    wide = {**os.environ, "COLUMNS": "160"}  # pytest's own would break the lines
    try:
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, env=wide)
    except OSError as error:
        raise RuntimeError(f"this machine cannot run {_native.PROGRAM}: {error.strerror}") from None
    summary = None
    if os.path.exists(os.path.join(records, "summary.json")):
        with open(os.path.join(records, "summary.json")) as file:
            summary = json.load(file)
    result = Run(ended.returncode, ended.stdout, ended.stderr, summary, folder)
    if ended.returncode == 2:
        result.forget()
        __tracebackhide__ = True
        said = ended.stderr.strip().rpartition("\n")[2].removeprefix("tileproof: ")
        raise ValueError(re.sub(r"^--(property)?", lambda flag: "properties" if flag[1] else "", said))
    if ended.returncode not in (0, 1, 3):
        raise RuntimeError(f"tileproof ends with {ended.returncode}: {(ended.stderr or ended.stdout).strip()[-2000:]}")
    return result


def verify(
    function_or_module: Callable | types.ModuleType,
    format: str | None = None,
    operation: str | None = None,
    device: str | None = None,
    seconds: float | None = None,
    *,
    cases: int = CASES,
    seed: int = 1,
    properties: Iterable[str] = (),
    **statements,
) -> str:
    """Judges a function, or the functions of a module, against the specification of a format, bit for bit.

    The function runs in a process of its own, over memory that is watched: a crash, a hang, a read outside its inputs is a
    finding like a wrong bit. Problems are drawn, and what fails is made as small as possible.

    Args:
        function_or_module: a function at the top level of a file, of torch tensors (Triton, CuPy) or of numpy arrays, which are
            told by what its file imports (`arrays="numpy"` or "torch" says so); or a module with pack, unpack, dequantize or
            convert. `dequantize` gets the packed codes and the scheme's tensors, `pack` codes uint8 [n][k], `unpack` and
            `convert` the packed codes; what it has parameters for of n, k, group_size and dtype it gets by name.
        format: a name of `tileproof.formats()`; of a module the default is its FORMAT.
        operation: pack, unpack, dequantize or convert; default: the name of the function.
        device: "cpu", the default, or "cuda".
        seconds: goes on with fresh problems until so much time is used. Large matrices (size/), which come last, are then not
            begun; what is returned says so. Default: `cases` for each property, once, and size/.
        cases: problems drawn for each property.
        seed: of all problems; the same seed gives the same problems.
        properties: names of `tileproof list properties`, or how they begin; default: all that can be asked.
        **statements: what the function takes, as a module states it: schemes, types, group_sizes, n_multiple, k_multiple,
            max_n, max_k, arrays, format_to. README says what they mean.

    Returns:
        The verdict, in a line: "PASSED: 14 PASSED, ...".

    Raises:
        AssertionError: the function is wrong, with the smallest case and the line that replays it; or too little was looked at.
        NotJudged: this machine lacks what the function needs; a skipped test.
        ValueError, TypeError: an argument is not legal.
    """
    __tracebackhide__ = True  # pytest then ends with the caller's line
    if is_judged_here:
        return "not judged: this is the process that judges"
    if seconds is not None and not 0 < seconds < 1e6:
        raise ValueError(f"seconds: given {seconds}, legal is more than 0 and at most a million")
    subject = subject_of(function_or_module, format, operation, device, statements)
    askable, properties = subject.askable(), list(properties)
    large = [name for name in askable if name.startswith(LARGE)]
    quick = [name for name in askable if name not in large]
    rounds = [properties] if properties else [quick, large] if seconds is None else [quick]
    begin, lines = time.monotonic(), []
    while rounds:
        names, left = rounds.pop(0), None
        if not names:
            continue
        if lines and seconds is not None:
            left, seed = seconds - (time.monotonic() - begin), seed + 1
        ran = run(subject, names, cases, left, seed)
        if ran.exit_code == 0 or ran.why_not():
            ran.forget()
        if ran.why_not():
            raise NotJudged(ran.why_not())
        if ran.exit_code != 0:
            raise AssertionError(_story(subject, ran))
        lines.append(ran.last_line())
        if seconds is not None and time.monotonic() - begin < seconds - 1:
            rounds.append(names)
    if large and not properties and seconds is not None:
        lines.append(f"not asked: {', '.join(large)}")
    return "; ".join(lines)


def _story(subject, ran):
    red = [one["property"] for one in ran.summary["judgements"] if one["verdict"] in ("FAILED", "MISTRUSTED")]
    story = ran.story_of()
    others = [name for name in red if f" {name} " not in story.partition("\n")[0]]
    lines = [f"{subject.title} is not what {subject.statements['FORMAT']} says", "", story or ran.last_line()]
    if others:
        lines += ["", f"{len(others)} other properties fail: {', '.join(others)}"]
    return "\n".join([*lines, f"records: {os.path.relpath(ran.folder)}"])


def kernel(format: str | None = None, operation: str | None = None, device: str | None = None, **statements):
    """Marks a function for pytest, which makes a test of each property that it can be asked.

        @tileproof.kernel(format="awq")
        def dequantize(packed, scales, zeros): ...

    Args: as those of `verify`.

    Returns:
        A decorator that gives the function back as it is.

    Raises:
        TypeError: an argument is unknown.
    """

    def mark(function):
        function.__tileproof_kernel__ = {
            "format": format, "operation": operation, "device": device, "statements": statements
        }  # fmt: skip
        return function

    return mark
