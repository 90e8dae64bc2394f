"""Where the program and its libraries lie: beside this file, in the folder native."""

import ctypes
import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "native")
PROGRAM = os.path.join(FOLDER, "tileproof")


def loaded(name):
    """A library of ours.

    Raises:
        ImportError: it is not there, or this machine cannot load it.
    """
    path = os.path.join(FOLDER, name)
    if not os.path.exists(path):
        raise ImportError(f"this tileproof was built without {name}: install a wheel that has it")
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"this machine cannot load {name}: {error}. Install a tileproof that was built for it") from None
