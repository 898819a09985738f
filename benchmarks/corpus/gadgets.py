"""Names by which a pickle runs code, opens files or reaches other names, with payloads that harm nobody.

The families are those of published advisories. A deny list cannot hold them all, which is the point of the exercise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from benchmarks.corpus.opcodes import MARKER

__all__ = ["GADGETS", "Gadget"]


class Gadget(NamedTuple):
    """A global and the arguments of its call."""

    family: str
    module: str
    name: str
    arguments: tuple[Any, ...]


_ARGUMENTS: Mapping[str, tuple[Any, ...]] = {
    "nothing": (),
    "command": (f"touch {MARKER}",),
    "argv": (["touch", MARKER],),
    "program": ("touch", ["touch", MARKER]),
    "source": (f"open({MARKER!r}, 'w')",),
    "scopes": (f"open({MARKER!r}, 'w')", {}, {}),
    "path": (MARKER,),
    "module": ("this",),
    "dotted": ("os:getpid",),
    "attribute": ("__class__",),
    "bytes": (b"\x80\x04N.",),
    "object": (None, "x"),
}

# family -> lines of "module name arguments"; a name may be dotted where a method is called on a class.
_FAMILIES: Mapping[str, str] = {
    "processes": """
        os system command
        posix system command
        nt system command
        os popen command
        os execvp program
        os posix_spawnp program
        subprocess Popen argv
        subprocess run argv
        subprocess call argv
        subprocess check_output argv
        subprocess getoutput command
        subprocess getstatusoutput command
        commands getoutput command
        pty spawn argv
        _posixsubprocess fork_exec nothing
        multiprocessing.util spawnv_passfds program
        asyncio.unix_events _UnixSubprocessTransport._start object
        distutils.spawn spawn argv
        webbrowser open path
        platform popen command
        uuid _get_command_stdout command
        _osx_support _read_output command
        _aix_support _read_cmd_output command
        imaplib IMAP4_stream command
        ensurepip _run_pip argv
        pip main argv
        pydoc pipepager object""",
    "builtins": """
        builtins eval source
        builtins exec source
        builtins compile source
        builtins open path
        builtins getattr object
        builtins setattr object
        builtins __import__ module
        builtins breakpoint nothing
        builtins help module
        builtins input nothing
        builtins map object
        builtins filter object
        builtins type object
        __builtin__ execfile path
        __builtin__ apply object""",
    "code": """
        types FunctionType nothing
        types CodeType nothing
        marshal loads bytes
        code InteractiveInterpreter.runcode source
        code interact nothing
        codeop compile_command source
        runpy run_path path
        runpy run_module module
        runpy _run_code source
        timeit timeit source
        timeit Timer source
        trace Trace.run source
        trace Trace.runctx scopes
        profile run source
        profile runctx scopes
        profile Profile.run source
        cProfile run source
        cProfile runctx scopes
        bdb Bdb.run source
        pdb run source
        doctest debug_script source
        doctest testfile path
        cgitb handler nothing
        ctypes CDLL path
        ctypes cdll.LoadLibrary path
        _interpreters run_string source
        zipimport zipimporter path""",
    "resolvers": """
        importlib import_module module
        importlib.util spec_from_file_location path
        imp load_source object
        pkgutil resolve_name dotted
        pydoc locate module
        pydoc safeimport module
        operator attrgetter attribute
        _operator attrgetter attribute
        operator methodcaller attribute
        _operator methodcaller attribute
        functools partial object
        functools reduce object
        inspect getattr_static object
        gc get_objects nothing
        sys setprofile object
        site addsitedir path
        logging.config _resolve module
        unittest.mock _importer module
        copyreg add_extension object""",
    "files": """
        io open path
        _io open path
        io open_code path
        codecs open path
        pathlib Path.write_text path
        shutil rmtree path
        shutil copyfile object
        os remove path
        os chmod object
        tempfile NamedTemporaryFile nothing
        fileinput input path
        linecache getlines path
        tarfile open path
        zipfile ZipFile path
        distutils.file_util write_file object
        shelve open path
        dbm open path
        sqlite3 connect path
        logging FileHandler path
        numpy memmap path
        numpy fromfile path
        numpy savetxt object
        pandas read_csv path""",
    "network": """
        socket create_connection object
        socket gethostbyname module
        ssl get_server_certificate object
        urllib.request urlopen path
        urllib.request urlretrieve path
        http.client HTTPConnection path
        ftplib FTP path
        smtplib SMTP path
        xmlrpc.client ServerProxy path
        requests get path
        requests.api request object
        torch.hub load path
        torch.hub download_url_to_file path""",
    "loaders": """
        pickle loads bytes
        _pickle loads bytes
        pickle Unpickler bytes
        dill loads bytes
        cloudpickle loads bytes
        joblib load path
        torch load path
        torch.jit load path
        torch.serialization load path
        numpy load path
        pandas read_pickle path
        skops.io load path
        mlflow.pyfunc load_model path
        yaml unsafe_load source
        jsonpickle decode source
        torch.storage _load_from_bytes bytes
        cloudpickle.cloudpickle subimport module
        cloudpickle.cloudpickle _make_function object
        dill._dill _eval_repr source
        dill._dill _import_module module""",
    "machine learning": """
        torch.utils.bottleneck.__main__ run_cprofile scopes
        torch.utils.bottleneck.__main__ run_autograd_prof scopes
        torch._dynamo.guards GuardBuilder.get source
        torch.fx.experimental.symbolic_shapes ShapeEnv.evaluate_guards_expression source
        torch.utils.collect_env run command
        torch.utils.collect_env run_and_read_all command
        torch.utils.data.datapipes.utils.decoder basichandlers object
        torch.jit.unsupported_tensor_ops execWrapper scopes
        torch.utils._config_module ConfigModule.load_config bytes
        torch.distributed.rpc.internal _run_function object
        torch.ao.quantization.utils get_combined_dict object
        torch.utils.cpp_extension load_inline source
        torch.fx.graph_module reduce_graph_module object
        torch.fx.graph_module _forward_from_src source
        torch.nn.modules.linear Linear object
        torch.optim.lr_scheduler LambdaLR object
        numpy.f2py.crackfortran getlincoef source
        numpy.f2py.crackfortran _eval_scalar source
        numpy.testing._private.utils runstring scopes
        numpy.distutils.exec_command exec_command command
        numpy.lib.utils safe_eval source
        scipy.stats._distn_infrastructure rv_frozen object
        sympy sympify source
        sklearn.datasets load_svmlight_file path
        pandas.core.computation.eval eval source
        transformers AutoModel.from_pretrained path
        keras.src.saving.saving_lib load_model path
        tensorflow.keras.models load_model path""",
    "tools": """
        idlelib.debugobj ObjectTreeItem.SetText source
        idlelib.autocomplete AutoComplete.get_entity source
        idlelib.autocomplete AutoComplete.fetch_completions source
        idlelib.calltip Calltip.fetch_tip source
        idlelib.calltip get_entity source
        idlelib.run Executive.runcode source
        idlelib.pyshell ModifiedInterpreter.runcommand source
        idlelib.pyshell ModifiedInterpreter.runcode source
        lib2to3.pgen2.grammar Grammar.loads bytes
        lib2to3.pgen2.pgen ParserGenerator.make_label object
        _pyrepl.pager pipe_pager object
        test.support.script_helper assert_python_ok source
        unittest.loader TestLoader.discover path
        venv main nothing
        zipapp main nothing
        my_package.helpers run command""",
}


def _gadgets() -> Iterator[Gadget]:
    for family, lines in _FAMILIES.items():
        for entry in lines.split("\n"):
            if entry.strip():
                module, name, arguments = entry.split()
                yield Gadget(family, module, name, _ARGUMENTS[arguments])


GADGETS = tuple(_gadgets())
