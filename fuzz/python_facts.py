"""Prints what an interpreter has that this tree uses, a fact a line: for the launcher and for CMake, which read them by place.

  python3 -E fuzz/python_facts.py [FOLDER]     pytest is looked for in FOLDER/pythonX.Y, too

Does not import torch, which takes seconds.
"""

import importlib.metadata
import importlib.util
import os
import re
import sys

PINNED_TORCH = "2.11.0"  # the one that the launcher brings where python3 has none that will do
OLDEST_TORCH = (2, 10)


def folder_of(package):
    spec = importlib.util.find_spec(package)
    return spec.submodule_search_locations[0] if spec and spec.origin and spec.submodule_search_locations else ""


def torch_facts():
    """Folder, version, and why it will not do: nothing where it will."""
    folder = folder_of("torch")
    if not folder:
        return "", "", "no torch"
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return folder, "", f"a folder {folder} that no package manager knows"
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if not numbers or tuple(map(int, numbers.groups())) < OLDEST_TORCH:
        return folder, version, f"torch {version}, and {'.'.join(map(str, OLDEST_TORCH))} or later is needed"
    try:
        with open(os.path.join(folder, "lib", "libc10.so"), "rb") as library:
            strings = library.read()
        os.stat(os.path.join(folder, "include", "torch", "library.h"))
    except OSError as error:
        return folder, version, f"torch {version} without what is compiled against: {error.filename}"
    if b"__cxx11" not in strings:  # its std::string must be ours
        return folder, version, f"torch {version}, built for the C++ ABI before C++11"
    return folder, version, ""


if __name__ == "__main__":
    own = os.path.dirname(os.path.abspath(__file__))
    sys.path = [folder for folder in sys.path if os.path.abspath(folder) != own]  # a folder beside this file is no package
    has = importlib.util.find_spec
    makes_environments = (3, 10) <= sys.version_info[:2] <= (3, 14) and has("venv") and has("ensurepip")  # has wheels of torch
    version = "%d.%d" % sys.version_info[:2]
    packages = os.path.join(sys.argv[1], "python" + version) if sys.argv[1:] and sys.argv[1] else ""
    facts = [PINNED_TORCH, version, sys.executable, "yes" if makes_environments else "no", *torch_facts(), packages]
    if packages:
        sys.path.append(packages)
    facts += ["yes" if has("pytest") else "no"]
    print("\n".join(facts))
