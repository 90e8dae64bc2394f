"""The program, as `python3 -m tileproof` and as the command `tileproof` of a wheel."""

import os
import sys

from tileproof import _native


def main():
    # The interpreter that has this package is the one that runs modules, and replay lines name this program.
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
    os.environ["TILEPROOF_CALLED_AS"] = "tileproof"
    try:
        os.execv(_native.PROGRAM, ["tileproof", *sys.argv[1:]])
    except OSError as error:
        sys.exit(f"tileproof: this machine cannot run {_native.PROGRAM}: {error.strerror}. Install a tileproof that was built for it")


if __name__ == "__main__":
    main()
