"""The profile ``tensors``: what torch and numpy write for tensors, and the containers around them.

Not proven: that a tensor's values are the right ones; that the memory it asks for can be had; that the sizes within
nested and compressed sparse tensors lead into their values, which torch checks for its own files only.
"""

from __future__ import annotations

from provenance.scanning.pickles.allowlist.model import Entry, constants

__all__ = ["ENTRIES"]

_TENSOR = "makes a tensor over a storage of the file; calls nothing"

_CONTAINERS = (
    Entry("collections", "OrderedDict", "class", "a dict", check="items", takes="items", state=True),
    Entry(
        "collections",
        "defaultdict",
        "class",
        "a dict; its factory is a plain type",
        check="factory",
        takes="items",
    ),
    Entry("collections", "Counter", "class", "a dict of counts", check="items", takes="items", state=True),
    Entry("collections", "deque", "class", "a queue", check="items", takes="elements"),
    Entry("builtins", "set", "class", "a set of a list's items", check="one_list"),
    Entry("builtins", "frozenset", "class", "a set of a list's items", check="one_list"),
    Entry("builtins", "complex", "class", "a number", check="numbers"),
    Entry("builtins", "bytearray", "class", "bytes of bytes or of latin-1 text", check="bytes_or_text"),
    Entry("builtins", "bytes", "class", "bytes of bytes or of latin-1 text", check="bytes_or_text"),
    Entry("builtins", "slice", "class", "three values", check="inert"),
    Entry("builtins", "range", "class", "three numbers", check="numbers"),
    *constants("builtins", "list dict tuple int float str bool object", "a plain type, as a value"),
    *constants("builtins", "Ellipsis NotImplemented", "a constant"),
    Entry("_codecs", "encode", "function", "how protocol 2 writes bytes: latin-1 only", check="latin1"),
    Entry(
        "copyreg", "_reconstructor", "function", "makes an object of an allowed class", check="reconstruct"
    ),
    Entry("copyreg", "__newobj__", "function", "makes an object of an allowed class", check="new_object"),
    Entry("argparse", "Namespace", "new", "a bag of attributes", state=True),
    Entry("types", "SimpleNamespace", "class", "a bag of attributes", check="inert", state=True),
    Entry("datetime", "datetime", "class", "a time", check="inert"),
    Entry("datetime", "date", "class", "a day", check="inert"),
    Entry("datetime", "time", "class", "a time of day", check="inert"),
    Entry("datetime", "timedelta", "class", "a span of time", check="inert"),
    Entry("datetime", "timezone", "class", "an offset from UTC", check="inert"),
    Entry("decimal", "Decimal", "class", "a number", check="inert"),
    Entry("fractions", "Fraction", "class", "a number, without an exponent", check="fraction"),
    Entry("uuid", "UUID", "new", "a number", state=True),
    *(
        Entry(module, name, "class", "a name; opens nothing", check="inert")
        for module in ("pathlib", "pathlib._local")  # the latter is what Python 3.13 writes
        for name in ("PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath")
    ),
)

_STORAGES = (
    "DoubleStorage FloatStorage HalfStorage BFloat16Storage LongStorage IntStorage ShortStorage CharStorage "
    "ByteStorage BoolStorage ComplexDoubleStorage ComplexFloatStorage QInt8Storage QUInt8Storage QInt32Storage "
    "QUInt4x2Storage QUInt2x4Storage"
)
_DTYPES = (
    "float32 float float64 double float16 half bfloat16 uint8 uint16 uint32 uint64 int8 int16 short int32 int int64 "
    "long bool complex32 chalf complex64 cfloat complex128 cdouble quint8 qint8 qint32 quint4x2 quint2x4 "
    "float8_e5m2 float8_e4m3fn float8_e5m2fnuz float8_e4m3fnuz float8_e8m0fnu float4_e2m1fn_x2 "
    "bits1x8 bits2x4 bits4x2 bits8 bits16 uint1 uint2 uint3 uint4 uint5 uint6 uint7 int1 int2 int3 int4 int5 int6 int7"
)
_SCHEMES = (
    "per_tensor_affine per_channel_affine per_tensor_symmetric per_channel_symmetric "
    "per_channel_affine_float_qparams strided sparse_coo sparse_csr sparse_csc sparse_bsr sparse_bsc jagged "
    "contiguous_format channels_last channels_last_3d preserve_format"
)

_TORCH = (
    *(Entry("torch", name, "storage", "the type of a storage") for name in _STORAGES.split()),
    Entry("torch.storage", "UntypedStorage", "storage", "the type of a storage"),
    Entry("torch", "UntypedStorage", "storage", "the type of a storage"),
    *constants("torch", _DTYPES, "a data type"),
    *constants("torch", _SCHEMES, "a scheme of quantisation, a layout or a memory format"),
    Entry("torch", "Size", "class", "a tuple of numbers", check="inert"),
    Entry("torch", "device", "class", "the name of a device", check="inert"),
    Entry("torch", "Tensor", "constant", "the type of a tensor, as a value"),
    Entry("torch._tensor", "Tensor", "constant", "the type of a tensor, as a value"),
    Entry("torch.nn.parameter", "Parameter", "constant", "the type of a parameter, as a value"),
    Entry("torch.nn.parameter", "Buffer", "constant", "the type of a buffer, as a value"),
    Entry("torch._utils", "_rebuild_tensor", "function", _TENSOR, check="tensor"),
    Entry("torch._utils", "_rebuild_tensor_v2", "function", _TENSOR, check="tensor", state=True),
    Entry("torch._utils", "_rebuild_tensor_v3", "function", _TENSOR, check="tensor", state=True),
    Entry("torch._utils", "_rebuild_qtensor", "function", _TENSOR, check="tensor", state=True),
    Entry("torch._utils", "_rebuild_parameter", "function", "wraps a tensor", check="inert", state=True),
    Entry(
        "torch._utils",
        "_rebuild_parameter_with_state",
        "function",
        "wraps a tensor, with attributes",
        check="stateful",
    ),
    Entry("torch._utils", "_rebuild_sparse_tensor", "function", "a tensor of tensors", check="inert"),
    Entry("torch._utils", "_rebuild_sparse_csr_tensor", "function", "a tensor of tensors", check="inert"),
    Entry("torch._utils", "_rebuild_nested_tensor", "function", "a tensor of tensors", check="inert"),
    Entry(
        "torch.nested._internal.nested_tensor",
        "_rebuild_njt",
        "function",
        "a tensor of tensors",
        check="inert",
    ),
    Entry(
        "torch.nested._internal.nested_tensor", "NestedTensor", "constant", "the type of a tensor, as a value"
    ),
    Entry("torch._dynamo.decorators", "_DimRange", "new", "the bounds of a dimension", state=True),
    Entry(
        "torch._utils", "_rebuild_meta_tensor_no_storage", "function", "a shape without values", check="inert"
    ),
    Entry(
        "torch._utils", "_rebuild_device_tensor_from_numpy", "function", "a tensor of an array", check="inert"
    ),
    Entry(
        "torch._utils", "_rebuild_device_tensor_from_cpu_tensor", "function", "moves a tensor", check="inert"
    ),
    Entry(
        "torch.storage",
        "_load_from_bytes",
        "function",
        "reads bytes, which are read here too",
        check="torch_bytes",
    ),
    Entry("torch.serialization", "_get_layout", "function", "looks a layout up by its name", check="layout"),
    Entry(
        *(
            "torch._tensor",
            "_rebuild_from_type_v2",
            "function",
            "calls a rebuild function and sets attributes",
        ),
        check="typed_tensor",
        passes=(
            *(
                "_rebuild_tensor",
                "_rebuild_tensor_v2",
                "_rebuild_tensor_v3",
                "_rebuild_qtensor",
                "_rebuild_parameter",
            ),
            *("_rebuild_sparse_tensor", "_rebuild_sparse_csr_tensor", "_rebuild_meta_tensor_no_storage"),
            *("_rebuild_nested_tensor", "_rebuild_njt"),
        ),
    ),
)

_SCALARS = (
    "float16 float32 float64 longdouble int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool_ bool complex64 "
    "complex128 str_ bytes_ void datetime64 timedelta64 intc uintc intp uintp longlong ulonglong half single double "
    "object_ generic number integer floating"
)
_DTYPE_CLASSES = (
    "BoolDType Int8DType Int16DType Int32DType Int64DType UInt8DType UInt16DType UInt32DType UInt64DType LongDType "
    "ULongDType LongLongDType ULongLongDType IntDType UIntDType ShortDType UShortDType ByteDType UByteDType "
    "Float16DType Float32DType Float64DType LongDoubleDType Complex64DType Complex128DType CLongDoubleDType "
    "BytesDType StrDType VoidDType ObjectDType DateTime64DType TimeDelta64DType"
)


def _arrays(core: str) -> tuple[Entry, ...]:
    """What arrays are made by; the module has been renamed in numpy 2."""
    return (
        Entry(
            f"{core}.multiarray",
            "_reconstruct",
            "function",
            "makes an empty array",
            check="array",
            state=True,
        ),
        Entry(f"{core}.multiarray", "scalar", "function", "a scalar of bytes", check="scalar"),
        Entry(
            f"{core}.numeric", "_frombuffer", "function", "an array over bytes of the pickle", check="buffer"
        ),
    )


_NUMPY = (
    *_arrays("numpy.core"),
    *_arrays("numpy._core"),
    Entry("numpy", "ndarray", "constant", "the type of an array, as a value"),
    Entry("numpy", "dtype", "class", "a data type", check="dtype", state=True),
    *constants("numpy", _SCALARS, "a type of scalar, as a value"),
    *(Entry("numpy.dtypes", name, "class", "a data type", check="inert") for name in _DTYPE_CLASSES.split()),
)

ENTRIES: tuple[Entry, ...] = (*_CONTAINERS, *_TORCH, *_NUMPY)
