"""R1 to R8: how an import or a call hides in a stream of opcodes, and harmless streams that look the same."""

from __future__ import annotations

import argparse
import datetime
import pickle
import struct
from collections import OrderedDict, defaultdict

from generating.model import MARKER, Vector, bad, call, frame, glob, good, long, name_pair, short, undecided

__all__ = ["STREAMS"]

ARGUMENT = short(MARKER)
MKDIR = glob("posix", "mkdir")
RUN = call(MKDIR, ARGUMENT)
DICT = glob("collections", "OrderedDict")
P2, P4 = b"\x80\x02", b"\x80\x04"


def runs(name: str, rules: str, *data: bytes | tuple[bytes, int]) -> Vector:
    """A file that runs its payload when it is unpickled."""
    return bad(name, rules, *data, runs=True)


def by_operands(operands: bytes) -> bytes:
    """A call of what the two operands on the stack name."""
    return P4 + operands + b"\x93" + ARGUMENT + b"\x85R."


def allowed_by_operands(operands: bytes) -> bytes:
    return P4 + operands + b"\x93)R."


OPERANDS = (
    runs("plain", "PKL002", by_operands(short("posix") + short("mkdir"))),
    runs("from the memo", "PKL002", by_operands(short("posix") + b"q\5" + short("mkdir") + b"q\6" + b"00" + b"h\5h\6")),
    runs(
        "from places far in the memo",
        "PKL002",
        by_operands(short("posix") + b"r\xff\xff\0\0" + b"0" + b"j\xff\xff\0\0" + short("mkdir")),
    ),
    runs(
        "PUT keeps the top of the stack, not the last argument",
        "PKL002",
        by_operands(short("math") + short("posix") + b"p7\n" + b"00" + b"g7\n" + short("mkdir")),
    ),
    runs(
        "the memo is written twice",
        "PKL002",
        by_operands(short("math") + b"q\1" + short("posix") + b"q\1" + b"00" + b"h\1" + short("mkdir")),
    ),
    runs(
        "MEMOIZE counts what PUT wrote",
        "PKL002",
        by_operands(short("math") + b"q\0" + b"0" + short("posix") + b"\x94" + b"0" + b"h\1" + short("mkdir")),
    ),
    runs("decoys that are taken off again", "PKL002", by_operands(short("posix") + short("mkdir") + short("sqrt") + b"0")),
    runs("decoys above a mark", "PKL002", by_operands(short("posix") + short("mkdir") + b"(" + short("math") + b"1")),
    runs("twice by DUP", "PKL002", by_operands(short("posix") + b"2" + b"0" + short("mkdir") + b"2" + b"0")),
    runs("escapes in text lines", "PKL002", by_operands(b"V\\u0070osix\n" + b"Vmk\\u0064ir\n")),
    runs("escapes in strings of Python 2", "PKL002", by_operands(b"S'\\x70osix'\n" + b"U\5mkdir")),
    runs("strings of eight length bytes", "PKL002", by_operands(b"\x8d" + struct.pack("<Q", 5) + b"posix" + long("mkdir"))),
    bad("a name that a call makes", "PKL004 PKL005", by_operands(short("posix") + call(glob("builtins", "str"), short("mkdir")))),
    bad("a name that is bytes", "PKL004", by_operands(short("posix") + b"C\5mkdir")),
    bad("a module from a list", "PKL004", by_operands(b"]" + short("mkdir"))),
    bad("a name of a megabyte", "PKL004", P4, short("posix"), b"X" + struct.pack("<I", 1 << 20), (b"a", 1 << 20), b"\x93."),
    good("an allowed pair, plain", allowed_by_operands(short("collections") + short("OrderedDict"))),
    good(
        "an allowed pair from the memo",
        allowed_by_operands(short("OrderedDict") + b"\x94" + b"0" + short("collections") + b"h\0"),
    ),
    good("an allowed pair with escapes", allowed_by_operands(b"V\\u0063ollections\n" + b"S'Ordered\\x44ict'\n")),
    good("an allowed pair below decoys", allowed_by_operands(short("collections") + short("OrderedDict") + b"(KK1")),
)

CALLS = (
    runs("INST", "PKL002", b"(" + ARGUMENT + b"iposix\nmkdir\n."),
    runs("OBJ", "PKL002", b"(" + MKDIR + ARGUMENT + b"o."),
    runs("OBJ whose result is thrown away", "PKL002", b"(" + MKDIR + ARGUMENT + b"o0N."),
    runs("REDUCE whose result is thrown away", "PKL002", RUN + b"0N."),
    runs("REDUCE thrown away with a mark", "PKL002", b"(" + RUN + b"1N."),
    bad("NEWOBJ", "PKL002", P2 + glob("subprocess", "Popen") + b"(t\x81."),
    bad("NEWOBJ_EX", "PKL002", P4 + glob("subprocess", "Popen") + b")}\x92."),
    bad("NEWOBJ_EX with keywords", "PKL005", P4 + DICT + b"(t}" + short("a") + b"Ns\x92."),
    bad("BUILD of a class of its own", "PKL002", P2 + glob("mine", "Thing") + b")\x81}" + short("a") + b"Nsb."),
    bad("EXT1", "PKL007", P2 + b"\x82\1)R."),
    bad("EXT2", "PKL007", P2 + b"\x83\1\1)R."),
    bad("EXT4", "PKL007", P2 + b"\x84\1\1\0\0)R."),
    bad(
        "an extension that the same stream registers",
        "PKL002 PKL007",
        P2 + call(glob("copyreg", "add_extension"), short("posix"), short("mkdir"), b"K\x7f") + b"0\x82\x7f" + b"(" + ARGUMENT + b"tR.",
    ),
    bad("a persistent id by text", "PKL008", b"Pposix.mkdir\n."),
    bad("a persistent id from the stack", "PKL008", P2 + short("posix.mkdir") + b"Q."),
    bad("a persistent id in the form of torch, in a plain pickle", "PKL008", P2 + b"(" + short("storage") + b"tQ."),
    bad(
        "a persistent id whose type is refused",
        "PKL002 PKL008",
        P2 + b"(" + short("storage") + glob("mine", "Storage") + short("0") + short("cpu") + b"K\1tQ.",
    ),
    bad("a function that is passed on as a value", "PKL005", P2 + b"]" + glob("torch._utils", "_rebuild_tensor_v2") + b"a."),
    good("INST of a dict", b"(icollections\nOrderedDict\n."),
    good("OBJ of a dict", b"(" + DICT + b"o."),
    good("NEWOBJ of a bag of attributes", pickle.dumps(argparse.Namespace(lr=0.1, layers=[1, 2]), 2)),
    good("NEWOBJ_EX without keywords", P4 + DICT + b")}\x92."),
    good("results that are thrown away", call(DICT) + b"0" + call(DICT) + b"."),
)

INSIDE = ARGUMENT + b"\x85R."
FRAMES = (
    bad(
        "a string reaches out of its frame and swallows the payload for a linear reader",
        "PKL009",
        P4 + b"\x95" + struct.pack("<Q", 4) + b"\x8c\x20" + b"a" * 32 + b".",
    ),
    bad("a frame begins within a frame", "PKL009", P4 + b"\x95" + struct.pack("<Q", 30) + frame(b"NNN00") + b"N0" * 7 + b"."),
    bad("a frame is longer than the file", "PKL009", P4 + b"\x95" + struct.pack("<Q", 100) + b"N."),
    bad("a frame ends behind the pickle", "PKL009", P4 + b"\x95" + struct.pack("<Q", 9) + b"N." + b"N." * 4),
    runs("a frame around the payload", "PKL002", P4 + frame(MKDIR + INSIDE)),
    runs("a frame around a part of it", "PKL002", P4 + frame(MKDIR) + INSIDE),
    good("one frame", P4 + frame(b"]" + short("a") + b"a.")),
    good("frames one after the other", P4 + frame(b"]") + frame(short("a") + b"a") + frame(b".")),
    good("no frame", P4 + b"]" + short("a") + b"a."),
    good("a long string outside of frames", P4 + frame(b"]") + b"X\0\0\x10\0", (b"a", 1 << 20), frame(b"a.")),
)

SHAPES = (
    runs("behind a string of 12 MB", "PKL002", P4 + b"X" + struct.pack("<I", 12 << 20), (b"a", 12 << 20), b"0" + RUN + b"."),
    runs("behind 200,000 opcodes that do nothing", "PKL002", (b"N0", 200_000), RUN + b"."),
    runs("behind 100,000 numbers", "PKL002", b"](", (b"K\1", 100_000), b"e" + RUN + b"\x86."),
    bad("garbage follows in place of STOP", "PKL002 PKL003", RUN + b"\xff\xff\xff"),
    bad("the end follows in place of STOP", "PKL002 PKL003", RUN),
    bad("in the second of two pickles", "PKL002", P2 + b"N." + P2 + RUN + b"."),
    bad("in the hundredth pickle", "PKL002", (b"\x80\2N.", 99), P2 + RUN + b"."),
    runs("behind a float in text", "PKL002", b"F1.5\n0" + RUN + b"."),
    runs("behind a bytearray of eight length bytes", "PKL002", b"\x80\5\x96" + struct.pack("<Q", 3) + b"abc0" + RUN + b"."),
    runs("behind a buffer that is made read-only", "PKL002", b"\x80\5\x96" + struct.pack("<Q", 1) + b"a\x980" + RUN + b"."),
    bad("a buffer from outside", "PKL011", b"\x80\5\x97."),
    good("a string of 12 MB", P4 + b"X" + struct.pack("<I", 12 << 20), (b"a", 12 << 20), b"."),
    good("200,000 opcodes that do nothing", (b"N0", 200_000), b"N."),
    good("many pickles", (b"\x80\2N.", 1000)),
    good("floats, bytearrays and buffers", b"\x80\5F1.5\n0\x96" + struct.pack("<Q", 3) + b"abc\x98."),
)


def dotted(module: str, name: str) -> Vector:
    return bad(f"{module}: {name}", "PKL004", P4 + name_pair(module, name) + INSIDE)


DOTTED = (
    dotted("pathlib", "os.mkdir"),
    dotted("torch", "os.mkdir"),
    dotted("numpy.lib._npyio_impl", "os.mkdir"),
    dotted("torch.serialization", "os.mkdir"),
    dotted("collections", "_sys.exit"),
    dotted("collections", "OrderedDict.fromkeys"),
    dotted("builtins", "dict.get"),
    dotted("collections", "OrderedDict\n"),
    dotted("collections", ""),
    dotted("collections ", "OrderedDict"),
    bad("a module that is imported and then asked for a name that is none", "PKL004", b"cthis\nx y\n."),
    bad("the same by INST", "PKL004", b"(ithis\nx y\n."),
    undecided("a module that is imported, where the file ends in the name", "PKL003", b"cthis\nx"),
    bad("a module whose file has a strange name", "PKL004", b"cmy module\nx\n."),
    good("words in lines, which no loader takes for a pickle", b"contributors\nJane Doe\n", file="AUTHORS.txt"),
    bad("a module of an allowed package", "PKL002", P4 + name_pair("torch", "serialization") + b"."),
    bad("a module that an allowed one imported", "PKL002", P4 + name_pair("collections", "_sys") + b"."),
    bad("an allowed name in another letter case", "PKL002", P4 + name_pair("collections", "ordereddict") + b"."),
    good("an exact pair", P4 + name_pair("collections", "OrderedDict") + b")R."),
    good("a data type", P4 + name_pair("torch", "float32") + b"."),
    good("a path, which opens nothing", P4 + name_pair("pathlib", "PurePosixPath") + short("a/b.c") + b"\x85R."),
)

STATE = b"}" + short("a") + b"Ns"
BUILDS = (
    bad("on a class", "PKL006", P2 + DICT + STATE + b"b."),
    bad("on a class, with slots", "PKL006", P2 + DICT + b"N" + STATE + b"\x86b."),
    bad("on a function", "PKL006", P2 + glob("torch._utils", "_rebuild_tensor_v2") + STATE + b"b0N."),
    bad("on a data type", "PKL006", P2 + glob("torch", "float32") + STATE + b"b."),
    bad("on a list", "PKL006", P2 + b"]" + STATE + b"b."),
    bad("an item of a class", "PKL006", P2 + DICT + short("a") + b"Ns."),
    bad("appending to a class", "PKL006", P2 + DICT + b"Na."),
    bad("adding to a class as to a set", "PKL006", P4 + DICT + b"(N\x90."),
    bad("items of a list", "PKL006", P2 + b"](" + short("a") + b"Nu."),
    bad("appending to a dict", "PKL006", P2 + b"}Na."),
    bad("on a module", "PKL002", P2 + glob("torch", "serialization") + STATE + b"b."),
    good("on a fresh dict", P2 + call(DICT) + STATE + b"b."),
    good("on a bag of attributes", P2 + glob("argparse", "Namespace") + b")\x81" + STATE + b"b."),
    good("items of a fresh dict", P2 + call(DICT) + short("a") + b"Ns."),
    good("a state_dict without tensors", pickle.dumps(OrderedDict(a=1, b=[2.5]), 2)),
)


def alias(module: str, name: str) -> Vector:
    return bad(f"{module}.{name}", "PKL002", P2 + call(glob(module, name), ARGUMENT) + b".")


ALIASES = (
    runs("posix.mkdir", "PKL002", P2 + RUN + b"."),
    runs("os.mkdir", "PKL002", P2 + call(glob("os", "mkdir"), ARGUMENT) + b"."),
    alias("__builtin__", "eval"),
    alias("__builtin__", "execfile"),
    alias("nt", "mkdir"),
    alias("_pickle", "loads"),
    alias("cPickle", "loads"),
    alias("_operator", "attrgetter"),
    alias("_io", "FileIO"),
    alias("commands", "getoutput"),
    alias("__builtin__", "reduce"),
    bad("a name of Python 2 under protocol 4", "PKL002", P4 + name_pair("__builtin__", "set") + b")R."),
    good("a set of Python 2", P2 + glob("__builtin__", "set") + b"(](K\1K\2etR."),
    good("an object of Python 2", P2 + glob("copy_reg", "_reconstructor") + b"(" + glob("argparse", "Namespace") + glob("__builtin__", "object") + b"NtR}b."),
    good("bytes as Python 2 has them", P2 + call(glob("_codecs", "encode"), long("\x00ÿ"), long("latin1")) + b"."),
)

# Published gadgets, one or two of each family; an allowlist needs to know none of them.
_GADGETS = """
torch.utils.bottleneck.__main__ run_cprofile|torch._dynamo.guards GuardBuilder|torch.utils.collect_env run
torch.fx.experimental.symbolic_shapes ShapeEnv|torch.jit.unsupported_tensor_ops execWrapper|torch.hub load|torch load
torch.jit load|torch._inductor.codecache PyCodeCache|torch.serialization load|numpy load|numpy.f2py.crackfortran getlincoef
numpy.testing._private.utils runstring|numpy.distutils.exec_command exec_command|pandas read_pickle|joblib load
idlelib.debugobj ObjectTreeItem|idlelib.calltip get_entity|idlelib.run Executive|idlelib.pyshell ModifiedInterpreter
trace Trace|profile run|cProfile run|code InteractiveInterpreter|doctest debug_script|runpy run_path|timeit timeit|pdb run
pkgutil resolve_name|pydoc locate|operator methodcaller|functools partial|types FunctionType|marshal loads|importlib import_module
ctypes CDLL|_interpreters run_string|asyncio.unix_events _UnixSubprocessTransport|pty spawn|ensurepip _run_pip|pip main
distutils.file_util write_file|_posixsubprocess fork_exec|multiprocessing.util spawnv_passfds|uuid _get_command_stdout
imaplib IMAP4_stream|_pyrepl.pager pipe_pager|_osx_support _read_output|lib2to3.pgen2.grammar Grammar|shutil rmtree
socket create_connection|webbrowser open|subprocess Popen|sys setprofile|builtins getattr|builtins __import__|builtins open
bdb Bdb|cgitb lookup|logging.config listen|site addpackage|zipimport zipimporter|sqlite3 connect|ssl get_server_certificate
""".split("\n")


def gadget(pair: str) -> Vector:
    module, name = pair.split()
    return bad(f"{module}.{name}", "PKL002", P4 + name_pair(module, name) + INSIDE)


GADGETS = (
    *(gadget(pair) for line in _GADGETS if line for pair in line.split("|")),
    good("times and spans", pickle.dumps([datetime.datetime(2026, 1, 2), datetime.timedelta(3)], 4)),
    good("containers of plain types", pickle.dumps([defaultdict(list, a=[1]), {1, 2}, slice(1, 2), 1j, b"x"], 4)),
    good("an array", pickle.dumps({"w": __import__("numpy").arange(3)}, 2).replace(b"numpy._core", b"numpy.core")),
)

STREAMS: dict[str, tuple[str, tuple[Vector, ...]]] = {
    "R01": ("operands of STACK_GLOBAL", OPERANDS),
    "R02": ("other ways to call", CALLS),
    "R03": ("frames", FRAMES),
    "R04": ("the shape of the stream", SHAPES),
    "R05": ("dotted names, and names of modules", DOTTED),
    "R06": ("BUILD and items on what the pickle did not make", BUILDS),
    "R07": ("other names of the same", ALIASES),
    "R08": ("gadgets", GADGETS),
}
