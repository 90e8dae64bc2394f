"""One wheel in environments with several releases of PyTorch: the operators' tests and the package's, in each.

Runs where `./tileproof test -L torch-matrix` asks for it: it builds the wheel, and fetches what the launcher's cache lacks.
"""

import glob
import os
import subprocess
import sys
import tempfile

RELEASES = "2.10.0", "2.11.0", "2.15.0"  # the oldest, the launcher's, the newest
SKIPPED = 77
TREE = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../.."))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "tileproof")
TESTS = "kernels/torch/operators_test.py", "fuzz/python/tests/package_test.py"


def interpreter_with(release):
    """The python3 of an environment in the launcher's cache, made where there is none yet."""
    version = "%d.%d" % sys.version_info[:2]
    folder = os.path.join(CACHE, f"torch-{release}-python{version}")
    python, complete = os.path.join(folder, "bin", "python3"), os.path.join(folder, ".complete")
    if not os.path.exists(complete):
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--no-cache-dir", "numpy", f"torch=={release}"], check=True)
        open(complete, "w").close()
    return python


def main():
    if "TILEPROOF_TORCH_MATRIX" not in os.environ:
        print("not asked for: ./tileproof test -L torch-matrix")
        return SKIPPED
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([os.path.join(TREE, "tileproof"), "wheel", "--out", folder], check=True)
        (wheel,) = glob.glob(os.path.join(folder, "*.whl"))
        for release in RELEASES:
            python, site = interpreter_with(release), os.path.join(folder, release)
            subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", site, wheel], check=True)
            environment = {**os.environ, "PYTHONPATH": f"{site}:{os.environ.get('PYTHONPATH', '')}"}
            for test in TESTS:
                print(f"torch {release}: {test}", flush=True)
                command = [python, "-m", "pytest", "-p", "no:cacheprovider", "-q", os.path.join(TREE, test)]
                if subprocess.run(command, cwd=folder, env=environment).returncode != 0:
                    failed.append(f"torch {release}: {test}")
    print("failed: " + ", ".join(failed) if failed else f"passed with torch {', '.join(RELEASES)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
