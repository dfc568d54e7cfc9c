"""Scores texts as a careful user of transformers does: sorted by length, in batches padded to their longest.

    python bench/transformers_score.py MODEL TEXTS.jsonl OUT.json [max_length] [batch]
"""

import json
import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def main():
    name, texts, out, *rest = sys.argv[1:]
    max_length, batch = int(rest[0]) if rest else 512, int(rest[1]) if len(rest) > 1 else 16
    tokenizer = AutoTokenizer.from_pretrained(name)
    model = AutoModelForSequenceClassification.from_pretrained(name, dtype=torch.float32, num_labels=1).eval()
    with open(texts) as lines:
        rows = tokenizer([json.loads(line)["text"] for line in lines], truncation=True, max_length=max_length)["input_ids"]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    rewards = [0.0] * len(rows)
    with torch.inference_mode():
        for start in range(0, len(order), batch):
            chosen = order[start:start + batch]
            inputs = tokenizer.pad({"input_ids": [rows[i] for i in chosen]}, return_tensors="pt")
            for i, reward in zip(chosen, model(**inputs).logits[:, 0].tolist(), strict=True):
                rewards[i] = reward
    with open(out, "w") as file:
        json.dump(rewards, file)


if __name__ == "__main__":
    main()
