"""Writes expressions.json.gz: what transformers' environment gives for each template, or that it raises.

    pip install transformers==5.23.0 jinja2==3.1.6
    python make_expressions.py

Filters, tests, methods and operators over values of every kind, and statements by hand.
"""

import copy
import gzip
import itertools
import json
import pathlib
import re

from transformers.utils.chat_template_utils import _compile_jinja_template

here = pathlib.Path(__file__).parent
VARIABLES = {
    "text": "Hello wörld", "empty": "", "digits": " 42 ", "sharp": "ß ǆ Σας ΑΣ", "lines": "a\r\nb\n\n c\u2028d", "html": "<a href='x'>&\"</a>",
    "number": 7, "negative": -7, "zero": 0, "large": 2**70, "half": 2.5, "float": -3.75, "tiny": 1e-7, "huge": 1e17, "yes": True, "no": False,
    "nothing": None, "list": ["b", "A", "c", "b"], "numbers": [3, 1, 2.5, True], "mixed": [1, "a", None], "nested": [[1, 2], [3]],
    "dict": {"b": 1, "A": "x", "items": 3}, "people": [{"name": "Bo", "age": 3, "in": {"x": [1]}}, {"name": "al", "age": 2}, {"name": "Cy", "age": 3, "in": {"x": [2]}}],
    "pairs": {"k": [1, 2], "a": {"z": None, "y": 1.0}}, "emptylist": [], "emptydict": {}, "word": "snake_case-word (x) [y] ǆabc 1a",
}
VALUES = [*VARIABLES, "missing", "(1, 'x')", "()", "range(3)", "range(5, 0, -2)", "dict.items()", "list|map('upper')", "html|safe", "namespace(a=1)"]
FILTERS = ["abs", "capitalize", "center(9)", "count", "default('d')", "default('d', true)", "d", "dictsort", "dictsort(true)", "dictsort(false, 'value')",
           "dictsort(reverse=true)", "e", "first", "float", "float(1.5)", "groupby('age')", "groupby('name')|list", "indent", "indent(2, true)", "indent('> ', blank=true)", "int", "int(5)",
           "int(default=6, base=16)", "join", "join(', ')", "join('-', attribute='name')", "last", "length", "list", "lower", "items|list", "map('upper')|list", "map(attribute='name')|list",
           "map(attribute='in.x.0', default='none')|list", "map('default', 'q')|list", "min", "max", "min(attribute='age')", "max(attribute='name')", "reject|list",
           "rejectattr('in')|list", "replace('b', 'XX')", "replace('l', '', 1)", "reverse|list", "reverse", "round", "round(1)", "round(-1)", "round(0, 'ceil')", "round(1, 'floor')",
           "safe", "select|list", "select('string')|list", "select('number')|list", "select('gt', 1)|list", "selectattr('age', 'equalto', 3)|list",
           "selectattr('in', 'defined')|map(attribute='name')|join", "slice(2)|list", "slice(3, 'f')|list", "batch(2)|list", "batch(3, 'f')|list",
           "sort", "sort(true)", "sort(case_sensitive=true)", "sort(attribute='age,name')", "sort(attribute='in')", "string", "sum", "sum(attribute='age')", "sum(start=10)", "title",
           "tojson", "tojson(indent=2)", "tojson(sort_keys=true)", "tojson(separators=(',', ':'))", "tojson(ensure_ascii=true)", "tojson(indent=0)",
           "trim", "trim('H')", "truncate(8)", "truncate(6, true)", "truncate(5, false, '!', 0)", "unique|list", "unique(true)|list", "upper", "wordcount",
           "attr('name')", "attr('items')", "attr('upper')", "format(1)", "nosuchfilter", "from_json", "first|upper", "string|length"]
TESTS = ["boolean", "callable", "defined", "undefined", "divisibleby 7", "divisibleby(0)", "eq 7", "== 'Hello wörld'", "escaped", "even", "odd", "false", "true", "float",
         "integer", "ge 2", "gt 2", "lt 2", "le 'a'", "lessthan 3", "greaterthan(1)", "in [7, 'a', none]", "in 'Hello wörld'", "iterable", "mapping", "none", "ne 7",
         "number", "sequence", "string", "lower", "upper", "sameas none", "sameas true", "nosuchtest", "not none", "filter", "test"]
MEMBERS = [".name", ".a", ".items", ".items()", "['items']", "['b']", "[0]", "[-1]", "[10]", "['name']", ".b", ".0", "[1:]", "[::-1]", "[:-1]", "[-2:]", "[1:3]", "[5:1:-2]", "[::0]",
           "[none:2]", "['a':]", "[true]", "[1.0]", "[none]", ".x.y", "['x']['y']", ".upper()", ".title()", ".capitalize()", ".swapcase()", ".strip()", ".strip('H d')", ".lstrip()", ".rstrip('d')",
           ".split()", ".split('l')", ".split('l', 1)", ".split(none, 1)", ".rsplit('l', 1)", ".rsplit(none, 1)", ".split(sep='o', maxsplit=1)", ".splitlines()", ".splitlines(true)", ".startswith('H')", ".startswith(('x', 'He'))",
           ".endswith('d')", ".find('l')", ".rfind('l')", ".index('z')", ".count('l')", ".replace('l', 'L')", ".replace('l', 'L', 1)", ".join(['x', 'y'])", ".join([1])", ".partition(' ')", ".rpartition('l')",
           ".isdigit()", ".isalpha()", ".isalnum()", ".isspace()", ".islower()", ".isupper()", ".istitle()", ".isdecimal()", ".isnumeric()", ".zfill(15)", ".center(14, '*')", ".ljust(13, '.')", ".rjust(13)",
           ".casefold()", ".removeprefix('He')", ".removesuffix('ld')", ".format(1)", ".encode()", ".lower", ".append(1)", ".pop()", ".update({})", ".keys()", ".values()", ".get('b')", ".get('q')",
           ".get('q', 5)", ".get()", ".copy()", ".count('b')", ".index('c')", ".keys()|list", ".values()|list", ".__class__", "._x", ".real", "()", "(1)", ".clear is defined", ".nosuch()", ".items is defined"]
UNSTEADY = {("missing", ".__class__"), ("(1, 'x')", "['a':]"), ("()", "['a':]")}  # what jinja2's own folding of constants decides
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]
OPERANDS = ["text", "empty", "number", "negative", "zero", "large", "half", "float", "yes", "nothing", "list", "nested", "dict", "missing", "(1, 'x')", "'%s|'", "'%d %5.1f'", "[1, 'a', none]", "{}", "html|safe"]
BY_HAND = r"""
{{ -7 // 2 }} {{ -7 % 3 }} {{ 7 // -2 }} {{ 7 % -3 }} {{ 7.5 // -2 }} {{ -7.5 % 2 }} {{ 2 ** 0.5 }} {{ 2 ** -1 }} {{ -2 ** 2 }} {{ 2 ** 3 ** 2 }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1.0 % 0 }}
{{ true == 1 }} {{ 1 == 1.0 }} {{ '1' == 1 }} {{ [1] == [true] }} {{ (1,) == [1] }} {{ {'a': 1} == {'a': 1.0} }}
{{ 1 < 2 < 3 }} {{ 3 > 2 > 2 }} {{ 1 < 'a' }}
{{ 'ß' | upper }} {{ 'İ' | lower }} {{ 'ΑΣ' | lower }} {{ 'ǆ' | capitalize }} {{ "it's ok-fine (yes)" | title }} {{ "it's ok" .title() }}
{{ 2.5 | round }} {{ 3.5 | round }} {{ -0.5 | round }} {{ 2.675 | round(2) }} {{ 15 | round(-1) }} {{ 25 | round(-1) }} {{ 1e300 | round(2) }} {{ 12345.678 | round(-2) }} {{ 42.55 | round(1, 'floor') }}
{{ '\x41\u00e9\U0001F600\101\n\t\\\'\q\e' }}
{{ "\é" }}{{ 'a\
b' }}
{{ '\N{BULLET}' }}
{{ '\xZZ' }}
{{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1_000 }} {{ 1_0.5e1_0 }} {{ 1.5E-7 }} {{ 0_0 }} {{ 1e400 }}
{{ 07 }}
{{ 123456789012345678901234567890 + 1 }} {{ 2 ** 100 }} {{ (2 ** 70) % 10 }} {{ -(2 ** 70) // 3 }} {{ 9007199254740993 == 9007199254740992.0 }} {{ 2 ** 70 > 1e21 }}
{{ 9223372036854775807 + 1 }} {{ 9223372036854775807 * 2 }} {{ -9223372036854775808 - 1 }}
{{ 'a' 'b' "c" }} {{ 'a' ~ 1 ~ none ~ missing ~ [1, 'b'] ~ true }} {{ 1 ~ 2 }}
{{ 'yes' if 0 else 'no' }} {{ 'yes' if missing }}| {{ ('a' if false) ~ 'b' }} {{ ('a' if false).x }}
{{ 'a' if 0 else 'b' if 1 else 'c' }}
{{ not 1 }} {{ not missing }} {{ not [] and 'x' }} {{ 0 or '' or 'z' }} {{ 1 and 0 }}
{{ - 1 | abs }} {{ -1 | string | length }} {{ (-1) | abs }} {{ 1 + -1 }} {{ +true }} {{ -true }} {{ -'a' }}
{{ none | length }}
{{ none | upper }} {{ none | default('x') }} {{ none | default('x', true) }} {{ none | join }}
{{ none.foo }}| {{ none['foo'] }}| {{ none.foo.bar }}
{{ missing.foo }}
{{ missing['foo'] }}
{{ missing() }}
{{ missing + 1 }}
{{ missing == missing }} {{ missing == none }} {{ missing in [1] }} {{ 1 in missing }} {{ missing | length }} {{ missing | list }} {{ missing | upper }}| {{ missing ~ 'x' }}
{{ missing in 'abc' }}
{{ missing < 1 }}
{{ missing | int }}
{{ 'a' in none }}
{{ text.content }}| {{ text['content'] }}| {{ text[0] }} {{ text[99] }}| {{ number.foo }}|
{{ text['content']['text'] }}
{{ text.content.text }}
{% for part in text.content %}{{ part }}{% else %}none{% endfor %}
{% for part in nothing %}x{% endfor %}
{% for part in number %}x{% endfor %}
{% for c in text %}{{ loop.index }}{{ c }}{% if loop.last %}.{% endif %}{% endfor %}
{% for a, b in dict.items() %}{{ a }}={{ b }};{% endfor %}{% for k in dict %}{{ k }}{% endfor %}
{% for a, b in [[1, 2], [3]] %}{{ a }}{% endfor %}
{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}
{% for (a, b), c in [[[1, 2], 3]] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for x in [1, 2, 3, 4] if x % 2 %}{{ loop.index }}{{ x }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{% else %}e{% endfor %}
{% for x in [1, 2, 3] %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{{ loop.cycle('a', 'b') }}{{ loop.changed(x // 2) }} {% endfor %}
{% for x in [1] %}{{ loop.previtem.foo }}{% endfor %}
{% for x in [1, 2, 3] %}{% if x == 2 %}{% continue %}{% endif %}{{ x }}{% endfor %}{% for x in [1, 2, 3] %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}
{% break %}
{% for x in nested recursive %}{{ x if x is number else loop(x) }}{{ loop.depth }}{{ loop.depth0 }},{% endfor %}
{% set x = 0 %}{% for i in [1, 2] %}{{ x }}{% set x = i %}{{ x }}{% endfor %}{{ x }}
{% set ns = namespace(x=0) %}{% for i in [1, 2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}{{ ns.y }}|{{ ns['x'] }}
{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}
{% set ns = namespace(_x=1) %}
{% set d = {} %}{% set d.x = 1 %}
{% if true %}{% set y = 5 %}{% endif %}{{ y }}{% if false %}{% set z = 5 %}{% endif %}{{ z }}|
{% set a, b = 1, 'x' %}{{ a }}{{ b }}{% set c = 1, 2 %}{{ c }}{% set d = (1,) %}{{ d }}
{% set a, b = [1] %}
{% set t %}a{{ 1 }}b{% endset %}{{ t | upper }}{% set u | upper | replace('A', 'q') %}a b{% endset %}{{ u }}
{% macro m(a, b='d', c=b) %}{{ a }}{{ b }}{{ c }}|{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(1, c=3) }}{{ m() }}{{ m(1, 2, 3, 4, x=5) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}
{% macro m(a, b=1, c) %}{% endmacro %}
{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}x{{ text }}{% endcall %}
{% macro m() %}[{{ caller(1) }}]{% endmacro %}{% call(q) m() %}x{{ q }}{% endcall %}
{% macro m(n) %}{{ n }}{% if n > 0 %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(5) }}
{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}
{% set x = 1 %}{% macro m() %}{{ x }}{{ later }}{% endmacro %}{{ m() }}{% set later = 2 %}{{ m() }}
{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}|
{% filter upper %}a{{ text }}{% endfilter %}
{% raw %}{{ x }}{% endraw %}{%- raw -%}  {% y %}  {%- endraw %} z
{# comment #}a{#- c -#} b
  {% if true %}
  x
  {% endif %}
y
  {%- if true %} z {%- endif +%}
  {%+ if true %}w{% endif %}
{% generation %}{% set q = 1 %}{{ text }}{% endgeneration %}{{ q }}|
{% for x in [1, 2] %}{% generation %}{{ x }}{{ loop.index }}{% endgeneration %}{% endfor %}
{{ range(3) }} {{ range(3) | list }} {{ range(1, 10, 4) | list }} {{ range(5)[2] }} {{ 2 in range(3) }} {{ range(0) | first }}|
{{ range(1000000) }}
{{ range(1, 2, 0) }}
{{ range('a') }}
{{ dict(a=1, b=2) }} {{ dict([['x', 1]]) }} {{ dict({'q': 1}, r=2) }} {{ {1: 'a', 'b': 2, none: 3, true: 4, 1.5: 5, (1, 2): 6} }}
{{ {[1]: 2} }}
{{ dict.items() }} {{ dict.keys() }} {{ dict.values() }} {{ pairs.items() | list }} {{ dict | items | list }} {{ dict | dictsort }}
{{ dict.items()[0] }}| {{ dict.items() | first }} {{ dict.items() | length }}
{{ dict.a }}| {{ dict.items }} x
{{ dict['a']['b'] }}
{{ [1, 2][5].x }}
{{ [[1, 2], [3, 4]] | map('first') | list }} {{ people | map(attribute='name') | map('upper') | join(',') }} {{ ['a', 'b'] | map('replace', 'a', 'z') | list }}
{{ people | map('attr', 'name') | list }}
{{ people | selectattr('name', 'in', ['Bo', 'Cy']) | map(attribute='age') | sum }} {{ people | groupby('age') }} {% for g in people | groupby('age') %}{{ g.grouper }}{{ g.list | length }}{{ g[0] }}{% endfor %}
{{ [3, 1, 2] | sort | join }} {{ ['b', 'A'] | sort }} {{ [1, 'a'] | sort }}
{% set g = [1, 2] | map('string') %}{{ g | join }}{{ g | join }}|
{{ [1, 2] | map('string') }}
{{ 'a,b' .split(',') | last }} {{ [] | last }}| {{ [] | first }}| {{ 'abc' | first }}{{ 'abc' | last }} {{ '' | first }}|
{{ [1, 2] | first | string + 'x' }}
{{ [] | first + 1 }}
{{ '%s is %d years, %.2f, %r %5s|%-5s|%05d %x %%' % ('Bo', 3, 2.5, 'q', 'a', 'b', 42, 255) }} {{ '%s' % 'x' }} {{ '%(a)s' % {'a': 1} }} {{ '%s' % [1] }} {{ '%s %s' | format(1, 2) }} {{ '%+d % d' % (1, 2) }} {{ '%e %g' % (1234.5, 0.00001) }}
{{ '%s %s' % 'x' }}
{{ '%d' % 'x' }}
{{ 'x' % 1 }}
{{ 'x' % {} }} {{ 'x' % [] }}
{{ '{} {}'.format(1, 'a') }} {{ '{0}{1}{0}'.format('x', 'y') }} {{ '{a}{{}}'.format(a=2) }}
{{ '{} {}'.format(1) }}
{{ text | replace('l', 'L') | length }} {{ text.replace('l', 'L') }} {{ 'aaa' | replace('a', 'b', 2) }} {{ 'abc'.replace('', '-') }}
{{ 'x' is sequence }} {{ dict is sequence }} {{ range(2) is sequence }} {{ missing is sequence }} {{ missing is iterable }} {{ 1 is iterable }} {{ dict.items() is sequence }}
{{ 1 is not none }} {{ not 1 is none }} {{ 1 is none or 2 is number }} {{ 3 is divisibleby 3 and 4 is even }} {{ 'a' is in ['a'] }} {{ 'a' is not in 'abc' }}
{{ text is string is defined }}
{{ 1 is defined == true }}
{{ html | e }} {{ html | escape ~ '<' }} {{ (html | safe) + '<' }} {{ '<' + (html | safe) }} {{ html | safe | length }} {{ html | e | e }} {{ html | tojson | safe }}
{{ {'a': [1, 2.0, none, true, 'é\n"'], 'b': {}} | tojson }} {{ {'a': [1], 'b': []} | tojson(indent=1) }} {{ [1, 2] | tojson(separators=[',', ': ']) }} {{ (1, 2) | tojson }} {{ {1: 2, none: 3, true: 4} | tojson }} {{ 1e17 | tojson }}
{{ missing | tojson }}
{{ range(2) | tojson }}
{{ raise_exception('no ' ~ text) }}
{{ raise_exception() }}
{{ namespace }}
{{ cycler(1, 2).next() }}
{% set j = joiner(', ') %}{{ j() }}a{{ j() }}b
{{ 'abc'[::-1] }} {{ 'abc'[1:] }} {{ 'héllo'[1] }} {{ [1, 2, 3][-2:] }} {{ (1, 2, 3)[::2] }} {{ 'abc'[-10:2] }} {{ 'abc'[2:0:-1] }}
{{ [1, 2] + [3] }} {{ [1] * 3 }} {{ 'ab' * 2 }} {{ 3 * 'x' }} {{ 'x' * -1 }}| {{ (1,) + (2,) }}
{{ [1] + (2,) }}
{{ 'a' + 1 }}
{{ 1 + 'a' }}
{{ 'a' - 'b' }}
{{ 'x' * 2.0 }}
{{ messages.foo }}
{{ loop }}
{{ 1 if true else nosuch.x }} {{ false and nosuch.x }} {{ true or nosuch.x }}
{% if text | nosuch %}{% endif %}
{% if false %}{{ text | nosuch }}{% endif %}ok
{% if false %}{% for x in list %}{{ x | nosuch }}{% endfor %}{% endif %}
{{ (text | nosuch) if false else 'ok' }}
{% include 'x' %}
{% do list.append(1) %}
{% if %}{% endif %}
{% for x in list %}
{{ text
{{ text | }}
{{ a b }}
{{ [1, 2 }}
{{ }}
{% endif %}
{% unknown %}
{{ text.1 }} {{ list.1 }} {{ list . 0 }} {{ list[0,] }}
{{ list[0, 1] }}|
{{ people[0].in.x[0] }} {{ people[1].in }}|
{{ people[1].in.x }}
{% print 1, 2 %} {{ 1, }} {{ (1) }} {{ () }}
{% for x in 1, 2 %}{{ x }}{% endfor %}
{{ true }}{{ True }}{{ none }}{{ None }}{{ false }}
{% set true = 1 %}
{{ 1.0 }} {{ 1e16 }} {{ 1e-5 }} {{ 0.1 + 0.2 }} {{ 1e15 }} {{ 123456.789e3 }} {{ 3 / 2 }} {{ 4 / 2 }} {{ 7 // 2.0 }} {{ -0.0 }} {{ 5.0 | int }} {{ '12.7' | int }} {{ 'x' | int }} {{ '0x1f' | int(0, 16) }} {{ ' 1_000 ' | int }} {{ '1e3' | float }} {{ 'inf' | float }} {{ 'nan' | int }}
{{ "it's" }} {{ ['it\'s', "a\"b", 'tab\t', '\x00é\u200b'] }} {{ {'k': 'it\'s'} }}
{{ text.upper }}
{{ text.upper | string }}
{{ list.count('b') }} {{ list.index('A') }} {{ list.index('zz') }}
{{ (missing or 'd').upper() }} {{ missing | default({}) | length }} {{ (missing | default('q')) ~ 1 }}
{{ text if text is defined and text != '' else 'none' }} {{ (text | trim | lower)[:3] }} {{ text[:3] | upper ~ '!' }}
{%- set m = messages if messages is defined else [] -%}{{ m | length }}
{{ m(*[1], **{'a': 2}) }}
{% macro m(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ m(*[1, 2]) }}{{ m(1, **{'b': 3}) }}{{ m(**{'a': 1, 'q': 2}) }}
{{ 'a' < 'b' }} {{ 'Z' < 'a' }} {{ [1, 2] < [1, 3] }} {{ (1, 'a') < (1, 'b') }} {{ {} < {} }}
{{ 1 in [true] }} {{ 'b' in dict }} {{ 1 in dict.values() }} {{ ('b', 1) in dict.items() }} {{ [] in dict }}
{{ 'el' in text }} {{ 1 in text }}
{{ 10 ** 5000 }}
{{ 2 ** 1000000000 }}
{{ "a\r\nb" }}|{{ 'c
d' }}
{{ caller }}|{{ self }}
{{ "x" if loop is defined else "no loop" }}
{% for x in [1, 2] %}{% for y in [3] %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}
{% for loop in [1] %}{{ loop }}{% endfor %}
{% for x in people %}{% set first = loop.first %}{% if not first %}, {% endif %}{{ x.name }}{% endfor %}
{{ '' ~ 1.0 ~ -0.0 ~ 1e22 ~ 10000000000000000 }}
""".strip("\n")


def environment_gives(source):
    try:
        text = _compile_jinja_template(source).render(**copy.deepcopy(VARIABLES))  # indent adds to a list in place
        text.encode()  # half of a surrogate pair cannot be tokenized
        return {"text": text}
    except RecursionError:
        return {"raises": "RecursionError"}
    except Exception as problem:  # noqa: BLE001 - that it raises is the case
        return {"raises": type(problem).__name__}


def by_hand():
    """A template a line; a line that begins with white space or follows an open quote belongs to the one before it.
    statements.txt: statements, syntax and methods, templates apart by %%."""
    yield from re.split(r"\n(?=\{[{%#])", BY_HAND)
    yield from (here / "statements.txt").read_text().removesuffix("\n").split("\n%%\n")


def sources():
    yield from by_hand()
    for value in VALUES:
        yield f"{{{{ {value} }}}}"
        yield from (f"{{{{ {value} | {f} }}}}" for f in FILTERS)
        yield from (f"{{{{ {value} is {t} }}}}" for t in TESTS)
        simple = value if value.isidentifier() else f"({value})"
        yield from (f"{{{{ {simple}{m} }}}}" for m in MEMBERS if (value, m) not in UNSTEADY)
        yield f"{{% for x in {value} %}}{{{{ x }}}},{{% endfor %}}"
        yield f"{{% if {value} %}}yes{{% else %}}no{{% endif %}}{{{{ -{simple} if {value} is number }}}}"
    for a, op, b in itertools.product(OPERANDS, OPERATORS, OPERANDS):
        if (op == "**" and "large" in (a, b)) or (op == "*" and "large" in (a, b)):
            continue
        yield f"{{{{ {a} {op} {b} }}}}"


def main():
    cases = []
    for source in dict.fromkeys(sources()):
        got = environment_gives(source)
        if " at 0x" in got.get("text", ""):
            got = {"raises": "address"}
        cases.append({"template": source, **got})
    out = here / "expressions.json.gz"
    raw = json.dumps({"variables": VARIABLES, "cases": cases}, ensure_ascii=False).encode()
    out.write_bytes(gzip.compress(raw, mtime=0))
    print(len(cases), "cases,", sum("raises" in c for c in cases), "raise,", out.stat().st_size, "bytes")


main()
