"""An attacker who writes the chat template that a tokenizer or a GGUF file brings along."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.scanning.formats.templates import template_faults
from provenance.scanning.verb import scan_bytes

# Written for these tests, each with what templates of one family of models use.
ORDINARY = {
    "chatml": """
{%- for message in messages %}
    {{- '<|im_start|>' + message['role'] + '\n' + message['content'] | trim + '<|im_end|>' + '\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{% endif %}""",
    "alternating": """
{{ bos_token }}
{%- if messages[0].role == 'system' %}{% set system = messages[0].content %}{% set rest = messages[1:] %}
{%- else %}{% set system = '' %}{% set rest = messages %}{% endif %}
{%- for turn in rest %}
{%- if (turn.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}
{%- if turn.role == 'user' %}{{ '[INST] ' ~ (system ~ '\n\n' if loop.first and system else '') ~ turn.content ~ ' [/INST]' }}
{%- else %}{{ ' ' ~ turn.content.strip() ~ eos_token }}{% endif %}
{%- endfor %}""",
    "tools": """
{%- if tools is defined and tools %}
{{- '# Tools\n<tools>' }}{% for tool in tools %}{{ '\n' ~ tool | tojson(indent=2) }}{% endfor %}{{ '\n</tools>' }}
{%- endif %}
{%- for message in messages %}
{%- if message.tool_calls is defined and message.tool_calls is not none %}
{%- for call in message.tool_calls %}{% if call.function %}{% set call = call.function %}{% endif %}
{{- '<tool_call>{"name": "' ~ call.name ~ '", "arguments": ' }}
{{- call.arguments if call.arguments is string else call.arguments | tojson }}{{ '}</tool_call>' }}
{%- endfor %}
{%- elif message.role == 'tool' %}{{ '<tool_response>' + message.content + '</tool_response>' }}
{%- endif %}{% endfor %}""",
    "namespace": """
{%- set ns = namespace(multi_step=true, last_query=messages | length - 1) %}
{%- for message in messages[::-1] %}
{%- set index = (messages | length - 1) - loop.index0 %}
{%- if ns.multi_step and message.role == 'user' and not (message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
{%- set ns.multi_step = false %}{% set ns.last_query = index %}{% endif %}
{%- endfor %}
{{ messages[ns.last_query].content }}{{ messages[index - 1]['role'] if index else '' }}""",
    "reasoning": """
{%- for message in messages %}
{%- set content = message.content %}{% set thought = '' %}
{%- if message.reasoning_content is string %}{% set thought = message.reasoning_content %}
{%- elif '</think>' in content %}
{%- set thought = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}
{%- set content = content.split('</think>')[-1].lstrip('\n') %}{% endif %}
{{- '<think>\n' + thought.strip('\n') + '\n</think>\n\n' + content }}
{%- endfor %}{% if enable_thinking is defined and enable_thinking is false %}<think></think>{% endif %}""",
    "dated": """
{%- if not date_string is defined %}{% if strftime_now is defined %}{% set date_string = strftime_now('%d %b %Y') %}
{%- else %}{% set date_string = '26 Jul 2024' %}{% endif %}{% endif %}
{{- '<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: ' + date_string + '\n\n' }}
{%- if builtin_tools is defined %}{{ 'Tools: ' + builtin_tools | reject('equalto', 'code_interpreter') | join(', ') + '\n\n' }}{% endif %}""",
    "macro": """
{%- macro describe(name, spec) -%}
  {{- name }}: {{ spec.type if spec.type is string else spec.type | join(' | ') }}
  {%- if spec.enum %}{{ ' (' ~ spec.enum | map('tojson') | join(', ') ~ ')' }}{% endif %}
  {%- for key, value in spec.properties.items() if spec.properties %}{{ describe(key, value) }}{% endfor %}
{%- endmacro -%}
{%- for tool in tools %}{% for key, value in tool.function.parameters.properties | dictsort %}{{ describe(key, value) }}{% if not loop.last %}, {% endif %}{% endfor %}{% endfor %}""",
    "media": """
{%- set count = namespace(value=0) %}
{%- for message in messages %}{% if message.content is string %}{{ message.content }}{% else %}
{%- for part in message.content %}
{%- if part.type == 'image' or 'image_url' in part %}{% set count.value = count.value + 1 %}{{ 'Picture ' ~ count.value ~ ': ' if add_vision_id }}<|image_pad|>
{%- elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}{% endfor %}""",
    "generation": """
{%- for message in messages %}{% if message.role == 'assistant' %}{% generation %}{{ message.content ~ eos_token }}{% endgeneration %}
{%- elif message.role == 'developer' %}{% continue %}{% else %}{{ message.content }}{% break %}{% endif %}{% endfor %}""",
    "developer": """
{%- if messages[0].role in ['system', 'developer'] %}{{ '<|' ~ messages[0].role ~ '|>' ~ messages[0].content ~ '<|end|>' }}{% set start = 1 %}{% else %}{% set start = 0 %}{% endif %}
{%- for index in range(start, messages | length) %}{{ '<|' ~ messages[index].role ~ '|>' ~ messages[index]['content'] }}{% endfor %}""",
    "model turn": """
{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{%- for message in messages %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}
{{- '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}""",
    "filters": """
{%- set users = messages | selectattr('role', 'equalto', 'user') | list %}{% set calls = messages | rejectattr('tool_calls', 'undefined') | map(attribute='tool_calls') | list %}
{{- users | length }}{{ calls | count }}{{ users[-1].content | default('', true) | upper | replace('\n', ' ') }}{{ tools | map(attribute='function.name') | join(', ') if tools else '' }}""",
    "call ids": """
{%- for call in message.tool_calls %}{% if call.id is not defined or call.id is string and call.id | length != 9 %}{{ raise_exception('Tool call IDs should be alphanumeric strings with length 9!') }}{% endif %}
{{- '{"name": "%s", "id": "%s"}' | format(call.name, call.id) }}{% if not loop.last %}{{ ', ' }}{% endif %}{% endfor %}""",
    "wide marks": """
{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, system_prompt='') %}
{%- for message in messages %}{% if message['role'] == 'system' %}{% set ns.system_prompt = ns.system_prompt + '\n\n' + message['content'] %}{% endif %}{% endfor %}
{{ ns.system_prompt }}{% for tool in message['tool_calls'] %}{{ '<｜tool▁call▁begin｜>' + tool['type'] + '<｜tool▁sep｜>' + tool['function']['name'] + '\n```json\n' + tool['function']['arguments'] + '\n```' }}{% endfor %}""",
    "documents": """
{%- if documents %}{% for document in documents %}{{ '\nDocument: ' ~ loop.index0 }}{% for key, value in document.items() %}{{ '\n' ~ key | title ~ ': ' ~ value }}{% endfor %}{% endfor %}{% endif %}
{%- set keys = ['title', 'text'] %}{% for key in keys %}{{ documents[0][key] }}{% endfor %}""",
    "filter block": """{% filter indent(4) %}{% for m in messages %}{{ m.content.splitlines() | join('\n') }}{% endfor %}{% endfilter %}""",
    "call block": """{% macro turn(role) %}<{{ role }}>{{ caller() }}</{{ role }}>{% endmacro %}{% call turn('user') %}{{ messages[0].content }}{% endcall %}""",
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_templates_pass(name):
    assert list(template_faults(ORDINARY[name])) == []
    config = json.dumps({"chat_template": ORDINARY[name]}).encode()
    assert scan_bytes(config, "tokenizer_config.json").findings == ()


REACHING = [
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ ''['__cla' ~ 'ss__'] }}",
    r"{{ ''['\x5f\x5fclass\x5f\x5f'] }}",
    "{{ ''['%c%cclass%c%c' % (95, 95, 95, 95)] }}",
    "{{ ''['%c%cclass%c%c' | format(95, 95, 95, 95)] }}",
    "{% set u = 'tool_calls'[4] %}{{ ''[u ~ u ~ 'class' ~ u ~ u] }}",
    "{% set u = 'tool_calls'[4] %}{% set k = u * 2 + 'class' + u * 2 %}{{ ''[k] }}",
    "{% set ns = namespace(k='') %}{% set ns.k = x ~ 'class' %}{{ ''[ns.k] }}",
    "{% set k %}{{ u }}{{ u }}class{{ u }}{{ u }}{% endset %}{{ ''[k] }}",
    "{% macro k() %}{{ u }}{{ u }}class{% endmacro %}{{ ''[k()] }}",
    "{% macro k(n) %}{{ ''[n] }}{% endmacro %}{{ k(u ~ u ~ 'class') }}",
    "{% with k = u ~ 'class' %}{{ ''[k] }}{% endwith %}",
    "{% for k in [u ~ 'class'] %}{{ ''[k] }}{% endfor %}",
    "{{ ''[('__ssalc__' | reverse)] }}",
    "{{ ''[['_', '_class_', '_'] | join] }}",
    "{{ '' | attr('x') }}",
    "{{ [''] | map('attr', 'x') | list }}",
    "{{ [''] | map(f) | list }}",
    "{{ [''] | map(attribute='__class__') | list }}",
    "{{ [''] | map(attribute='x.__class__') | list }}",
    "{{ [''] | map(attribute=k) | list }}",
    "{{ [''] | selectattr(k) | list }}",
    "{{ [''] | sort(attribute='__class__') }}",
    "{{ [''] | map(*args) }}",
    "{{ '{0.__class__}'.format('') }}",
    "{{ '{0.a}'.format('') }}",
    "{{ x.format('') }}",
    "{{ '{0}'.format_map(x) }}",
    "{{ x.gi_frame }}{{ x.f_globals }}{{ x.mro }}",
    "{{ x._module }}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% from 'x' import y %}",
    "{% extends 'x' %}",
    "{{ self.x }}",
    "{{ lipsum }}",
    "{{ cycler.next }}",
    "{{ joiner['x'] }}",
    "{{ namespace.x }}",
    "{{ open('x') }}",
    "{{ messages[0].content.popen('x') }}",
    "{{ (x or y)('z') }}",
    "{{ messages['x']('z') }}",
    "{% set self = 1 %}{{ self }}",
    "{{ x | unknown }}",
    "{% block a %}{% endblock %}",
    "{% set x = '{{ 1 }}' %}{{ x.__init__ }}",
    "{{ dict(a=''.__class__) }}",
    "{% if x is defined and ''.__class__ %}{% endif %}",
    "{% macro m(a=''.__class__) %}{% endmacro %}",
    "{{ x[:''.__class__] }}",
    "{{ {'a': ''.__class__} }}",
    "{% generation %}{{ ''.__class__ }}{% endgeneration %}",
    "{% raw %}{% endraw %}{{ ''.__class__ }}",
]


@pytest.mark.parametrize("template", REACHING)
def test_what_reaches_beyond_is_refused(template):
    faults = list(template_faults(template))
    assert faults
    assert {rule for _, rule in faults} == {"FMT013"}, faults
    assert scan_bytes(template.encode(), "chat_template.jinja").decision == "refused"


@pytest.mark.parametrize(
    "template",
    [
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
        "{{ " + "-" * 100_000 + "1 }}",
        "{{ " + "not " * 100_000 + "1 }}",
        "{% if 1 %}" * 5000 + "{% endif %}" * 5000,
        "{{ 1 }}" + " " * (1 << 20),
        "{{ 1",
        "{% unknown %}",
        "{{ " + "9" * 10_000 + " }}",
    ],
)
def test_what_cannot_be_read_is_undecided(template):
    assert {rule for _, rule in template_faults(template)} == {"FMT016"}
    assert scan_bytes(template.encode(), "chat_template.jinja").decision == "undecided"


def test_chains_of_operators_end():
    assert list(template_faults("{{ " + " ~ ".join(["x"] * 50_000) + " }}")) == []


def test_places_where_templates_stand():
    evil = "{{ ''.__class__ }}"
    for value in (
        {"chat_template": evil},
        {"chat_template": [{"name": "default", "template": "x"}, {"name": "tool_use", "template": evil}]},
        {"chat_template": {"rag": evil}},
        {"chat_template_jinja": evil},
        {"tokenizer": {"chat_template": evil}},
    ):
        scan = scan_bytes(json.dumps(value).encode(), "tokenizer_config.json")
        assert {finding.rule for finding in scan.findings} == {"FMT013"}, value


WORDS = st.sampled_from(
    ["{{", "}}", "{%", "%}", "{#", "#}", " x ", ".", "[", "]", "(", ")", "|", "'", '"', "~", "%", "set", " for ", "in ", "endfor",
     "macro ", "if ", "endif", "__class__", "attr", "map", ",", "=", "-", "*", "**", "1", "\\", "raw", "generation", "\x00", "é", "\ud800"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=60).map("".join))
@settings(max_examples=500, deadline=None)
def test_nothing_is_raised(template):
    for message, rule in template_faults(template):
        assert message
        assert rule in ("FMT013", "FMT016")
