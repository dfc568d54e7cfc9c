"""Holds laurel to peft on drawn LoRA adapters.

    python adapters.py --laurel bin/laurel --work DIR [--draws 6] [--seed 1] [FAMILY…]

For each family, peft puts adapters on a small random model: rank, alpha, rsLoRA,
layers by list, by regular expression and all-linear, modules trained whole, ways
to begin. What peft saves must give the same rewards in `laurel score`, and what
laurel does not compute must be refused with the key's name.
"""
import argparse
import json
import pathlib
import random
import shutil
import sys

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForSequenceClassification

import configurations
import families
import reference

ENCODER = dict(lists=[["query", "value"], ["query", "key", "value", "dense"]], pattern=r".*\.layer\.[01]\..*(query|dense)", whole=["LayerNorm"])
DECODER = dict(lists=[["q_proj", "v_proj"], ["gate_proj", "up_proj", "down_proj", "o_proj"]], pattern=r".*layers\.(0|2)\..*(q|k|down)_proj",
               whole=["embed_tokens", "norm"])
LAYERS = {
    "bert": ENCODER, "roberta": ENCODER, "electra": ENCODER,
    "distilbert": dict(lists=[["q_lin", "v_lin"], ["lin1", "lin2"]], pattern=r".*layer\.0\..*_lin", whole=["sa_layer_norm"],
                       all=[]),  # peft cannot save pre_classifier whole once all-linear has adapted it
    "deberta-v2": dict(lists=[["query_proj", "value_proj"], ["pos_key_proj", "dense"]], pattern=r".*layer\.1\..*_proj", whole=["rel_embeddings"]),
    "modernbert": dict(lists=[["Wqkv"], ["Wi", "Wo"]], pattern=r".*layers\.[12]\.mlp\.W.", whole=["mlp_norm"]),
    **dict.fromkeys(families.DECODERS, DECODER)}

# What laurel does not compute: options of LoraConfig, and the key that is refused.
REFUSED = [({"use_dora": True}, "use_dora"), ({"bias": "lora_only"}, "bias"), ({"bias": "all"}, "bias"),
           ({"rank_pattern": {"0.*": 3}}, "rank_pattern"), ({"alpha_pattern": {"0.*": 3}}, "alpha_pattern"),
           ({"init_lora_weights": "pissa"}, "init_lora_weights"), ({"init_lora_weights": "olora"}, "init_lora_weights"),
           ({"trainable_token_indices": [5]}, "trainable_token_indices")]


def draw_config(draw, layers):
    keys = {"r": draw.choice([2, 4, 6]), "lora_alpha": draw.choice([1, 4, 16]), "lora_dropout": draw.choice([0.0, 0.1]),
            "use_rslora": draw.choice([True, False]), "init_lora_weights": draw.choice([True, False, "gaussian", "orthogonal"]),
            "target_modules": draw.choice([*layers["lists"], layers["pattern"], *layers.get("all", ["all-linear"])])}
    if draw.random() < 0.4:
        keys["modules_to_save"] = [*layers["whole"]]  # peft appends to it
    if isinstance(keys["target_modules"], list) and draw.random() < 0.3:
        keys |= draw.choice([{"layers_to_transform": [1]}, {"exclude_modules": r".*\.2\..*"}])
    return keys


def adapter(base, keys, out, seed):
    """Saves an adapter none of whose weights is idle, and gives what peft makes of it."""
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1, dtype=torch.float32, attn_implementation="eager")
    wrapped = get_peft_model(model, LoraConfig(task_type="SEQ_CLS", **keys))
    with torch.no_grad():
        for parameter in wrapped.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05 * torch.randn_like(parameter))
    wrapped.save_pretrained(out)
    fresh = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1, dtype=torch.float32, attn_implementation="eager")
    return PeftModel.from_pretrained(fresh, out).eval()


def rewards(model, ids):
    with torch.no_grad():
        return [model(input_ids=torch.tensor([row])).logits[0, 0].item() for row in ids]


def prove(binary, family, draws, seed, work):
    draw, layers = random.Random(f"{seed} {family}"), LAYERS[family]
    base = (work / family / "base").resolve()
    shutil.rmtree(base.parent, ignore_errors=True)
    base.mkdir(parents=True)
    numbers = families.ENCODERS.get(family) or families.DECODERS[family]
    _, expected, texts = reference.write(family, dict(numbers, pad_token_id=0), base, seed=draw.randrange(2**31))
    ids = json.loads((base / "inputs.json").read_text())["unpadded"]
    worst, problems = 0.0, []
    for number in range(draws):
        keys, out = draw_config(draw, layers), base.parent / str(number)
        want = rewards(adapter(base, keys, out, number), ids)
        got, said = configurations.score(binary, out, texts)
        difference = max(abs(a - b) for a, b in zip(got, want)) if got else float("inf")
        worst = max(worst, difference)
        moved = max(abs(a - b) for a, b in zip(expected["logits_single"], want))
        if moved < 1e-3 or not difference <= 5e-5 * max(1.0, max(map(abs, want))):
            problems.append(f"{out}: difference {difference:.1e}, the adapter moves rewards by {moved:.1e}\n  {keys}\n{said}")
    return worst, problems + refusals(binary, base, texts, layers["lists"][0])


def refusals(binary, base, texts, targets):
    problems = []
    for number, (option, name) in enumerate(REFUSED):
        out = base.parent / f"refused-{number}"
        adapter(base, {"r": 2, "target_modules": targets, **option}, out, number)
        got, said = configurations.score(binary, out, texts)
        if got is not None or name not in said:
            problems.append(f"{out}: {option}: want a refusal that names {name}, got {said or got}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laurel", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("families", nargs="*", default=[*LAYERS])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    wrong = 0
    for family in arguments.families:
        worst, problems = prove(arguments.laurel, family, arguments.draws, arguments.seed, arguments.work)
        wrong += len(problems)
        print(f"adapters: {family:12} {arguments.draws} drawn: largest difference {worst:.1e}; {len(REFUSED)} refused", flush=True)
        for problem in problems:
            print("  WRONG", problem, flush=True)
    if wrong:
        sys.exit(f"adapters: {wrong} wrong")


if __name__ == "__main__":
    main()
