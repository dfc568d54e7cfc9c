"""Loads an exported model with transformers and compares its logits with the
rewards that laurel wrote.

    python check.py --model HF_DIR --scores scores.parquet [--max-length N] [--card]

The scores are `laurel score`'s output for rows with text, prompt + response or
messages. It fails on any warning of from_pretrained, on any missing, unexpected
or mismatched tensor, and on a logit that differs by more than the tolerance,
from the model or from pipeline("text-classification").
"""
import argparse
import logging
import sys
import warnings
from pathlib import Path

import pyarrow.parquet
import torch
import transformers
from huggingface_hub import ModelCard
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline


class Record(logging.Handler):
    """Keeps what transformers logs at WARNING or above."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def load(folder):
    record = Record()
    transformers.logging.get_logger("transformers").addHandler(record)
    transformers.logging.set_verbosity_warning()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model, info = AutoModelForSequenceClassification.from_pretrained(
            folder, dtype=torch.float32, output_loading_info=True)
    problems = [f"{key}: {sorted(map(str, value))}" for key, value in info.items() if value] + record.lines
    if problems:
        sys.exit("interop: from_pretrained complains:\n  " + "\n  ".join(problems))
    for key, want in {"num_labels": 1, "problem_type": "regression"}.items():
        if getattr(model.config, key) != want:
            sys.exit(f"interop: config.json: {key} is {getattr(model.config, key)!r}, want {want!r}")
    if model.config.pad_token_id is None or tokenizer.pad_token_id != model.config.pad_token_id:
        sys.exit(f"interop: pad_token_id: config.json {model.config.pad_token_id}, tokenizer {tokenizer.pad_token_id}")
    return tokenizer, model.eval()


def check_card(folder):
    """README.md and MODEL_CARD.md are what huggingface_hub takes, with the figures of the run's evaluations."""
    for name in ("README.md", "MODEL_CARD.md"):
        card = ModelCard.load(Path(folder) / name)
        results = card.data.eval_results
        if not results:
            sys.exit(f"interop: {name}: huggingface_hub finds no evaluation in model-index")
        for r in results:
            if r.task_type != "text-classification" or not r.dataset_name or not isinstance(r.metric_value, float):
                sys.exit(f"interop: {name}: {r}")
        if not any(r.metric_type == "accuracy" and 0 < r.metric_value <= 1 for r in results):
            sys.exit(f"interop: {name}: no accuracy among {[r.metric_type for r in results]}")
        again = ModelCard(str(card)).data.eval_results
        if [vars(a) for a in again] != [vars(r) for r in results]:
            sys.exit(f"interop: {name}: does not survive being written again")
    print(f"interop: model card: {len(results)} figures, {results[0].metric_name}: {results[0].metric_value:.4f}")


def has_specials_once(tokenizer, ids):
    """Puts the post-processor's special tokens around ids where the chat template wrote none."""
    full = tokenizer("a")["input_ids"]
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    at = next(i for i in range(len(full)) if full[i:i + len(plain)] == plain)
    prefix, suffix = full[:at], full[at + len(plain):]
    if prefix and ids[:len(prefix)] == prefix:
        ids = ids[len(prefix):]
    if suffix and ids[-len(suffix):] == suffix:
        ids = ids[:-len(suffix)]
    return prefix + ids + suffix


def encode(tokenizer, row, max_length):
    """Ids of one row, and its text where the pipeline can be given one."""
    limit = {"truncation": True, "max_length": max_length} if max_length else {}
    if row.get("messages") is not None:
        ids = tokenizer.apply_chat_template(row["messages"], return_dict=False)
        return has_specials_once(tokenizer, list(ids)), None
    if (text := row.get("text")) is not None:
        ids = tokenizer(text, **limit)["input_ids"]  # cut at the tokenizer's own side
    else:
        text = (row.get("prompt") or "") + (row.get("response") or "")
        own, tokenizer.truncation_side = tokenizer.truncation_side, "left"
        ids = tokenizer(text, **limit)["input_ids"]
        tokenizer.truncation_side = own
    return ids, text if len(ids) == len(tokenizer(text)["input_ids"]) else None


def compare(tokenizer, model, rows, max_length, tolerance):
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer)
    worst, piped = 0.0, 0
    for number, row in enumerate(rows):
        if row["reward"] is None:
            continue
        ids, text = encode(tokenizer, row, max_length)
        with torch.no_grad():
            logits = [model(input_ids=torch.tensor([ids])).logits[0, 0].item()]
        if text is not None and ids:
            logits.append(classify(text)[0]["score"])
            piped += 1
        for logit in logits:
            worst = max(worst, abs(logit - row["reward"]))
            if not abs(logit - row["reward"]) <= tolerance:
                sys.exit(f"interop: row {number}: laurel {row['reward']:.6f}, transformers {logit:.6f} ({len(ids)} tokens)")
    return worst, piped


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--scores", required=True)
    parser.add_argument("--max-length", type=int, help="default: the tokenizer's model_max_length")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--card", action="store_true", help="the model is of a run that was evaluated: check its card too")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    if arguments.card:
        check_card(arguments.model)
    tokenizer, model = load(arguments.model)
    max_length = arguments.max_length or (tokenizer.model_max_length if tokenizer.model_max_length < 10**7 else None)
    rows = pyarrow.parquet.read_table(arguments.scores).to_pylist()
    if not any(row["reward"] is not None for row in rows):
        sys.exit(f"interop: {arguments.scores} holds no reward")
    worst, piped = compare(tokenizer, model, rows, max_length, arguments.tolerance)
    print(f"interop: {type(model).__name__} of transformers {transformers.__version__}: no warning; {len(rows)} rows, "
          f"{piped} through the pipeline; largest difference {worst:.1e}, allowed {arguments.tolerance:.0e}")


if __name__ == "__main__":
    main()
