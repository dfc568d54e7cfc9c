"""What transformers makes of a small random model, in the layout of golden folders."""
import copy
import json

import safetensors.torch
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

import families

MAX_LENGTH = 40
TOLERANCE = {"deberta-v2": 5e-5}
# Texts 0 to 3 are chosen, 4 to 7 rejected in the loss whose gradients are kept; hidden states are of text 1.
HIDDEN_TEXT = 1


def texts():
    rows = [json.loads(line) for line in families.PAIRS.open()][:8]
    cut = [12, 400, 60, 150, 90, 400, 30, 200]
    return [(row["prompt"] + row["chosen"])[:n] for row, n in zip(rows, cut)]


def enlarge(model, generator):
    """Draws all weights anew, so large that no part of the model is idle."""
    with torch.no_grad():
        for module in model.modules():
            kind = type(module).__name__
            for name, parameter in module.named_parameters(recurse=False):
                noise = torch.randn(parameter.shape, generator=generator)
                if name == "bias" or "Gemma" in kind and "Norm" in kind:
                    parameter.copy_(0.3 * noise)
                elif "Norm" in kind:
                    parameter.copy_(1 + 0.3 * noise)
                elif "Embedding" in kind:
                    parameter.copy_(0.7 * noise)
                else:
                    parameter.copy_(noise * 1.2 / parameter[0].numel() ** 0.5)


def write(family, keys, folder, seed):
    """Makes a model of a configuration and writes it, its inputs and what comes out."""
    tokens = dict(bos_token_id=1, eos_token_id=2) if family in families.DECODERS else dict(bos_token_id=None, eos_token_id=None)
    families.write_tokenizer(family, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    config = AutoConfig.for_model(family, vocab_size=len(tokenizer) + 8, num_labels=1, **tokens, **keys)
    model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    enlarge(model, torch.Generator().manual_seed(seed))
    model.save_pretrained(folder)
    written = json.loads((folder / "config.json").read_text())
    if "sliding_window_pattern" in keys:  # what older files have in place of layer_types
        written["layer_types"] = model.config.layer_types

    all_texts = texts()
    ids = [tokenizer(text, truncation=True, max_length=MAX_LENGTH)["input_ids"] for text in all_texts]
    size = 1 if config.pad_token_id is None and family in families.DECODERS else 4
    batches = [list(range(i, i + size)) for i in range(0, len(ids), size)]
    inputs = {"texts": all_texts, "max_length": MAX_LENGTH, "truncation_side": "right", "unpadded": ids,
              "batches": [{"texts": batch} for batch in batches]}
    expected = logits(model, ids, batches)
    scale = max(1.0, max(map(abs, expected["logits"])))
    expected |= {"tolerance": TOLERANCE.get(family, 2e-5) * scale, "hidden_states": hidden(model, ids), "grad": gradients(model, ids, size, folder)}
    (folder / "inputs.json").write_text(json.dumps(inputs))
    (folder / "expected.json").write_text(json.dumps(expected))
    return written, expected, all_texts


def forward(model, rows, **options):
    """Runs a right-padded batch."""
    longest, pad = max(map(len, rows)), model.config.pad_token_id or 0
    padded = torch.tensor([row + [pad] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return model(input_ids=padded, attention_mask=mask, **options)


def logits(model, ids, batches):
    with torch.no_grad():
        padded = torch.cat([forward(model, [ids[i] for i in batch]).logits[:, 0] for batch in batches])
        single = torch.cat([forward(model, [row]).logits[:, 0] for row in ids])
    return {"logits": padded.tolist(), "logits_single": single.tolist(), "logits_left_padded": None}


def hidden(model, ids):
    with torch.no_grad():
        states = forward(model, [ids[HIDDEN_TEXT]], output_hidden_states=True).hidden_states
    return {"text": HIDDEN_TEXT, "tokens": len(ids[HIDDEN_TEXT]), "values": [state.flatten().tolist() for state in states]}


def gradients(model, ids, size, folder):
    """Gradients of mean(-logsigmoid(rc-rr)) + 0.01·mean((rc+rr)²), and what float32 itself differs by from float64."""
    rows = [ids] if size > 1 else [[row] for row in ids]
    loss, found = backward(model, rows)
    _, exact = backward(copy.deepcopy(model).double(), rows)
    safetensors.torch.save_file({name: grad.contiguous() for name, grad in found.items()}, folder / "grads.safetensors")
    total = torch.cat([grad.flatten() for grad in found.values()]).norm().item()
    noise = max((found[name] - exact[name]).norm().item() / max(found[name].norm().item(), 1e-3 * total) for name in found)
    half = len(ids) // 2
    return {"file": "grads.safetensors", "chosen": list(range(half)), "rejected": list(range(half, 2 * half)), "loss": loss,
            "total_norm": total, "tolerance": max(1e-4, 6 * noise)}


def backward(model, rows):
    model.zero_grad()
    rewards = torch.cat([forward(model, batch).logits[:, 0] for batch in rows])
    chosen, rejected = rewards.chunk(2)
    loss = -torch.nn.functional.logsigmoid(chosen - rejected).mean() + 0.01 * (chosen + rejected).square().mean()
    loss.backward()
    return loss.item(), {name: p.grad if p.grad is not None else torch.zeros_like(p) for name, p in model.named_parameters()}


def agree(folder, older, expected):
    """Holds the older spelling to the newer one, in transformers itself."""
    newer = (folder / "config.json").read_text()
    (folder / "config.json").write_text(json.dumps(older))
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    (folder / "config.json").write_text(newer)
    inputs = json.loads((folder / "inputs.json").read_text())
    again = logits(model, inputs["unpadded"], [batch["texts"] for batch in inputs["batches"]])
    worst = max(abs(a - b) for a, b in zip(again["logits_single"], expected["logits_single"]))
    if worst > expected["tolerance"] / 10:
        raise ValueError(f"transformers reads the older dialect otherwise: {worst:.1e}")


def older(config, draw):
    """The same config as transformers 4 wrote it."""
    old = dict(config, transformers_version="4.48.0", torch_dtype=config["dtype"])
    del old["dtype"]
    labels = draw.choice([{"num_labels": 1}, {"id2label": {"0": "REWARD"}, "label2id": {"REWARD": 0}}, {"id2label": {"0": "LABEL_0"}, "num_labels": 1}])
    for key in ("id2label", "label2id"):
        old.pop(key, None)
    old |= labels
    rope = old.pop("rope_parameters", None)
    if old["model_type"] == "gemma3_text":
        old |= {"rope_theta": rope["full_attention"]["rope_theta"], "rope_local_base_freq": rope["sliding_attention"]["rope_theta"],
                "rope_scaling": scaling(rope["full_attention"])}
    elif old["model_type"] == "modernbert":
        plain = all(part["rope_type"] == "default" for part in rope.values())
        old |= {"global_rope_theta": rope["full_attention"]["rope_theta"], "local_rope_theta": rope["sliding_attention"]["rope_theta"]} if plain else {"rope_parameters": rope}
    elif rope is not None:
        old |= {"rope_theta": rope["rope_theta"], "rope_scaling": scaling(rope, draw.choice(["rope_type", "type"]))}
    return without_layer_types(without_defaults(old, draw))


THETAS = {"gemma3_text": {"rope_theta": 1e6, "rope_local_base_freq": 1e4}, "modernbert": {"global_rope_theta": 160000.0, "local_rope_theta": 1e4}}


def without_defaults(old, draw):
    """Leaves out half of the keys whose value is the family's own."""
    defaults = AutoConfig.for_model(old["model_type"]).to_dict() | THETAS.get(old["model_type"], {"rope_theta": 1e4, "rope_scaling": None})
    kept = ("model_type", "layer_types")
    return {key: value for key, value in old.items()
            if key in kept or key not in defaults or defaults[key] != value or draw.random() < 0.5}


def scaling(rope, spelling="rope_type"):
    """rope_scaling of transformers 4: null where nothing is scaled."""
    if rope["rope_type"] == "default":
        return None
    rest = {key: value for key, value in rope.items() if key not in ("rope_theta", "rope_type")}
    return {spelling: rope["rope_type"], **rest}


def without_layer_types(old):
    """Spells the kinds of layers by the older key where one can."""
    kinds = [kind == "sliding_attention" for kind in old.get("layer_types", [])]
    spelt = {
        "gemma2": [({}, lambda i: i % 2 == 0)],
        "gemma3_text": [({"sliding_window_pattern": n}, lambda i, n=n: (i + 1) % n != 0) for n in range(1, 8)],
        "modernbert": [({"global_attn_every_n_layers": n}, lambda i, n=n: i % n != 0) for n in range(1, 8)],
        "qwen2": [({"max_window_layers": n}, lambda i, n=n: i >= n) for n in range(8)],
    }
    spelt["qwen3"] = spelt["qwen2"]
    for keys, sliding in spelt.get(old["model_type"], []):
        if kinds and kinds == [sliding(i) for i in range(len(kinds))] and (old.get("use_sliding_window", True) or not any(kinds)):
            del old["layer_types"]
            return old | keys
    return old
