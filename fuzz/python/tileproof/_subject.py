"""What is judged: functions that another process finds by file and name, and what is stated of them."""

from __future__ import annotations

import ctypes
import dataclasses
import difflib
import importlib
import importlib.machinery
import importlib.util
import json
import os
import pprint
import sys
import types

from tileproof import _specification

OPERATIONS = "pack", "unpack", "dequantize", "convert"
STATEMENTS = "schemes", "types", "group_sizes", "n_multiple", "k_multiple", "max_n", "max_k", "arrays", "format_to"
LEGAL_FUNCTION = "a function at the top level of a file, or a static method of a class there: another process finds it by its name"

is_judged_here = False  # whether this is the process in which a function is judged


@dataclasses.dataclass(frozen=True)
class Place:
    """Where another process finds a function."""

    file: str
    module: str  # by which this process has imported the file
    name: str  # within the module


@dataclasses.dataclass(frozen=True)
class Subject:
    """Functions by operation, and what is stated of them."""

    title: str  # for messages: "dequantize of test_mine.py"
    functions: dict[str, Place]
    statements: dict[str, object]  # FORMAT, DEVICE, TYPES, ...

    def text(self) -> str:
        """The module that `tileproof verify --python` takes. It looks for modules where this process does, in this order."""
        paths = list(dict.fromkeys(os.path.abspath(path) for path in sys.path))
        lines = [
            f'"""{self.title}, as tileproof judges it."""',
            "",
            "import sys",
            "",
            f"sys.path[:] = {pprint.pformat(paths, width=120)}",
            "",
            "from tileproof._subject import found",
            "",
            *(f"{name} = {value!r}" for name, value in self.statements.items()),
            *(f"{name} = found({at.file!r}, {at.module!r}, {at.name!r})" for name, at in self.functions.items()),
        ]
        return "\n".join(lines) + "\n"

    def askable(self) -> list[str]:
        """The names of the properties that it can be asked.

        Raises:
            ValueError: a statement is not legal, or there is no such property.
        """
        facts = [f"function={name}" for name in self.functions]
        for name, value in self.statements.items():
            values = [value] if isinstance(value, (str, int)) else value
            facts += [f"{name}={one}" for one in values if name not in ("DEVICE", "ARRAYS", "LIBRARY", "BUILD")]
        ask = _specification.library().tileproof_askable_properties
        ask.restype = ctypes.c_char_p
        answer = json.loads(ask("\n".join(facts).encode()))
        if "error" in answer:
            raise ValueError(answer["error"])
        if not answer["properties"]:
            raise ValueError(f"{self.title}: no property can be asked of what it takes, {self.statements}")
        return answer["properties"]


def found(file: str, module: str, name: str):
    """The function of a file. For the process that judges, where a script calls `verify` again while it is imported."""
    global is_judged_here
    is_judged_here = True
    at = _imported(file, module)
    for part in name.split("."):
        at = getattr(at, part)
    return at


def _imported(file, module):
    """The module of a file: the one of that name, where importing it gives this file; else by the file's place in its packages."""
    if _is_of(file, module):
        return importlib.import_module(module)
    folder, dotted = os.path.dirname(file), os.path.splitext(os.path.basename(file))[0]
    while os.path.exists(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        dotted = f"{package}.{dotted}"
    sys.path.insert(0, folder)
    if "." in dotted and _is_of(file, dotted):
        return importlib.import_module(dotted)
    loader = importlib.machinery.SourceFileLoader(f"tileproof_{dotted}", file)
    if loader.name not in sys.modules:
        loaded = sys.modules[loader.name] = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
        loader.exec_module(loaded)
    return sys.modules[loader.name]


def _is_of(file, module):
    try:
        spec = importlib.util.find_spec(module) if module != "__main__" else None
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None and os.path.realpath(spec.origin) == os.path.realpath(file)


def subject_of(target, format, operation, device, statements) -> Subject:
    """The subject of a function or a module.

    Raises:
        TypeError, ValueError: an argument is not legal.
    """
    unknown = [name for name in statements if name not in STATEMENTS]
    if unknown:
        near = difflib.get_close_matches(unknown[0], STATEMENTS, 1)
        raise TypeError(f"{unknown[0]}: no such argument, legal is {near[0] if near else ', '.join(STATEMENTS)}")
    if device not in (None, "cpu", "cuda"):
        raise ValueError(f"device: given {device!r}, legal is 'cpu' or 'cuda'")
    if operation is not None and operation not in OPERATIONS:
        raise ValueError(f"operation: given {operation!r}, legal is {', '.join(OPERATIONS)}")
    stated = {name.upper(): _plain(name, value) for name, value in statements.items() if value is not None}
    stated |= {name: value for name, value in (("FORMAT", format), ("DEVICE", device)) if value is not None}
    if isinstance(target, types.ModuleType):
        functions = {name: getattr(target, name) for name in OPERATIONS if callable(getattr(target, name, None))}
        if operation is not None:
            functions = {name: own for name, own in functions.items() if name == operation}
        if not functions:
            wanted = operation or ", ".join(OPERATIONS)
            raise ValueError(f"function_or_module: given module {target.__name__}, legal is one that has {wanted}")
        for name in *(name.upper() for name in STATEMENTS), "FORMAT", "DEVICE", "LIBRARY", "BUILD":
            if hasattr(target, name):
                stated.setdefault(name, getattr(target, name))
    elif callable(target):
        own = getattr(target, "__name__", None)
        if operation is None and own not in OPERATIONS:
            raise ValueError(f"operation: given none, and the function is named {own}; legal is {', '.join(OPERATIONS)}")
        functions = {operation or own: target}
    else:
        raise TypeError(f"function_or_module: given {target!r}, legal is a function or a module")
    if "FORMAT" not in stated:
        raise ValueError(f"format: given none, legal is {', '.join(_specification.formats())}")
    _specification.format_of(stated["FORMAT"])
    places = {name: _place_of(function) for name, function in functions.items()}
    names, files = (", ".join(dict.fromkeys(texts)) for texts in zip(*((at.name, os.path.basename(at.file)) for at in places.values())))
    return Subject(f"{names} of {files}", places, stated)


def _plain(name, value):
    """A statement as the text of a module can have it."""
    if isinstance(value, str):
        return value
    if hasattr(value, "__index__"):
        return value.__index__()
    try:
        return [one if isinstance(one, str) else one.__index__() for one in value]
    except (TypeError, AttributeError):
        raise TypeError(f"{name}: given {value!r}, legal is a text, a whole number, or a list of them") from None


def _place_of(function) -> Place:
    name, module = getattr(function, "__qualname__", None), getattr(function, "__module__", None)
    given = f"{name} of {module}" if name and module else repr(function)
    at = sys.modules.get(module)
    file = getattr(at, "__file__", None)
    for part in (name or "").split("."):
        at = getattr(at, part, None)
    if at is not function or file is None:
        raise ValueError(f"function_or_module: given {given}, legal is {LEGAL_FUNCTION}")
    return Place(os.path.abspath(file), module, name)
