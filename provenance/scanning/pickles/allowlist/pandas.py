"""The profile ``pandas``: frames, series, indices and their types, beside ``numpy``.

Not proven: that the blocks of a frame fit together, and that pandas's types in C withstand a state that they did not
write. Left out on purpose: time zones of ``zoneinfo``, which are pickled by way of ``getattr``.
"""

from __future__ import annotations

from provenance.scanning.pickles.allowlist.model import Entry

__all__ = ["ENTRIES"]

# pandas 3 names its public modules where older ones name their own.
_CLASSES = {
    "pandas": (
        "DataFrame Series Index RangeIndex MultiIndex DatetimeIndex TimedeltaIndex PeriodIndex IntervalIndex "
        "CategoricalIndex Categorical CategoricalDtype DatetimeTZDtype IntervalDtype PeriodDtype SparseDtype "
        "StringDtype BooleanDtype Int8Dtype Int16Dtype Int32Dtype Int64Dtype UInt8Dtype UInt16Dtype UInt32Dtype "
        "UInt64Dtype Float32Dtype Float64Dtype Interval Timestamp Timedelta Period"
    ),
    "pandas.arrays": (
        "DatetimeArray TimedeltaArray PeriodArray IntervalArray IntegerArray FloatingArray BooleanArray StringArray "
        "SparseArray NumpyExtensionArray Categorical"
    ),
    "pandas.core.frame": "DataFrame",
    "pandas.core.series": "Series",
    "pandas.core.internals.managers": "BlockManager SingleBlockManager",
    "pandas.core.indexes.base": "Index",
    "pandas.core.indexes.range": "RangeIndex",
    "pandas.core.indexes.multi": "MultiIndex",
    "pandas.core.indexes.category": "CategoricalIndex",
    "pandas.core.indexes.datetimes": "DatetimeIndex",
    "pandas.core.indexes.timedeltas": "TimedeltaIndex",
    "pandas.core.indexes.period": "PeriodIndex",
    "pandas.core.indexes.interval": "IntervalIndex",
    "pandas.core.indexes.numeric": "Int64Index UInt64Index Float64Index",
    "pandas.core.indexes.frozen": "FrozenList",
    "pandas.core.arrays.categorical": "Categorical",
    "pandas.core.arrays.datetimes": "DatetimeArray",
    "pandas.core.arrays.timedeltas": "TimedeltaArray",
    "pandas.core.arrays.period": "PeriodArray",
    "pandas.core.arrays.interval": "IntervalArray",
    "pandas.core.arrays.integer": (
        "IntegerArray Int8Dtype Int16Dtype Int32Dtype Int64Dtype UInt8Dtype UInt16Dtype UInt32Dtype UInt64Dtype"
    ),
    "pandas.core.arrays.floating": "FloatingArray Float32Dtype Float64Dtype",
    "pandas.core.arrays.boolean": "BooleanArray BooleanDtype",
    "pandas.core.arrays.string_": "StringArray StringDtype",
    "pandas.core.arrays.sparse.array": "SparseArray",
    "pandas.core.arrays.sparse.dtype": "SparseDtype",
    "pandas.core.dtypes.dtypes": "CategoricalDtype DatetimeTZDtype IntervalDtype PeriodDtype SparseDtype",
    "pandas._libs.sparse": "IntIndex BlockIndex",
    "pandas._libs.interval": "Interval",
    "pandas._libs.tslibs.offsets": (
        "BusinessDay Day Hour Minute Second Milli Micro Nano MonthEnd MonthBegin BusinessMonthEnd BusinessMonthBegin "
        "QuarterEnd QuarterBegin YearEnd YearBegin Week WeekOfMonth BQuarterEnd BQuarterBegin BYearEnd BYearBegin"
    ),
}
_FUNCTIONS = {
    "pandas._libs.arrays": "__pyx_unpickle_NDArrayBacked",
    "pandas._libs.internals": "_unpickle_block",
    "pandas._libs.interval": "__pyx_unpickle_IntervalMixin",
    "pandas._libs.tslibs.nattype": "_nat_unpickle",
    "pandas._libs.tslibs.timedeltas": "_timedelta_unpickle",
    "pandas._libs.tslibs.timestamps": "_unpickle_timestamp",
    "pandas._libs.tslibs.period": "_unpickle_period",
    "pandas.core.internals.blocks": "new_block",
}
_INDEX_MAKERS = {
    "pandas.core.indexes.base": "_new_Index",
    "pandas.core.indexes.datetimes": "_new_DatetimeIndex",
    "pandas.core.indexes.period": "_new_PeriodIndex",
    "pandas.core.indexes.interval": "_new_IntervalIndex",
    "pandas.core.indexes.timedeltas": "_new_TimedeltaIndex",
}

# Of these, pickles call the class itself; all others are made without their __init__, which would do more.
_CALLED = (
    *(
        "Interval",
        "Period",
        "IntIndex",
        "BlockIndex",
        "FrozenList",
        "StringDtype",
        "BooleanDtype",
        "CategoricalDtype",
    ),
    *("DatetimeTZDtype", "IntervalDtype", "PeriodDtype", "SparseDtype", "BlockManager", "SingleBlockManager"),
    *(f"{kind}{bits}Dtype" for kind in ("Int", "UInt", "Float") for bits in (8, 16, 32, 64)),
    *_CLASSES["pandas._libs.tslibs.offsets"].split(),
)


def _part(module: str, name: str) -> Entry:
    reason = "a frame or a part of one: values in arrays"
    if name in _CALLED:
        return Entry(module, name, "class", reason, check="inert", state=True)
    return Entry(module, name, "new", reason, state=True)


ENTRIES: tuple[Entry, ...] = (
    *(_part(module, name) for module, names in _CLASSES.items() for name in names.split()),
    *(
        Entry(module, name, "function", "makes a part of a frame", check="inert", state=True)
        for module, names in _FUNCTIONS.items()
        for name in names.split()
    ),
    *(
        Entry(module, name, "function", "makes an index of values", check="index", state=True)
        for module, name in _INDEX_MAKERS.items()
    ),
    Entry("pandas", "NA", "constant", "a missing value"),
    Entry("pandas._libs.missing", "NA", "constant", "a missing value"),
)
