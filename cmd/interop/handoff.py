"""Holds laurel handoff to what its packs' READMEs say, by running them.

    python handoff.py --laurel bin/laurel --work DIR [PACK…]

Packs of an encoder, of a decoder trained on conversations, of a LoRA run and of a
normalized model are made. Of each
  constants  rewards of the references are transformers' logits of model/, and
             whitening, quantiles, clip and length slope are numpy's of these;
  README     every code block is taken out of the pack's README.md and run: the
             server, TRL's reward function in GRPOTrainer and RLOOTrainer, the one in
             process, OpenRLHF's and verl's (handoff_trainers.py), laurel verify.
All of them must give one reward for one response.
"""
import argparse
import json
import math
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import numpy
import torch
import transformers

import check
import families
import handoff_trainers
from judges import check as expect
from serve import Server

PORT = 8161
PACKS = ["encoder", "decoder", "adapter", "normalized"]
MAX_LENGTH = families.MAX_LENGTH
TOLERANCE = 1e-4


def conversation(prompt, response=None):
    return [{"role": "user", "content": prompt}] + ([{"role": "assistant", "content": response}] if response is not None else [])


def references(path, chat):
    """Several responses to a prompt, of unequal lengths; a prompt with one; one that is cut."""
    pairs = [json.loads(line) for line in families.PAIRS.open()][:12]
    rows = [(pair["prompt"][:40], pair[side][:end]) for pair in pairs for side, end in (("chosen", 60), ("rejected", 90))]
    rows += [(pair["prompt"][:40], pair["rejected"][:20]) for pair in pairs[:5]]
    rows += [("Name a planet. ", "Mars."), ("Tell me of the sea. ", "The sea is deep. " * 60)]
    with open(path, "w") as f:
        for prompt, response in rows:
            row = {"messages": conversation(prompt, response)} if chat else {"prompt": prompt, "response": response}
            f.write(json.dumps(row) + "\n")
    return rows


def run_file(path, model, chat=False, **more):
    """A run of a few steps, on texts or conversations."""
    pairs = path.with_suffix(".jsonl")
    with open(pairs, "w") as f:
        for line in [*families.PAIRS.open()][:40]:
            row = json.loads(line)
            if chat:
                row = {"chosen": conversation(row["prompt"], row["chosen"]), "rejected": conversation(row["prompt"], row["rejected"])}
            f.write(json.dumps(row) + "\n")
    path.write_text(json.dumps({"model": dict(model, max_length=MAX_LENGTH), "data": {"train": [str(pairs)]},
                                "train": {"max_steps": 5, "batch_size": 4, "learning_rate": 1e-3}, "backend": "go"}))
    return path


def train(binary, work, family, chat):
    families.write_start(family, work / "start")
    families.laurel(binary, "train", "--config", run_file(work / "run.json", {"config": str(work / "start" / "config.json")}, chat), "--out", work / "run")
    return work / "run"


def model_of(binary, name, work):
    """What is handed off, and whether it was trained on conversations."""
    if name == "encoder":
        return train(binary, work, "bert", False), False
    if name == "decoder":
        return train(binary, work, "qwen3", True), True
    run = train(binary, work, "llama", False)
    families.laurel(binary, "export", "--model", run, "--out", work / "hf")
    if name == "adapter":
        lora = {"rank": 4, "alpha": 8, "target_modules": ["all-linear"]}
        families.laurel(binary, "train", "--config", run_file(work / "lora.json", {"path": str(work / "hf"), "lora": lora}), "--out", work / "lora")
        return work / "lora", False
    path = work / "hf" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"normalize_reward": True, "mean": 0.7, "std": 1.9}))
    return work / "hf", False


def encode(tokenizer, prompt, response, chat, side):
    """Ids as the README says: the model's own template, special tokens once, cut at its side."""
    if chat:
        bos, *rest = check.has_specials_once(tokenizer, list(tokenizer.apply_chat_template(conversation(prompt, response), return_dict=False)))
        room = MAX_LENGTH - 1
        return [bos] + (rest[-room:] if side == "left" else rest[:room]), len(rest) > room
    tokenizer.truncation_side = side
    ids = tokenizer(prompt + response, truncation=True, max_length=MAX_LENGTH)["input_ids"]
    return ids, len(tokenizer(prompt + response)["input_ids"]) > MAX_LENGTH


def logits(pack, rows, chat, side):
    """transformers' logits, the responses' own tokens, and which sequences are cut."""
    tokenizer, model = check.load(pack / "model")
    encoded = [encode(tokenizer, *row, chat, side) for row in rows]
    with torch.no_grad():
        rewards = numpy.array([model(input_ids=torch.tensor([ids])).logits[0, 0].item() for ids, _ in encoded])
    tokens = [len(tokenizer(response, add_special_tokens=False)["input_ids"]) for _, response in rows]
    return rewards, numpy.array(tokens, float), numpy.array([cut for _, cut in encoded])


def student(t, degrees):
    """P(|T| ≤ t) by the trapezoid rule."""
    x = numpy.linspace(0, t, 200_001)
    constant = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(degrees * math.pi)
    return 2 * numpy.trapezoid(constant * (1 + x * x / degrees) ** (-(degrees + 1) / 2), x)


def slope(prompts, tokens, rewards):
    """Least squares with a constant for each prompt that has two responses, and its standard
    error clustered by prompt: the whole sandwich, from the design matrix."""
    keep = [i for i, p in enumerate(prompts) if prompts.count(p) > 1]
    names = sorted({prompts[i] for i in keep})
    design = numpy.array([[tokens[i], *(float(prompts[i] == name) for name in names)] for i in keep])
    y = numpy.array([rewards[i] for i in keep])
    solution, *_ = numpy.linalg.lstsq(design, y, rcond=None)
    residuals = y - design @ solution
    bread, meat = numpy.linalg.inv(design.T @ design), numpy.zeros((design.shape[1],) * 2)
    for name in names:
        rows = [j for j, i in enumerate(keep) if prompts[i] == name]
        score = design[rows].T @ residuals[rows]
        meat += numpy.outer(score, score)
    groups = len(names)
    return solution[0], math.sqrt(groups / (groups - 1) * (bread @ meat @ bread)[0, 0]), groups  # (n-1)/(n-1): prompts' means lie within the clusters


def constants(said, rewards, rows, tokens, cut):
    near = lambda a, b: abs(a - b) <= TOLERANCE * max(1, abs(b))
    mean, std = numpy.mean(rewards), numpy.std(rewards, ddof=1)
    quantiles = numpy.quantile(rewards, [q["percent"] / 100 for q in said["quantiles"]])
    expect("whitening", near(said["whitening"]["mean"], mean) and near(said["whitening"]["std"], std), f"mean {mean:.4f}, std {std:.4f}")
    expect("quantiles", all(near(q["reward"], want) for q, want in zip(said["quantiles"], quantiles)), f"{quantiles.min():.4f} to {quantiles.max():.4f}")
    low, high = (quantiles[0] - mean) / std, (quantiles[-1] - mean) / std
    clip = said["clip_whitened"]
    expect("clip", low - 0.1 - TOLERANCE <= clip["low"] <= low + TOLERANCE and high - TOLERANCE <= clip["high"] <= high + 0.1 + TOLERANCE
           and all(abs(10 * v - round(10 * v)) < 1e-9 for v in clip.values()), clip)
    whole = numpy.flatnonzero(~cut)
    got, (b, error, groups) = said["length"], slope([rows[i][0] for i in whole], tokens[whole], rewards[whole])
    half = (got["interval95"][1] - got["interval95"][0]) / 2
    expect("length slope", abs(got["slope"] - b) <= 1e-6 and got["within_prompts"] and got["prompts"] == groups
           and got["cut"] == cut.sum() > 0 and near(got["mean_tokens"], tokens[whole].mean()), f"{b:.3e} a token, {groups} prompts, {cut.sum()} cut")
    expect("its interval holds 95% of Student's t", abs(student(half / error, groups - 1) - 0.95) < 1e-3, f"± {half:.3e}")


def blocks(pack):
    """The README's code blocks by heading: [(language, code), …]; its port is a free one here."""
    text = (pack / "README.md").read_text().replace(":8000", f":{PORT}")
    found = {}
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        found[section.split("\n")[0]] = re.findall(r"^```(\w+)\n(.*?)^```", section, flags=re.M | re.S)
    return found


def python(code):
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    return names


def prove(binary, name, work):
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    model, chat = model_of(binary, name, work)
    rows = references(work / "references.jsonl", chat)
    pack = work / "pack"
    families.laurel(binary, "handoff", "--model", model, "--data", work / "references.jsonl", "--out", pack, "--backend", "go")
    said, config = json.loads((pack / "handoff.json").read_text()), json.loads((pack / "model" / "config.json").read_text())
    rewards, tokens, cut = logits(pack, rows, chat, said["model"]["truncation_side"])
    raw = rewards
    if name == "normalized":
        rewards = (rewards - config["mean"]) / config["std"]
    constants(said, rewards, rows, tokens, cut)
    print(f"== {name}: README.md", flush=True)
    readme = blocks(pack)
    os.chdir(pack)
    command = shlex.split(readme["Server"][0][1])
    server = Server("a", [binary, *command[1:]], work, url=f"http://127.0.0.1:{PORT}")
    try:
        handoff_trainers.trl(readme, rows, rewards, chat, work)
        handoff_trainers.openrlhf(readme, rows, rewards, raw, chat, config, said, work)
        handoff_trainers.verl(readme, rows, rewards, chat, work)
        done = subprocess.run([binary, *shlex.split(readme["Is it this model that answers?"][0][1])[1:], "--backend", "go"], capture_output=True, text=True)
        expect("laurel verify --url", done.returncode == 0, done.stdout.strip().splitlines()[-1] if done.stdout else done.stderr)
    finally:
        server.end()
        os.chdir(work)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laurel", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("packs", nargs="*", default=PACKS)
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(2)
    work, binary = arguments.work.resolve(), str(arguments.laurel.resolve())
    work.mkdir(parents=True, exist_ok=True)
    handoff_trainers.sources(work.parent / "trainers")
    for name in arguments.packs:
        print(f"== {name}", flush=True)
        prove(binary, name, work / name)
    print(f"interop: {len(arguments.packs)} hand-offs: constants as numpy's of transformers' logits, every code block of their READMEs run")


if __name__ == "__main__":
    main()
