"""The launcher, nightly and what they source, run in a copy of the tree where every tool they start is a fake.

Nothing is installed, fetched or built. TILEPROOF_COMMAND is the built program and TILEPROOF_COMMANDS the build's list of
compile commands; what is held against them is skipped without.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
REAL = """awk basename bash cat chmod cp cut date diff dirname env find flock grep head id ln ls mkdir mktemp mv nproc printf readlink rm sed sh
          sort stat tail tee touch tr true uname xargs""".split()
HEADERS = """rapidcheck.h gtest/gtest.h CLI/CLI.hpp nlohmann/json.hpp mpfr.h sqlite3.h benchmark/benchmark.h""".split()

# An interpreter with packages of its own. `pip install` does what its options in the environment say, as the real one does.
PYTHON = """\
#!{python} -S
import os, pathlib, runpy, shutil, sys
here = pathlib.Path(os.path.abspath(__file__)).parent.parent
site = here / "site"
sys.executable = str(here / "bin" / "python3")
sys.path.insert(0, str(site))
arguments = [argument for argument in sys.argv[1:] if argument != "-E"]
if arguments[:2] == ["-m", "venv"]:
    new = pathlib.Path(arguments[-1])
    shutil.rmtree(new, ignore_errors=True)
    (new / "bin").mkdir(parents=True)
    (new / "site").mkdir()
    shutil.copy(__file__, new / "bin" / "python3")
elif arguments[:4] == ["-m", "pip", "config", "list"]:
    for name, value in sorted(os.environ.items()):
        if name.startswith("PIP_"): print(":env:.%s=%r" % (name[4:].lower().replace("_", "-"), value))
elif arguments[:3] == ["-m", "pip", "install"]:
    options = {{name: value for name, value in os.environ.items() if name.startswith("PIP_")}}
    with open(os.environ["FAKE_LOG"], "a") as log: print("pip", arguments, sorted(options.items()), file=log)
    if set(options) <= {{"PIP_CONFIG_FILE", "PIP_INDEX_URL"}}:
        if "--target" in arguments:
            site = pathlib.Path(arguments[arguments.index("--target") + 1])
        if arguments[-1] == "pytest":
            (site / "pytest").mkdir(parents=True)
            (site / "pytest" / "__init__.py").touch()
        if arguments[-1].startswith("torch=="):
            shutil.copytree(os.environ["FAKE_TORCH"], site, dirs_exist_ok=True)
elif arguments[:3] == ["-m", "pip", "wheel"]:
    with open(os.environ["FAKE_LOG"], "a") as log: print("wheel", arguments[3:], file=log)
    (pathlib.Path(arguments[arguments.index("--wheel-dir") + 1]) / "tileproof-1-py3-none-any.whl").touch()
elif arguments[0] == "-c":
    sys.argv = arguments
    exec(arguments[1])
else:
    sys.argv = arguments
    runpy.run_path(arguments[0], run_name="__main__")
"""

FAKES = {
    "c++": 'echo "c++ 12"',
    "g++": 'echo "g++ 12"',
    "ninja": 'echo "1.11"',
    "nvcc": 'echo "nvcc ${FAKE_NVCC:-13.0}"',
    "apt-get": 'echo "apt-get $*" >>"$FAKE_LOG"; [[ $* != *" chromium" ]] || ln -s true "$FAKE_BIN/chromium"',
    # A real policy goes on behind the candidate, and a locale changes its words.
    "apt-cache": 'word=Installationskandidat; [[ ${LC_ALL-} != C ]] || word=Candidate; '
                 'for i in {1..20000}; do echo "  $word: 120.0"; done',
    "cmake": """
        case $1 in
          --version) echo "cmake version 3.28.1" ;;
          --preset) echo "configure ${*:2}" >>"$FAKE_LOG"; mkdir -p "build/$2"; : >"build/$2/build.ninja" ;;
          --build) echo "ninja: no work to do." ;;
        esac""",
    "ctest": """
        [[ $* != *" -N"* ]] || { echo "Total Tests: ${FAKE_TESTS:-3}"; exit; }
        env >"$FAKE_LOG.environment"; exit "${FAKE_ENDS:-0}" """,
}


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def put_torch(site, version, body="", abi="__cxx11"):
    """A torch that packages like the real one, and is empty."""
    write(site / "torch" / "__init__.py", body)
    write(site / "torch" / "lib" / "libc10.so", abi)
    write(site / "torch" / "include" / "torch" / "library.h", "")
    write(site / f"torch-{version}.dist-info" / "METADATA", f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n")


class Launched(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tileproof-launcher-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.tree, self.bin, self.cache = self.folder / "tree", self.folder / "bin", self.folder / "cache" / "tileproof"
        (self.tree / "fuzz").mkdir(parents=True)
        for name in ["tileproof", "CMakeLists.txt", "CMakePresets.json", *(f"fuzz/{name}" for name in
                     ["machine.sh", "python_facts.py", "help.txt", "nightly"])]:
            shutil.copy(TREE / name, self.tree / name)
        self.bin.mkdir()
        for name in REAL:
            if shutil.which(name):
                (self.bin / name).symlink_to(shutil.which(name))
        for name, body in FAKES.items():
            self.fake(name, body)
        for header in HEADERS:
            write(self.folder / "prefix" / "include" / header, "")
        self.log = self.folder / "log"
        self.torch = self.folder / "torch-to-install"
        put_torch(self.torch, "2.11.0")
        self.site = self.python("python", "2.11.0")
        self.environment = {
            "PATH": f"{self.folder}/python/bin:{self.bin}", "HOME": str(self.folder), "XDG_CACHE_HOME": str(self.cache.parent),
            "CMAKE_PREFIX_PATH": str(self.folder / "prefix"), "FAKE_LOG": str(self.log), "FAKE_BIN": str(self.bin),
            "FAKE_TORCH": str(self.torch), "CUDA_VISIBLE_DEVICES": ""}
        for preset in "dev", "gpu":
            write(self.tree / "build" / preset / "tileproof", f'#!/bin/sh\nenv >"$FAKE_LOG.environment"; echo {preset} "$@"\n', 0o755)

    def fake(self, name, body):
        write(self.bin / name, "#!/usr/bin/env bash\n" + textwrap.dedent(body) + "\n", 0o755)

    def python(self, name, torch=None, **more):
        """An interpreter python3 in a folder of its own, with everything but what is named."""
        write(self.folder / name / "bin" / "python3", PYTHON.format(python=sys.executable), 0o755)
        site = self.folder / name / "site"
        for package in "pytest", "venv", "ensurepip":
            write(site / package / "__init__.py", "")
        if torch:
            put_torch(site, torch, **more)
        return site

    def run_in_tree(self, *command, **environment):
        ran = subprocess.run([str(self.tree / command[0]), *command[1:]], env={**self.environment, **environment}, text=True,
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.said = ran.stdout + ran.stderr
        return ran

    def launch(self, *arguments, expect=0, **environment):
        ran = self.run_in_tree("tileproof", *arguments, **environment)
        self.assertEqual(ran.returncode, expect, self.said)
        return ran.stdout

    def logged(self, word):
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if line.startswith(word)]

    def configured_with(self):
        return re.search(r"-DTILEPROOF_PYTHON=(\S*)", self.logged("configure")[-1])[1]

    def given(self):
        """The environment that the tool started last was given."""
        return dict(line.split("=", 1) for line in Path(f"{self.log}.environment").read_text().splitlines() if "=" in line)


class WhatNeedsNoProgram(Launched):
    def setUp(self):
        super().setUp()
        shutil.rmtree(self.tree / "build")

    def tearDown(self):
        self.assertFalse((self.tree / "build").exists(), "something was built")
        self.assertFalse(self.log.exists(), "something was installed")

    def test_help_is_the_programs(self):
        shown = self.launch("--help")
        self.assertEqual([self.launch("-h"), self.launch()], [shown, shown])
        if "TILEPROOF_COMMAND" not in os.environ:
            self.skipTest("no TILEPROOF_COMMAND")
        program = subprocess.run([os.environ["TILEPROOF_COMMAND"], "--help"], text=True, capture_output=True, check=True)
        self.assertEqual(shown, program.stdout, "\nprint it anew: build/dev/tileproof --help >fuzz/help.txt")

    def test_version_is_the_programs(self):
        shown = self.launch("--version")
        self.assertRegex(shown, r"\Atileproof \d+\.\d+\.\d+\n\Z")
        if "TILEPROOF_COMMAND" in os.environ:
            program = subprocess.run([os.environ["TILEPROOF_COMMAND"], "--version"], text=True, capture_output=True, check=True)
            self.assertEqual(shown, program.stdout)

    def test_wrong_usage_is_refused(self):
        for given in "verfy", "--hlep", "", "merge", "-v", "Subcommands":
            with self.subTest(given):
                self.launch(given, expect=2)
                self.assertIn(f"'{given}'", self.said)
                self.assertIn("--help", self.said)
        for given in (), ("--out",), ("--out", ""), ("--in", "x"), ("--out", "x", "y"):
            self.launch("wheel", *given, expect=2)
            self.assertIn(f"wheel: given '{' '.join(given)}', legal is --out FOLDER", self.said)
        self.launch("verify", TMPDIR="/nowhere", expect=2)
        self.assertIn("TMPDIR: given '/nowhere', legal is a folder that can be written", self.said)
        self.launch("verify", TILEPROOF_PRESET="gpuu", expect=2)
        self.assertIn("TILEPROOF_PRESET: given 'gpuu', legal are coverage dev gpu libfuzzer sanitize", self.said)
        self.launch("verify", TILEPROOF_TORCH="off", expect=2)
        self.assertIn("TILEPROOF_TORCH: given 'off', legal are ON and OFF", self.said)

    def test_help_of_the_tests_is_the_launchers(self):
        self.assertIn("TILEPROOF_PRESET", self.launch("test", "--help"))


class Commands(Launched):
    def test_every_command_of_the_help_starts_the_program(self):
        help_text = (TREE / "fuzz" / "help.txt").read_text()
        commands = re.findall(r"^  ([a-z]+) ", help_text.split("Subcommands:")[1], re.M)
        self.assertIn("verify", commands)
        for command in commands:
            with self.subTest(command):
                self.assertEqual(self.launch(command, "--out", "a b"), f"dev {command} --out a b\n")

    def test_a_wheel_is_built_by_pip_over_the_torch_that_is_found(self):
        out = self.folder / "some wheels"
        self.assertEqual(self.launch("wheel", "--out", str(out)), f"{out}/tileproof-1-py3-none-any.whl\n")
        (built,) = self.logged("wheel")
        self.assertIn(f"cmake.define.TILEPROOF_PYTHON={self.folder}/python/bin/python3", built)
        self.assertIn(f"cmake.define.CMAKE_PREFIX_PATH={self.folder}/prefix", built)
        self.assertIn(str(self.tree), built)
        self.launch("wheel", "--out", "/proc/none", expect=2)
        self.assertIn("--out: given '/proc/none', legal is a folder that can be written", self.said)

    def test_the_matrix_of_torches_runs_where_it_is_asked_for(self):
        self.launch("test")
        self.assertNotIn("TILEPROOF_TORCH_MATRIX", self.given())
        self.launch("test", "-L", "torch-matrix")
        self.assertEqual(self.given()["TILEPROOF_TORCH_MATRIX"], "1")

    def test_tests_end_with_exit_codes_of_ours(self):
        self.launch("test")
        self.launch("test", FAKE_ENDS="8", expect=1)
        self.launch("test", "-R", "nothing", FAKE_ENDS="8", FAKE_TESTS="0", expect=3)
        self.assertIn("no test ran: -R nothing", self.said)


class Environment(Launched):
    OPTIONS = dict.fromkeys(["GTEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX", "GTEST_REPEAT", "GTEST_FILTER", "GTEST_ALSO_RUN_DISABLED_TESTS",
                             "GTEST_FAIL_FAST", "TESTBRIDGE_TEST_ONLY", "RC_PARAMS", "CTEST_TEST_LOAD", "CTEST_NO_TESTS_ACTION",
                             "BENCHMARK_FILTER", "PYTEST_ADDOPTS", "PYTHONPATH", "PYTHONHOME", "PYTHONOPTIMIZE"], "0")
    OF_TESTS = dict.fromkeys(["TORCH_COMPILE_DISABLE", "TORCHDYNAMO_DISABLE", "PYTORCH_JIT", "ASAN_OPTIONS", "GCOV_PREFIX"], "0")

    def test_tools_get_no_options_from_it(self):
        self.launch("test", **self.OPTIONS, **self.OF_TESTS, OTHER="kept")
        self.assertEqual(sorted(set(self.given()) & {*self.OPTIONS, *self.OF_TESTS}), [])
        self.assertEqual(self.given()["OTHER"], "kept")

    def test_a_users_own_run_keeps_what_is_said_to_python_torch_and_sanitizers(self):
        self.launch("verify", **self.OPTIONS, **self.OF_TESTS)
        kept = [*self.OF_TESTS, *(name for name in self.OPTIONS if name.startswith("PYTHON"))]
        self.assertEqual(sorted(set(self.given()) & {*self.OPTIONS, *self.OF_TESTS}), sorted(kept))


class Stamp(Launched):
    def configurations(self, **environment):
        self.launch("verify", **environment)
        return len(self.logged("configure"))

    def test_what_decides_configures_again(self):
        self.assertEqual(self.configurations(), 1)
        self.assertEqual(self.configurations(UNRELATED="x", CUDA_VISIBLE_DEVICES="-1", CMAKE_BUILD_PARALLEL_LEVEL="1"), 1)
        self.assertEqual(self.configurations(CUDAHOSTCXX="g++"), 2)
        self.assertEqual(self.configurations(), 3)
        variables = """CC CXX CFLAGS CXXFLAGS LDFLAGS CUDACXX CUDAHOSTCXX CUDAFLAGS CUDAARCHS NVCC_PREPEND_FLAGS NVCC_APPEND_FLAGS
                       NVCC_CCBIN CMAKE_CUDA_COMPILER_LAUNCHER CMAKE_LIBRARY_PATH GTest_ROOT rapidcheck_DIR CPATH LIBRARY_PATH
                       PKG_CONFIG_PATH""".split()
        self.configurations(**dict.fromkeys(variables, "g++"))
        stamp = (self.tree / "build" / "dev" / ".configured").read_text().splitlines()
        self.assertEqual([name for name in variables if f"{name}=g++" not in stamp], [])

    def test_another_tool_or_torch_configures_again(self):
        self.configurations()
        other = self.folder / "other"
        write(other / "nvcc", "#!/bin/sh\nexit 1\n", 0o755)
        self.assertEqual(self.configurations(PATH=f"{other}:{self.environment['PATH']}"), 2)  # another nvcc before it
        self.assertEqual(self.configurations(), 3)
        self.assertEqual(self.configurations(FAKE_NVCC="13.1"), 4)  # the same one, mended or upgraded
        self.assertEqual(self.configurations(), 5)
        self.fake("c++", 'echo "c++ 13"')
        self.assertEqual(self.configurations(), 6)
        shutil.rmtree(self.site)
        self.python("python", "2.12.1")
        self.assertEqual(self.configurations(), 7)
        write(self.bin.parent / "lib" / "cmake" / "GTest" / "x", "")  # CMake looks for packages beside PATH
        self.assertEqual(self.configurations(), 8)
        self.assertEqual(self.configurations(), 8)
        self.assertEqual(self.configurations(PATH=f"{self.bin}:{self.environment['PATH']}"), 8)  # a folder named twice

    def test_says_why_it_configures_again(self):
        why = "not what this tree was configured with"
        for _ in range(2):
            self.launch("verify")
            self.assertNotIn(why, self.said)
        self.launch("verify", CXXFLAGS="-g")
        self.assertIn(why, self.said)
        self.assertIn("tileproof:   now: CXXFLAGS=-g\n", self.said)
        self.launch("verify")
        self.assertIn("tileproof:   was: CXXFLAGS=-g\n", self.said)


class Torch(Launched):
    def used(self, **environment):
        """Which interpreter's torch is built with: none is installed."""
        self.launch("verify", **environment)
        return os.path.relpath(self.configured_with(), self.folder)

    def test_any_from_the_oldest_on_is_used(self):
        for version in "2.10.0a0+git1234", "2.15.0", "3.0.1+cu130":
            with self.subTest(version):
                shutil.rmtree(self.site)
                self.python("python", version)
                self.assertEqual(self.used(), "python/bin/python3")
                self.assertEqual(self.logged("pip"), [])

    def test_one_that_will_not_do_is_said_and_replaced(self):
        pinned = f"cache/tileproof/torch-2.11.0-python{sys.version_info[0]}.{sys.version_info[1]}/bin/python3"
        for given, said in [({"torch": "2.9.1"}, "torch 2.9.1, and 2.10 or later is needed"),
                            ({"torch": "2.12.0", "body": "raise ImportError('libcudart.so.13: no such file')"},
                             "torch 2.12.0, which does not import: ImportError: libcudart.so.13: no such file"),
                            ({"torch": "2.12.0", "abi": "Ss"}, "torch 2.12.0, built for the C++ ABI before C++11")]:
            with self.subTest(said):
                shutil.rmtree(self.site)
                self.python("python", **given)
                self.assertEqual(self.used(), pinned)
                self.assertIn(said, self.said)
                self.assertIn("torch 2.11.0 is used instead", self.said)

    def test_none_brings_the_pinned_one_once(self):
        shutil.rmtree(self.site)
        self.python("python")
        first = self.used()
        self.assertRegex(first, "^cache/")
        installed = self.logged("pip")
        self.assertEqual(self.used(), first)
        self.assertEqual(self.logged("pip"), installed)

    def test_pythonpath_does_not_decide(self):
        other = self.folder / "elsewhere"
        put_torch(other, "2.13.0")
        self.used()
        self.used(PYTHONPATH=str(other))
        self.assertEqual(len(self.logged("configure")), 1)
        facts = subprocess.run([sys.executable, "-E", TREE / "fuzz" / "python_facts.py"], env={**os.environ, "PYTHONPATH": str(other)},
                               capture_output=True, text=True, check=True).stdout
        self.assertNotIn("2.13.0", facts)

    def test_pip_is_told_where_from_and_nothing_else(self):
        shutil.rmtree(self.site)
        self.python("python")
        options = {"DRY_RUN": "1", "TARGET": "/nowhere", "PREFIX": "/nowhere", "ROOT": "/nowhere", "CONSTRAINT": "/nowhere/c.txt",
                   "USER": "1", "NO_DEPS": "1", "PLATFORM": "win32", "REQUIREMENT": "r.txt", "INDEX_URL": "https://example/it's"}
        self.assertRegex(self.used(**{f"PIP_{name}": value for name, value in options.items()}), "^cache/")
        (stamp,) = self.cache.glob("torch-*/.complete")
        self.assertTrue((stamp.parent / "site" / "torch").exists())
        for installed in self.logged("pip"):
            self.assertIn("""[('PIP_CONFIG_FILE', '/dev/null'), ('PIP_INDEX_URL', "https://example/it's")]""", installed)

    def test_no_stamp_where_torch_does_not_import(self):
        shutil.rmtree(self.site)
        self.python("python")
        write(self.torch / "torch" / "__init__.py", "raise ImportError('cut short')")
        self.launch("verify")
        self.assertEqual(self.configured_with(), "")
        self.assertIn("no torch to be had", self.said)
        self.assertEqual(list(self.cache.glob("torch-*/.complete")), [])

    def test_a_stamp_without_torch_is_not_believed(self):
        shutil.rmtree(self.site)
        self.python("python")
        first = self.used()
        environment = self.folder / Path(first).parent.parent
        shutil.rmtree(environment / "site" / "torch")
        self.assertEqual(self.used(), first)
        self.assertTrue((environment / "site" / "torch").exists())

    def test_pytest_goes_beside_anybodys_torch(self):
        shutil.rmtree(self.site / "pytest")
        self.launch("verify")
        self.assertEqual(self.logged("pip"), [])
        self.launch("test")
        (installed,) = self.logged("pip")
        self.assertIn("'pytest'", installed)
        self.assertIn(f"'--target', '{self.cache}/packages/python3.", installed)


class Gpu(Launched):
    HIDDEN = ["", "-1", " ", "-1,0", "none", "NoDevFiles", "void", "99", "x,0"]
    SEEN = ["0", " 0", "0,1", "0,-1", "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", "MIG-1/2/3"]

    def setUp(self):
        super().setUp()
        del self.environment["CUDA_VISIBLE_DEVICES"]
        self.fake("nvidia-smi", 'echo "GPU 0: H200 (UUID: GPU-1)"; echo "  MIG 1g.18gb"')

    def preset(self, **environment):
        return self.launch("verify", **environment).split()[0]

    def test_one_that_is_hidden_is_none(self):
        def seen(**environment):
            return subprocess.run(["bash", "-c", f"set -euo pipefail; source '{self.tree}/fuzz/machine.sh'; has_gpu"],
                                  env={**self.environment, **environment}, timeout=60).returncode == 0

        self.assertEqual([value for value in self.HIDDEN if seen(CUDA_VISIBLE_DEVICES=value)], [])
        self.assertEqual([value for value in self.SEEN if not seen(CUDA_VISIBLE_DEVICES=value)], [])
        self.assertEqual([seen(NVIDIA_VISIBLE_DEVICES=value) for value in ("void", "none", "all")], [False, False, True])
        self.assertEqual([self.preset(), self.preset(CUDA_VISIBLE_DEVICES="")], ["gpu", "dev"])

    def nightly(self, **environment):
        ran = self.run_in_tree("fuzz/nightly", "1s", str(self.folder / "nights"), **environment)
        rows = {line.split()[0]: line for line in ran.stdout.splitlines()}
        return ran.returncode, rows.get("sanitizers")

    def test_a_night_says_why_its_sanitizers_did_not_run(self):
        for preset in "dev", "gpu":
            write(self.tree / "build" / preset / "tileproof", textwrap.dedent("""\
                #!/bin/sh
                if [ "$1" = prove ]; then
                  echo "SKIPPED sanitizers/memcheck: no compute-sanitizer on PATH"
                  echo "SKIPPED sanitizers/racecheck: no compute-sanitizer on PATH"
                  echo "MISTRUSTED: a sanitizer has shown nothing"
                  exit 3
                fi
                while [ $# -gt 0 ]; do [ "$1" != --json ] || echo "{}" >"$2"; shift; done
                echo PASSED
                """), 0o755)
        ended, row = self.nightly()
        self.assertEqual(ended, 3, self.said)
        self.assertRegex(row, "^sanitizers +3 .* a sanitizer has shown nothing: no compute-sanitizer on PATH$")
        ended, row = self.nightly(CUDA_VISIBLE_DEVICES="")
        self.assertEqual(ended, 0, self.said)
        self.assertRegex(row, "^sanitizers +0 .* not run: there is no GPU here, or it is hidden$")


class Browser(Launched):
    def test_is_installed_where_it_is_offered(self):
        for attempt in range(3):
            self.launch("test", LC_ALL="")
            self.assertEqual(len(self.logged("apt-get")), 2 * (attempt + 1), self.said)
            (self.bin / "chromium").unlink()

    def test_is_looked_for_once_where_it_is_not(self):
        self.fake("apt-cache", "true")
        self.launch("test")
        self.assertIn("no chromium to be had: the tests that open a report in it are skipped", self.said)
        self.assertEqual(len(self.logged("apt-get")), 1)  # the list of packages may only be old
        self.launch("test")
        self.assertEqual(len(self.logged("apt-get")), 1)


class NvccThatFails(unittest.TestCase):
    def why(self, **environment):
        with tempfile.TemporaryDirectory() as folder:
            for name, body in environment.pop("files", {}).items():
                write(Path(folder) / name, body, 0o755)
            script = Path(folder) / "ask.cmake"
            write(script, f"include({TREE}/fuzz/why_no_nvcc.cmake)\nwhy_no_nvcc(why)\nmessage(STATUS ${{why}})\n")
            kept = {name: value for name, value in os.environ.items() if not name.startswith(("CUDA", "NVCC"))}
            ran = subprocess.run([shutil.which("cmake"), "-P", script], cwd=folder, env={**kept, "PATH": f"{folder}:/usr/bin:/bin",
                                 **environment}, capture_output=True, text=True, check=True)
            return ran.stdout.replace(folder, "FOLDER").removeprefix("-- ").strip()

    def test_is_told_apart_from_none(self):
        self.assertEqual(self.why(PATH="/nowhere"), "no nvcc on PATH")
        self.assertEqual(self.why(files={"nvcc": "#!/bin/sh\nexit 1\n"}), "nvcc is there and failed: FOLDER/nvcc: exit code 1")
        self.assertEqual(self.why(files={"nvcc": "#!/bin/sh\necho 'a word; before' >&2; echo 'fatal: \"x\\y\"; no license'; exit 9\n"}),
                         "nvcc is there and failed: FOLDER/nvcc: exit code 9: fatal: 'x'y'' no license")
        self.assertEqual(self.why(CUDACXX="/nowhere/nvcc").lower(),  # CMake writes it in small letters, or not
                         "nvcc is there and failed: /nowhere/nvcc: no such file or directory")
        self.assertEqual(self.why(files={"nvcc": "#!/bin/sh\necho no $2 >&2; exit 1\n"}, CUDAHOSTCXX="g++-99"),
                         "nvcc is there and failed: FOLDER/nvcc -ccbin g++-99: exit code 1: no g++-99")


class Tree(unittest.TestCase):
    def test_no_shell_script_pipes_into_what_stops_reading(self):
        """Under pipefail the writer's SIGPIPE is then the pipe's failure, now and then."""
        scripts = [path for path in TREE.glob("**/*") if path.is_file() and "build" not in path.relative_to(TREE).parts[:1] and
                   (path.suffix == ".sh" or path.read_bytes()[:32].startswith((b"#!/usr/bin/env bash", b"#!/bin/bash", b"#!/bin/sh")))]
        self.assertIn(TREE / "tileproof", scripts)
        for script in scripts:
            for number, line in enumerate(script.read_text().splitlines(), 1):
                self.assertNotRegex(line, r"\|\s*(grep\s+(-\w*[qm]|--quiet|--max-count)|head\b|sed\b.*q[;'\"])", f"{script}:{number}")

    def test_every_file_of_ours_is_compiled_without_contraction(self):
        if "TILEPROOF_COMMANDS" not in os.environ:
            self.skipTest("no TILEPROOF_COMMANDS")
        commands = json.loads(Path(os.environ["TILEPROOF_COMMANDS"]).read_text())
        self.assertGreater(len(commands), 10)
        for command in commands:
            words = command["command"].split()
            host = [word for word in words if word.startswith("-Xcompiler=")] if command["file"].endswith(".cu") else words
            flags = ",".join(host).replace("-Xcompiler=", "").split(",")
            contract = [flag for flag in flags if flag.startswith("-ffp-contract=")]
            self.assertEqual(contract[-1:], ["-ffp-contract=off"], command["file"])
            fast = [flag for flag in flags if flag.endswith("fast-math") or flag == "-funsafe-math-optimizations"]
            self.assertEqual(fast[-1:], ["-fno-fast-math"], command["file"])


if __name__ == "__main__":
    unittest.main()
