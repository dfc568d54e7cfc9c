"""A model of a shape with random weights in bfloat16, as published models are kept, for
measurements of memory where no model can be fetched:

    python bench/random_model.py bench/shapes/qwen3-0.6b.json TOKENIZER_DIR OUT
"""

import json
import pathlib
import shutil
import sys

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

shape, tokenizer, out = map(pathlib.Path, sys.argv[1:])
config = json.loads(shape.read_text())
config["pad_token_id"] = json.loads((tokenizer / "config.json").read_text()).get("pad_token_id")
torch.manual_seed(1)
model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(**config), dtype=torch.bfloat16)
model.save_pretrained(out)
for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
    if (tokenizer / name).exists():
        shutil.copy(tokenizer / name, out)
