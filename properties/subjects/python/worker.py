"""The worker process of a Python module: python3 worker.py LIBRARY SOCKET PRELOADED

The library holds the harness. It asks this file for two things (properties/subjects/python.h): to import the module,
and to call one of its functions over arrays that lie in the harness's guarded memory.
"""

import ctypes
import difflib
import hashlib
import importlib.machinery
import importlib.metadata
import importlib.util
import inspect
import io
import math
import os
import select
import signal
import sys

DONE, ILLEGAL, UNAVAILABLE, ERROR, VIOLATION, DEVICE_LOST = range(6)  # as PythonAnswer
FUNCTIONS = "pack", "unpack", "dequantize", "convert"
STATEMENTS = "FORMAT", "FORMAT_TO", "SCHEMES", "TYPES", "GROUP_SIZES", "N_MULTIPLE", "K_MULTIPLE", "MAX_N", "MAX_K"
FENCE_BYTES = 4096  # on each side of an array on a device
LEGAL_MODULE = "a Python file that can be imported"
MODULE_NAME = "tileproof_module"


class Array(ctypes.Structure):  # PythonArray
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("dtype", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("dims", ctypes.c_int64 * 4),
        ("dim_count", ctypes.c_int32),
    ]

    def shape(self):
        return tuple(self.dims[: self.dim_count])

    def bytes_at(self, item_bytes):
        """The array's memory, without a copy."""
        return (ctypes.c_uint8 * (math.prod(self.shape()) * item_bytes)).from_address(self.data)


class Call(ctypes.Structure):  # PythonCall
    _fields_ = [
        ("function", ctypes.c_char_p),
        ("arrays", Array * 3),
        ("array_count", ctypes.c_int32),
        ("n", ctypes.c_int64),
        ("k", ctypes.c_int64),
        ("group_size", ctypes.c_int64),
        ("result", Array),
        ("fence", ctypes.c_int32),
    ]


IMPORT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64)
STATE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int64)
CALL = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Call), ctypes.c_void_p, ctypes.c_int64)


class Stop(Exception):
    """Ends what is asked, with an answer that is not done."""

    def __init__(self, answer, *lines):
        self.answer = answer
        self.text = "\n".join(one_line(line) for line in lines)


def one_line(text):
    return " ".join(str(text).split())[:500]


def hashed(data):
    return hashlib.sha256(data).hexdigest()[:16]


def described(error):
    """ "ValueError: no such thing (mine.py, line 12)", of the last line that it passed of the module or of a file from which
    the module has its functions."""
    functions = [getattr(module, name, None) for name in FUNCTIONS]
    files = {module_file, *(one.__code__.co_filename for one in functions if inspect.isfunction(one))}
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file in files:
            place = f" ({os.path.basename(file)}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return one_line(f"{type(error).__name__}: {error}") + place


def is_autocast_enabled_on_cpu(torch):
    try:
        return torch.is_autocast_enabled("cpu")
    except TypeError:  # of a torch that asks it by the device's own function
        return torch.is_autocast_cpu_enabled()


class TorchArrays:
    name = "torch"

    def __init__(self, device):
        import torch

        self.torch, self.device = torch, torch.device(device)
        self.inputs = []
        if device == "cuda" and not torch.cuda.is_available():
            raise Stop(UNAVAILABLE, f"DEVICE is cuda, and torch {torch.__version__} finds no CUDA device")

    def not_watched(self):
        """Memory of the function's own that nobody watches."""
        if self.device.type == "cuda":
            if why_not_on_cuda:
                return f"memory that torch allocates on cuda, which is not watched ({why_not_on_cuda})"
            return "memory on cuda that is not torch's (CuPy's, Triton's own), which is not watched"
        if hasattr(ctypes.CDLL(None), "tileproof_intercept_allocations"):
            return ""
        return "memory that torch allocates on cpu, which is not watched"

    def is_device_lost(self):
        if self.device.type == "cpu":
            return False
        try:
            self.torch.cuda.synchronize()
        except Exception:
            return True
        return False

    def dtype(self, name):
        names = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32", "e8m0": "uint8", "e4m3": "float8_e4m3fn"}
        return getattr(self.torch, names.get(name, name))

    def of(self, array):
        """The harness's memory as a tensor on the CPU."""
        dtype = self.dtype(array.dtype.decode())
        if math.prod(array.shape()) == 0:
            return self.torch.empty(array.shape(), dtype=dtype)
        return self.torch.frombuffer(array.bytes_at(dtype.itemsize), dtype=dtype).reshape(array.shape())

    def argument(self, array, fence):
        here = self.of(array)
        if self.device.type == "cpu":
            return here
        size = here.nbytes
        fenced = self.torch.full((size + 2 * FENCE_BYTES,), fence, dtype=self.torch.uint8, device=self.device)
        there = fenced[FENCE_BYTES : FENCE_BYTES + size].view(here.dtype).reshape(here.shape)
        there.copy_(here)
        self.inputs.append((array.name.decode(), fenced, fenced.clone()))
        return there

    def check_inputs(self):
        """Checks copies on a device as the harness checks its own memory: fences, and inputs as they were."""
        inputs, self.inputs = self.inputs, []
        if inputs:
            self.torch.cuda.synchronize()
        for name, now, before in inputs:
            changed = (now != before).nonzero().flatten()
            if len(changed):
                at, end = int(changed[0]) - FENCE_BYTES, len(now) - 2 * FENCE_BYTES
                where = "changed its input" if 0 <= at < end else "wrote outside its input"
                raise Stop(VIOLATION, f"{where} {name}: byte {at} of {end} was changed on the device")

    def state(self):
        torch, on_cuda = self.torch, self.device.type == "cuda"
        all = {
            "grad mode": torch.is_grad_enabled(),
            "inference mode": torch.is_inference_mode_enabled(),
            "default dtype": torch.get_default_dtype(),
            "default device": torch.get_default_device() if hasattr(torch, "get_default_device") else "",
            "threads of an operator": torch.get_num_threads(),
            "threads between operators": torch.get_num_interop_threads(),
            "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
            "autocast on the CPU": is_autocast_enabled_on_cpu(torch),
            "random numbers of the CPU": hashed(bytes(torch.get_rng_state().tolist())),
        }
        if on_cuda:
            all["current device"] = torch.cuda.current_device()
            all["current stream"] = torch.cuda.current_stream()
            all["random numbers of the device"] = hashed(bytes(torch.cuda.get_rng_state().tolist()))
        return all

    def is_array(self, result):
        return isinstance(result, self.torch.Tensor)

    def text(self, dtype, shape, device):
        return f"{str(dtype).removeprefix('torch.')} {list(shape)} on {device}"

    def text_of(self, result):
        return self.text(result.dtype, result.shape, result.device if self.is_elsewhere(result.device) else self.device)

    def is_elsewhere(self, device):
        """Whether it is another device than the one that the inputs lie on, which is the current one of its type."""
        if device.type != "cuda" or self.device.type != "cuda":
            return device.type != self.device.type
        return device.index != self.torch.cuda.current_device()

    def overlap(self, one, other):
        one, other = one.untyped_storage(), other.untyped_storage()
        return one.data_ptr() < other.data_ptr() + other.nbytes() and other.data_ptr() < one.data_ptr() + one.nbytes()

    def require_form(self, name, result, array):
        to = self.of(array)
        form = self.text(to.dtype, to.shape, self.device)
        dtypes = [to.dtype, self.torch.uint8, self.torch.int64] if array.name == b"codes" else [to.dtype]
        is_right = result.dtype in dtypes and result.shape == to.shape and not self.is_elsewhere(result.device)
        if not is_right:
            raise Stop(ERROR, f"{name} gives {self.text_of(result)}, expected {form}")

    def take(self, result, array):
        to = self.of(array)
        if result.dtype == self.torch.int64:
            result = result.clamp(-(2**31), 2**31 - 1)
        to.copy_(result.detach())


class NumpyArrays:
    name = "numpy"

    def __init__(self, device):
        import numpy

        self.numpy = numpy
        if device != "cpu":
            raise Stop(ILLEGAL, "DEVICE", f"'{device}' beside ARRAYS = \"numpy\"", "cpu")

    def not_watched(self):
        return "memory that numpy allocates, which is not watched"

    def dtype(self, name):
        # numpy has no bf16: its bits are handed over.
        names = {"bf16": "uint16", "fp16": "float16", "fp32": "float32", "e8m0": "uint8", "e4m3": "uint8"}
        return self.numpy.dtype(names.get(name, name))

    def of(self, array):
        dtype = self.dtype(array.dtype.decode())
        return self.numpy.frombuffer(array.bytes_at(dtype.itemsize), dtype=dtype).reshape(array.shape())

    def argument(self, array, fence):
        return self.of(array)

    def check_inputs(self):
        pass

    def is_device_lost(self):
        return False

    def state(self):
        kind, keys, *rest = self.numpy.random.get_state()
        return {
            "numpy's answer to errors": self.numpy.geterr(),
            "numpy's random numbers": f"{kind} {hashed(keys.tobytes())} {rest}",
        }

    def is_array(self, result):
        return isinstance(result, self.numpy.ndarray)

    def text(self, dtype, shape):
        return f"{dtype} {list(shape)}"

    def text_of(self, result):
        return self.text(result.dtype, result.shape)

    def overlap(self, one, other):
        return self.numpy.may_share_memory(one, other)

    def require_form(self, name, result, array):
        to = self.of(array)
        dtypes = [to.dtype, self.dtype("uint8"), self.dtype("int64")] if array.name == b"codes" else [to.dtype]
        if result.dtype not in dtypes or result.shape != to.shape:
            raise Stop(ERROR, f"{name} gives {self.text_of(result)}, expected {self.text(to.dtype, to.shape)}")

    def take(self, result, array):
        to = self.of(array)
        if result.dtype == self.dtype("int64"):
            result = result.clip(-(2**31), 2**31 - 1)
        to[...] = result


ARRAYS = {kind.name: kind for kind in (TorchArrays, NumpyArrays)}


# --- Torch's memory on CUDA devices ----------------------------------------------------------------------------------

harness = ""  # the file of the library
why_not_on_cuda = "torch is not imported"  # why the harness does not guard what torch allocates there; "" if it does


def guard_on_cuda(torch):
    """Has the harness allocate in torch's place, which torch takes before its first allocation on a device alone."""
    global why_not_on_cuda
    try:
        memory = torch.cuda.memory
        functions = "tileproof_allocate_on_cuda", "tileproof_free_on_cuda"
        memory.change_current_allocator(memory.CUDAPluggableAllocator(harness, *functions))
        why_not_on_cuda = ""
    except Exception as error:  # of a torch that has no such thing, or is in use
        why_not_on_cuda = one_line(error)


class FinderOfTorch:
    """Guards torch's memory as soon as torch is there: a module may allocate while it is imported."""

    def find_spec(self, name, path, target=None):
        if name != "torch":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_guard(torch):
            execute(torch)
            guard_on_cuda(torch)

        spec.loader.exec_module = execute_and_guard
        return spec


# --- The module -------------------------------------------------------------------------------------------------------

module = arrays = None
module_file = ""
earlier_results = []  # (function, result), the last first, kept alive: a caller may still use them
MOST_EARLIER, MOST_EARLIER_BYTES = 16, 64 << 20


def texts_of(name):
    """The values that the module states under a name, as text."""
    value = getattr(module, name, None)
    if value is None:
        return []
    if value == [] or value == ():
        raise Stop(ILLEGAL, name, repr(value), "at least one value, or no statement")
    values = [value] if isinstance(value, (str, int)) else value
    try:
        return [one_line(one) for one in values]
    except TypeError:
        raise Stop(ILLEGAL, name, repr(value), "text, or a list") from None


def text_of(name, usual, legal):
    texts = texts_of(name) or [usual]
    if len(texts) != 1 or texts[0] not in legal:
        raise Stop(ILLEGAL, name, "'" + ", ".join(texts) + "'", " or ".join(legal))
    return texts[0]


def library():
    """The distribution that the module is about, with its version and, where several are installed as one, its build."""
    name, build = getattr(module, "LIBRARY", ""), getattr(module, "BUILD", "")
    if not isinstance(name, str):
        raise Stop(ILLEGAL, "LIBRARY", repr(name), "the name of an installed distribution")
    if not isinstance(build, str) or (build and not name):
        raise Stop(ILLEGAL, "BUILD", repr(build), "a text, beside LIBRARY")
    try:
        return f"{name} {importlib.metadata.version(name)}{'+' * bool(build)}{build}" if name else ""
    except importlib.metadata.PackageNotFoundError:
        raise lacking(name) from None


def lacking(name):
    """Names the command that installs what the module needs: as its first lines say, or of the package alone."""
    python, file = sys.executable or "python3", os.path.basename(module_file)
    lines = (getattr(sys.modules.get(MODULE_NAME), "__doc__", None) or "").splitlines()
    install = next((line for line in lines if line.startswith("pip install ")), f"pip install {name}")
    help = f"{python} -m {one_line(install)}, or --python-with another interpreter"
    return Stop(UNAVAILABLE, f"{python} has no package '{name}', which {file} needs: {help}")


def refuse_misspelt():
    """Refuses a module that has almost a name which it lacks: what it means by it would be passed over."""
    own = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    functions = [name for name, value in own.items() if callable(value)]
    constants = [name for name, value in own.items() if name.isupper() and not callable(value)]
    for names, known in (functions, FUNCTIONS), (constants, (*STATEMENTS, "DEVICE", "ARRAYS", "LIBRARY", "BUILD")):
        lacking_names = [name for name in known if name not in own]
        for name in set(names) - set(known):
            for meant in difflib.get_close_matches(name, lacking_names, 1, 0.85):
                raise Stop(ILLEGAL, name, f"in {os.path.basename(module_file)}", f"{meant}, if that is meant, or another name")


def load(file, device):
    global module, module_file, arrays
    module_file = file
    if module is None:
        if "torch" in sys.modules:
            guard_on_cuda(sys.modules["torch"])
        sys.meta_path.insert(0, FinderOfTorch())
        sys.argv = [file]
        sys.path[0] = os.path.dirname(file)
        sys.dont_write_bytecode = True
        loader = importlib.machinery.SourceFileLoader(MODULE_NAME, file)
        loaded = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
        sys.modules[loader.name] = loaded  # as any module's: classes and compilers look for it there
        try:
            in_one_process(lambda: loader.exec_module(loaded))
        except ModuleNotFoundError as error:
            raise lacking((error.name or "?").partition(".")[0]) from None
        except Stop as stop:
            raise Stop(ILLEGAL, "--python", f"'{file}' ({stop.text})", LEGAL_MODULE) from None
        except BaseException as error:
            raise Stop(ILLEGAL, "--python", f"'{file}' ({described(error)})", LEGAL_MODULE) from None
        module = loaded
    kind = text_of("ARRAYS", "torch" if "torch" in sys.modules else "numpy", list(ARRAYS))
    device = device or text_of("DEVICE", "cpu", ["cpu", "cuda"])
    try:
        arrays = ARRAYS[kind](device)
    except ModuleNotFoundError as error:
        raise lacking(error.name) from None
    earlier_results.clear()
    refuse_misspelt()
    facts = [("function", name) for name in FUNCTIONS if callable(getattr(module, name, None))]
    if len(texts_of("FORMAT")) > 1:
        raise Stop(ILLEGAL, "FORMAT", "'" + ", ".join(texts_of("FORMAT")) + "'", "one name")
    facts += [(name, text) for name in STATEMENTS for text in texts_of(name)]
    facts += [("DEVICE", device), ("LIBRARY", library()), ("not watched", arrays.not_watched())]
    return "\n".join(f"{name}={text}" for name, text in facts)


def call(asked):
    name = asked.function.decode()
    try:
        given = [arrays.argument(array, asked.fence) for array in asked.arrays[: asked.array_count]]
        try:
            function = getattr(module, name)
            by_name = wanted(function, asked)
            require_callable(function, asked, by_name)
            result = in_one_process(lambda: function(*given, **by_name))
        finally:
            arrays.check_inputs()
        if not arrays.is_array(result):
            raise Stop(ERROR, f"{name} gives {type(result).__name__}, expected one array of {arrays.name}")
        arrays.require_form(name, result, asked.result)
        require_own_memory(name, result, given)
        arrays.take(result, asked.result)
    except Stop:
        raise
    except BaseException as error:
        if arrays.is_device_lost():
            raise Stop(DEVICE_LOST, described(error)) from None
        if "CUDAPluggableAllocator does not" in str(error):
            raise Stop(UNAVAILABLE, f"{described(error)}: the harness allocates in place of torch") from None
        raise


def wanted(function, asked):
    """The sizes of the matrix and of its groups and the dtype of the result, as far as a function has parameters for them."""
    known = {"n": asked.n, "k": asked.k, "group_size": asked.group_size}
    known["dtype"] = arrays.dtype(asked.result.dtype.decode())
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # of a function in C
        return {}
    takes_all = any(one.kind is one.VAR_KEYWORD for one in parameters)
    names = {one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
    return {name: value for name, value in known.items() if takes_all or name in names}


def require_callable(function, asked, by_name):
    """Raises for a function whose parameters are not those that it is called with: it has no line of its own to name."""
    names = [array.name.decode() for array in asked.arrays[: asked.array_count]]
    try:
        inspect.signature(function).bind(*names, **by_name)
    except TypeError as error:
        given = ", ".join(names) + (f", and by name {', '.join(by_name)}" if by_name else "")
        raise Stop(ERROR, f"{asked.function.decode()}: {error}; it is called with {given}") from None
    except ValueError:  # of a function in C
        pass


def require_own_memory(name, result, given):
    if any(arrays.overlap(result, one) for one in given):
        raise Stop(VIOLATION, f"{name} gives memory of its own input")
    for before, (giver, earlier) in enumerate(earlier_results, 1):
        if arrays.overlap(result, earlier):
            when = "the call before" if before == 1 else f"{before} calls before"
            raise Stop(VIOLATION, f"{name} gives memory that holds what {giver} gave {when}, which a caller may still use")
    earlier_results.insert(0, (name, result))
    kept_bytes = 0
    for count, (_, earlier) in enumerate(earlier_results):
        kept_bytes += earlier.nbytes
        if count >= MOST_EARLIER or (count > 0 and kept_bytes > MOST_EARLIER_BYTES):
            del earlier_results[count:]
            break


# --- Processes --------------------------------------------------------------------------------------------------------

pipes = []  # one for each fork of the call: its end tells whether the child came back


def before_fork():
    pipes.append(os.pipe())


def in_child_of_fork():
    for ending in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:  # which the worker survives, and its children shall not
        signal.signal(ending, signal.SIG_DFL)


def in_parent_of_fork():
    os.close(pipes[-1][1])


def in_one_process(run):
    """Runs code of the module. A child that it forks and that comes back from it ends here."""
    pipes.clear()
    process = os.getpid()
    try:
        return run()
    finally:
        if os.getpid() != process:
            os.write(pipes[-1][1], b"came back")
            os._exit(0)
        if any([came_back(child) for child, _ in pipes]):
            raise Stop(ERROR, "forks, and both processes go on: os.fork() needs os._exit() in the child")


def came_back(child):
    """Waits two seconds at most for a child to come back or to end; one that works on is the module's own matter."""
    is_known, _, _ = select.select([child], [], [], 2)
    said = os.read(child, 1) if is_known else b""
    os.close(child)
    return bool(said)


class Output(io.FileIO):
    """A stream whose file may be full: what a module prints is for people, and no reason to fail."""

    def write(self, data):
        try:
            return super().write(data)
        except OSError:
            return len(data)


def answered(run, text, capacity):
    """Runs what is asked, and writes its text into the room that was given."""
    try:
        answer, said = DONE, run() or ""
    except Stop as stop:
        answer, said = stop.answer, stop.text
    except BaseException as error:  # SystemExit too
        answer, said = ERROR, described(error)
    said = said.encode(errors="replace")[: capacity - 1] + b"\0"
    ctypes.memmove(text, said, len(said))
    return answer


@IMPORT
def asked_to_import(file, device, text, capacity):
    return answered(lambda: load(os.fsdecode(file), device.decode()), text, capacity)


@CALL
def asked_to_call(asked, text, capacity):
    return answered(lambda: call(asked.contents), text, capacity)


@STATE
def asked_for_state(text, capacity):
    def lines():
        return "\n".join(f"{name}={one_line(value)}" for name, value in arrays.state().items())

    return answered(lines, text, capacity)


def main(library, socket, preloaded):
    global harness
    harness = library
    others = [name for name in os.environ.pop("LD_PRELOAD", "").split(":") if name not in ("", preloaded)]
    if others:  # which the programs that the module starts shall have too
        os.environ["LD_PRELOAD"] = ":".join(others)
    for name, descriptor in ("stdout", 1), ("stderr", 2):
        stream = io.BufferedWriter(Output(descriptor, "w", closefd=False))
        setattr(sys, name, io.TextIOWrapper(stream, errors="replace", line_buffering=True))
    os.register_at_fork(before=before_fork, after_in_child=in_child_of_fork, after_in_parent=in_parent_of_fork)
    ctypes.CDLL(library).tileproof_work_of_python(int(socket), asked_to_import, asked_to_call, asked_for_state)


if __name__ == "__main__":
    main(*sys.argv[1:])
