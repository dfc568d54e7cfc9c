"""Writes conversations/expected.json: what apply_chat_template of transformers
makes of conversations with tools, calls, reasoning and parts of content.

    pip install transformers==5.23.0 jinja2==3.1.6
    python make_conversations.py

The templates of conversations/ are made for this, but for those named for a
model, which are its own (GLM-4.5, Phi-3 and DeepSeek-V3, all MIT); the others
are those of templates/. A row is what data sets hold: messages, tools,
chat_template_kwargs. sparse holds rows as a Parquet file of structs gives
them, with a null for every key that another row has: TRL removes these.
"""
import datetime
import json
import pathlib

from transformers import AutoTokenizer
from transformers.utils import chat_template_utils

here = pathlib.Path(__file__).parent


class Clock(datetime.datetime):
    @classmethod
    def now(cls):
        return cls(2026, 3, 7)


chat_template_utils.datetime = Clock

WEATHER = {"type": "function", "function": {"name": "get_weather", "description": "Wetter <b>&amp;</b> \"heute\" – 天气\u2028",
           "parameters": {"type": "object", "properties": {"place": {"type": "string"}, "days": {"type": "integer", "default": 3}},
                          "required": ["place"], "additionalProperties": False}}}
CALL = {"id": "call12345", "type": "function", "function": {"name": "get_weather", "arguments": {"place": "Köln <x> & 'y'", "days": 2, "exact": None,
        "range": [1.0, 1e16, 1e-5, 0.1, 12345678.5, -2], "on": True, "nested": {"z": {}, "a": []}}}}
ROWS = [
    {"messages": [{"role": "user", "content": "Wie wird es?"}, {"role": "assistant", "content": "", "tool_calls": [CALL]},
                  {"role": "tool", "name": "get_weather", "tool_call_id": "call12345", "content": "{\"t\": 5}"}, {"role": "assistant", "content": "Fünf Grad."}],
     "tools": [WEATHER]},
    {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": None, "tool_calls": [CALL]}], "tools": [WEATHER, WEATHER]},
    {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "{\"x\": 1}"}}]}]},
    {"messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "reasoning_content": "two and two\nis four", "content": "4"}]},
    {"messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]}, {"role": "assistant", "content": "three"}], "parts": True},
    {"messages": [{"content": "order", "role": "user", "weight": 1, "name": "Ann"}, {"role": "assistant", "content": "kept", "extra": {"b": 1, "a": [None, "\\u0041\x7f\x01"]}}]},
    {"messages": [{"role": "system", "content": [{"type": "text", "text": "it's"}, {"type": "text", "text": " \"both\"\n'"}]}, {"role": "user", "content": [{"type": "text", "text": "\u00a0\t\\ \U0001f600\u200b\x7f"}]},
                  {"role": "assistant", "content": [{"type": "text", "text": "ok"}]}], "parts": True},
    {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "reasoning_content": "first", "content": "a"}, {"role": "user", "content": "r"}, {"role": "assistant", "content": "b"}]},
    {"messages": [{"role": "user", "content": "q"}], "chat_template_kwargs": {"enable_thinking": False, "style": "kühl"}, "add_generation_prompt": True},
]
TEMPLATES = ["templates/llama-3.1.jinja", "templates/llama-3.2.jinja", "templates/qwen2.5.jinja", "templates/qwen3.jinja",
             "templates/mistral-v0.3.jinja", "templates/gemma-3.jinja", "conversations/hermes.jinja", "conversations/parts.jinja", "conversations/everything.jinja",
             "conversations/values.jinja", "conversations/glm-4.5.jinja", "conversations/phi-3.jinja", "conversations/deepseek-v3.jinja", "templates/llama-3.jinja"]


def render(hf, row):
    try:
        return {"text": hf.apply_chat_template(row["messages"], tools=row.get("tools"), tokenize=False,
                                               add_generation_prompt=row.get("add_generation_prompt", False), **row.get("chat_template_kwargs", {}))}
    except Exception as problem:  # noqa: BLE001 - the template's own refusal is a case too
        return {"error": str(problem)[:80]}


def remove_none(value):
    """TRL's remove_none_values."""
    if isinstance(value, list):
        return [remove_none(v) for v in value]
    if isinstance(value, dict):
        return {k: remove_none(v) for k, v in value.items() if v is not None}
    return value


hf = AutoTokenizer.from_pretrained(here / "bpe")
cases = []
for name in TEMPLATES:
    hf.chat_template = (here / name).read_text()
    for number, row in enumerate(ROWS):
        cases.append({"template": name, "row": number, **render(hf, row)})
        if name.startswith("conversations") and not row.get("parts"):
            cases.append({"template": name, "row": number, "sparse": True, **render(hf, {**remove_none(row)})})
expected = {"tokens": hf.special_tokens_map, "rows": ROWS, "cases": cases}
(here / "conversations" / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n")
print(len(cases), "cases,", sum("error" in c for c in cases), "refused by the template")
