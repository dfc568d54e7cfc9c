"""Writes templates/expected.json: what transformers renders for each template.

    pip install transformers==5.23.0 jinja2==3.1.6
    python make_templates.py

The templates are those of the models they are named for, so far as their
makers publish them in tokenizer_config.json.
"""
import datetime
import json
import pathlib

from transformers.utils import chat_template_utils

here = pathlib.Path(__file__).parent / "templates"
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}


class Clock(datetime.datetime):
    @classmethod
    def now(cls):
        return cls(2026, 3, 7, 9, 5, 1)


chat_template_utils.datetime = Clock


def turns(*pairs):
    return [{"role": role, "content": content} for role, content in pairs]


CONVERSATIONS = [
    turns(("user", "Hi there"), ("assistant", "Hello! How can I help?")),
    turns(("system", "Be brief. "), ("user", "  What is 2+2?\n"), ("assistant", "\n4 "), ("user", "And 3+3?"), ("assistant", "6")),
    turns(("user", "Écris « été » 你好 \U0001f600"), ("assistant", "<think>\nhm\n</think>\n\nVoilà: l'été <b>&amp;</b> \"ok\"")),
    turns(("user", "a"), ("assistant", ""), ("user", "<tool_response>x</tool_response>"), ("assistant", "<think>why</think>b")),
    turns(("user", "{{ messages }} {% raw %}"), ("assistant", "line one\nline two\n\n")),
    turns(("system", "s"), ("user", "call"), ("assistant", "calling"), ("tool", "42"), ("tool", "43"), ("assistant", "It is 42.")),
    turns(("user", "one"), ("user", "two"), ("assistant", "three")),
    turns(("user", "only a question")),
    turns(("system", "\u00a0Be \u200bkind\u3000"), ("user", "\r\nTell me\tmore\u2028"), ("assistant", "مرحبا e\u0301 \U0001f468\u200d\U0001f4bb"),
          ("user", "again"), ("assistant", " \n"), ("user", "and\n\n\nagain"), ("assistant", "done")),
    turns(("user", "<|eot_id|></s><s>[INST] <end_of_turn><|im_end|>"), ("assistant", "</think>\n\n<think>x</think>  y"), ("user", ""), ("assistant", "z")),
]


def render(source, messages, prompt):
    try:
        texts, _ = chat_template_utils.render_jinja_template(
            conversations=[messages], chat_template=source, add_generation_prompt=prompt, **TOKENS)
        return {"text": texts[0]}
    except Exception as problem:  # noqa: BLE001 - the template's own refusal is a case too
        return {"error": str(problem)}


cases = []
for path in sorted(here.glob("*.jinja")):
    source = path.read_text()
    for number, messages in enumerate(CONVERSATIONS):
        for prompt in (False, True):
            cases.append({"template": path.name, "conversation": number, "add_generation_prompt": prompt,
                          **render(source, messages, prompt)})
out = {"tokens": TOKENS, "now": "2026-03-07T09:05:01Z", "conversations": CONVERSATIONS, "cases": cases}
(here / "expected.json").write_text(json.dumps(out, ensure_ascii=False, indent=1) + "\n")
print(len(cases), "cases;", sum("error" in c for c in cases), "refusals")
