package jinja

import (
	"errors"
	"strings"
	"testing"
)

// TestBudgets: what would not end, or eat the machine, is an error.
func TestBudgets(t *testing.T) {
	for name, source := range map[string]string{
		"macro in itself":    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
		"macros in turns":    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
		"loop in itself":     "{% for x in list recursive %}{{ loop(list) }}{% endfor %}",
		"caller in itself":   "{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{% call m() %}x{% endcall %}",
		"long loops":         "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
		"long text":          "{{ 'x' * 9**9 }}",
		"longer text":        "{{ 'x' * 9**18 }}",
		"long list":          "{{ [1] * 9**9 }}",
		"doubled text":       "{% set ns = namespace(t='x') %}{% for i in range(99) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}",
		"added text":         "{% set ns = namespace(t='x') %}{% for i in range(99) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
		"doubled list":       "{% set ns = namespace(t=[1]) %}{% for i in range(99) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
		"replaced text":      "{% set ns = namespace(t='x') %}{% for i in range(99) %}{% set ns.t = ns.t.replace('x', 'xxxxxxxx') %}{% endfor %}",
		"joined text":        "{% set ns = namespace(t='xx') %}{% for i in range(99) %}{% set ns.t = ns.t | join(ns.t) %}{% endfor %}",
		"wide":               "{{ 'x' | center(9**12) }}",
		"wide format":        "{{ '%999999999d' % 1 }}",
		"large number":       "{{ 9 ** 99999 }}",
		"squared number":     "{% set ns = namespace(t=9) %}{% for i in range(99) %}{% set ns.t = ns.t * ns.t %}{% endfor %}",
		"shared structure":   "{% set ns = namespace(t=[1]) %}{% for i in range(99) %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.t }}",
		"shared in JSON":     "{% set ns = namespace(t=[1]) %}{% for i in range(99) %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.t | tojson }}",
		"shared, compared":   "{% set ns = namespace(t=[1], u=[1]) %}{% for i in range(99) %}{% set ns.t = [ns.t, ns.t] %}{% set ns.u = [ns.u, ns.u] %}{% endfor %}{{ ns.t == ns.u }}",
		"deep structure":     "{% set ns = namespace(t=[1]) %}{% for i in range(9999) %}{% set ns.t = [ns.t] %}{% endfor %}{{ ns.t }}",
		"text looked at":     "{% set t = 'x' * 9999999 %}{% for i in range(99999) %}{{ t.find('y') }}{{ t | length }}{{ t is lower }}{{ t[5] }}{% endfor %}",
		"words counted":      "{% set t = 'x ' * 999999 %}{% for i in range(99999) %}{{ t | wordcount }}{{ t | float }}{% endfor %}",
		"shared as a key":    "{% set ns = namespace(t=()) %}{% for i in range(99) %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}{{ {ns.t: 1} }}{{ dict[ns.t] }}",
		"large numbers":      "{% set t = 2 ** 65000 %}{% for i in range(99999) %}{{ t % (t - 1) == 0 }}{% endfor %}",
		"printed many times": "{% for i in range(99999) %}{{ 'x' * 99999 }}{% endfor %}",
	} {
		t.Run(name, func(t *testing.T) {
			template, err := Parse(source)
			if err != nil {
				t.Fatal(err)
			}
			if text, err := template.Render(map[string]Value{"list": &List{Items: []Value{int64(1), int64(2)}}}); !errors.Is(err, ErrBudget) {
				t.Errorf("%d bytes, %v", len(text), err)
			}
		})
	}
	for name, source := range map[string]string{
		"brackets": strings.Repeat("(", 9999), "lists": "{{ " + strings.Repeat("[", 9999), "ifs": strings.Repeat("{% if x %}", 9999), "signs": "{{ " + strings.Repeat("-", 9999),
		"nots": "{{ " + strings.Repeat("not ", 9999), "conditions": "{{ " + strings.Repeat("a if b else ", 9999), "long": "{{ x" + strings.Repeat(" ", maxSource),
	} {
		if _, err := Parse("{{" + source); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	sum, err := Parse("{{ 1" + strings.Repeat("+1", 400_000) + " }}")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := sum.Render(nil); err != nil || text != "400001" {
		t.Errorf("%.20s, %v", text, err)
	}
}

// FuzzRender: any template ends, in a text or in an error.
func FuzzRender(f *testing.F) {
	for _, source := range []string{
		"{% for m in list %}{{ loop.index }}{{ m.a | tojson(indent=2) }}{% if loop.last %}{% break %}{% endif %}{% else %}x{% endfor %}",
		"{% macro m(a, b=1) %}{{ caller() if caller else a[::-1] }}{{ varargs }}{% endmacro %}{% call m(2, c=3) %}x{% endcall %}{{ m('q') | upper }}",
		"{% set ns = namespace(t='x') %}{% for i in range(99) recursive %}{% set ns.t = ns.t ~ i ** 9 // 7 %}{% endfor %}{{ '%5.2f' % 1e9 }}",
		"{%- with a = list | map(attribute='a') | select('string') | list -%} {{ a | sort | join(', ') | replace('b', '') }}{% endwith %}{# c #}",
	} {
		f.Add(source, `{"list": [{"a": "b"}, {"a": 1.5}, null], "text": "ß"}`)
	}
	f.Fuzz(func(t *testing.T, source, variables string) {
		template, err := Parse(source)
		if err != nil {
			return
		}
		values, err := FromJSON(variables)
		all, ok := values.(*Dict)
		if err != nil || !ok {
			return
		}
		given := map[string]Value{}
		for _, name := range all.Keys() {
			given[name], _ = all.Get(name)
		}
		_, _ = template.Render(given)
	})
}
