"""Rules about conversion to safetensors (``CNV``)."""

from __future__ import annotations

from policies.rules.model import Rule

__all__ = ["CONVERSION_RULES"]

CONVERSION_RULES = (
    Rule(
        id="CNV001",
        title="a value that cannot be carried over",
        explanation="Safetensors files hold tensors, and strings beside them. Objects, code, sparse tensors and types "
        "of numbers that the format does not have would be lost, so nothing is written unless that is asked for.",
        hint="give --partial to leave behind what cannot be carried",
    ),
    Rule(
        id="CNV002",
        title="two values with one name",
        explanation="Nested names are joined with dots, and two different ways lead to the same name: one of the "
        "values would silently take the place of the other.",
        hint="rename one of the keys in the source",
    ),
    Rule(
        id="CNV003",
        title="a file whose tensors cannot be rebuilt",
        explanation="Tensors are rebuilt from torch's files (TorchScript's too), numpy's arrays, joblib's files, plain "
        "pickles of arrays and Keras's weights. The content is in another format, or not in the form that these have.",
        hint="export the weights with the library that wrote the file",
    ),
    Rule(
        id="CNV004",
        title="a file without tensors",
        explanation="There is nothing in the file that a safetensors file could hold.",
        hint="name the file that holds the weights",
    ),
    Rule(
        id="CNV005",
        title="a conversion beyond its bounds",
        outcome="undecided",
        explanation="The file has more values or deeper nesting than is followed, or its tensors repeat the same bytes "
        "so often that the result would be many times as large as the source.",
        hint="split the file with the library that wrote it",
    ),
    Rule(
        id="CNV006",
        title="a source that changed while it was read",
        outcome="undecided",
        explanation="What was read at first is not what was there at the end, so nothing was written.",
        hint="run the conversion again when nobody writes to the file",
    ),
    Rule(
        id="CNV007",
        title="tensors that share their memory",
        severity="note",
        explanation="Tied weights are one memory under several names. Safetensors files hold each tensor by itself: "
        "each name gets bytes of its own, and the names are listed in the metadata.",
        hint="tie the weights again after loading, where training goes on",
    ),
)
