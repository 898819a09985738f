"""Rules about file formats, as found by content (``FMT``)."""

from __future__ import annotations

from policies.rules.model import Rule

__all__ = ["FORMAT_RULES"]

FORMAT_RULES = (
    Rule(
        id="FMT001",
        title="a format that is not known",
        outcome="undecided",
        explanation="The content is in no format that this version reads, so nothing can be said of what a loader "
        "would do with it.",
        hint="allow `unknown` in the policy's [formats] if the file is harmless data",
    ),
    Rule(
        id="FMT002",
        title="a format that the policy does not accept",
        explanation="The policy lists the formats it accepts; the content of this file is in another one.",
        hint="write it in another format, or add its format to [formats] allow",
    ),
    Rule(
        id="FMT003",
        title="a broken safetensors header",
        explanation="The header does not describe the file: offsets out of bounds, overlapping or with holes, "
        "duplicate keys, shape times dtype other than the length, or bytes behind the last tensor.",
        hint="do not load the file; write it again with safetensors",
    ),
    Rule(
        id="FMT004",
        title="a file whose content contradicts its name",
        severity="warning",
        explanation="The name says one format and the content is another; loaders go by either.",
        hint="rename the file after its content",
    ),
    Rule(
        id="FMT005",
        title="a model that brings its own code",
        severity="note",
        explanation="The file holds a program beside its weights (TorchScript, an exported graph, custom layers), "
        "which runs when the model is used. No inspection shows what such a program does.",
        hint="take TorchScript's weights alone with `provenance convert --partial`, ask for others in safetensors or "
        "ONNX, or allow the format in the policy if you trust its signer",
    ),
    Rule(
        id="FMT006",
        title="a broken array",
        outcome="undecided",
        explanation="The header of an array in numpy's format is damaged, or the file has more or fewer bytes than it "
        "says.",
        hint="fetch the file again",
    ),
    Rule(
        id="FMT007",
        title="an array of Python objects",
        severity="note",
        explanation="The items of the array are objects, which numpy writes as a pickle; it was read as one.",
        hint="save the values in arrays of numbers",
    ),
    Rule(
        id="FMT008",
        title="torch's oldest format",
        explanation="A tar of pickles, as torch wrote before 2017. Current loaders refuse it, and it was a way around "
        "their checks.",
        hint="save the model again with a current torch",
    ),
    Rule(
        id="FMT009",
        title="a broken or forged file of a known format",
        explanation="The file has the magic of a format whose rules it breaks: counts, offsets or sizes lead out of "
        "the file, overlap or overflow. Loaders in C have crashed or worse on such files.",
        hint="do not load the file",
    ),
    Rule(
        id="FMT010",
        title="a model that leads to files outside of it",
        explanation="Weights lie in another file whose name is absolute, climbs by .., or is a link: loading the model "
        "reads whatever lies there.",
        hint="do not load the file",
    ),
    Rule(
        id="FMT011",
        title="an operator that is not one of the format's own",
        explanation="The graph uses operators that read or write files, call Python, or come from a library that the "
        "model brings along.",
        hint="do not load the file; ask for a model of standard operators",
    ),
    Rule(
        id="FMT012",
        title="a Keras model with code or classes of its own",
        explanation="A Lambda layer holds Python code; a class from another module than Keras's is imported when the "
        "model is loaded.",
        hint="ask for the model without such layers, or take its weights alone with `provenance convert --partial`",
    ),
    Rule(
        id="FMT013",
        title="a chat template that reaches for more than its messages",
        explanation="The template uses attributes, filters or statements by which templates have escaped their engine "
        "and run code.",
        hint="do not load the tokenizer; write the template again",
    ),
    Rule(
        id="FMT014",
        title="a configuration that makes its loader run code",
        explanation="Keys such as auto_map, trust_remote_code, custom_pipeline or _target_, and Python tags in YAML, "
        "name code that loaders import and call.",
        hint="remove the key, or review and sign the code that it names",
    ),
    Rule(
        id="FMT015",
        title="a skops file with a type that is not known",
        explanation="Loading creates objects of the types that the file names; this one is on no allowlist.",
        hint="load it only if you know the type, by skops' own `trusted` list",
    ),
    Rule(
        id="FMT016",
        title="a file of a known format that could not be followed",
        outcome="undecided",
        explanation="The file uses structures that this version does not read, or more of them than it follows; what a "
        "loader would do with them is not known.",
        hint="write the file anew with a current library, or load it only if you trust its signer",
    ),
    Rule(
        id="FMT017",
        title="a compiled program",
        explanation="The file is machine code or byte code: a program, a library or a compiled Python module. Models "
        "need none, and loaders of custom operators run what they are pointed to.",
        hint="remove the file, or build it from sources that you have read",
    ),
)
