"""Proves the Hugging Face door both ways, for one small model of each family.

    python families.py --laurel bin/laurel --work runs/interop-families [FAMILY…]

Each family's model is trained from scratch by laurel for five steps and
exported. Then
  logits   transformers loads it without a warning and gives laurel's rewards;
  peft     laurel trains a LoRA adapter on it for five steps, peft loads the
           adapter and gives laurel's rewards of it; laurel's merged export too;
  trl      TRL's RewardTrainer continues its training for three steps, and what
           TRL saves scores in laurel as it does in transformers;
  back     laurel trains what TRL saved for five steps, and transformers gives
           laurel's rewards of its export: the way to a torch stack and back.
The largest differences are printed as a table, with how far the adapter and TRL
moved the rewards; anything above the tolerance, or any complaint of a library,
ends the script with exit code 1.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import datasets
import pyarrow.parquet
import torch
import transformers
from peft import PeftModel
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerFast
from trl import RewardConfig, RewardTrainer

import check

transformers.utils.logging.disable_progress_bar()
datasets.disable_progress_bars()

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAIRS = ROOT / "data" / "demo" / "train.jsonl"
TEXTS = HERE / "texts.jsonl"
MAX_LENGTH = 96

# Weights begin larger than usual, so that rewards are far apart and steps move them.
SMALL = dict(hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=96, max_position_embeddings=256,
             initializer_range=0.2)
GROUPED = dict(SMALL, num_key_value_heads=2)
ENCODERS = {
    "bert": SMALL,
    "roberta": SMALL,
    "xlm-roberta": SMALL,
    "electra": dict(SMALL, embedding_size=32),
    "distilbert": dict(dim=48, n_layers=3, n_heads=4, hidden_dim=96, max_position_embeddings=256, initializer_range=0.2),
    "modernbert": dict(SMALL, local_attention=16, layer_types=["full_attention", "sliding_attention", "full_attention"]),
    "deberta-v2": dict(SMALL, relative_attention=True, position_buckets=16, norm_rel_ebd="layer_norm", share_att_key=True,
                       pos_att_type=["p2c", "c2p"], position_biased_input=False, type_vocab_size=0),
}
DECODERS = {
    "llama": GROUPED,
    "mistral": dict(GROUPED, sliding_window=24),
    "qwen2": GROUPED,
    "qwen3": dict(GROUPED, head_dim=16),
    "gemma2": dict(GROUPED, head_dim=16, sliding_window=24, query_pre_attn_scalar=16),
    "gemma3_text": dict(GROUPED, head_dim=16, sliding_window=24, query_pre_attn_scalar=16),
}
CHAT = ("{{ bos_token }}{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] }}<|eos|>{% endfor %}"
        "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}")


def decoder_tokenizer(folder):
    """A byte-level BPE on the demo's texts that puts <|bos|> before each text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    rows = [json.loads(line) for line in PAIRS.open()]
    specials = ["<|pad|>", "<|bos|>", "<|eos|>", "<|start|>"]
    tokenizer.train_from_iterator((row["prompt"] + row["chosen"] for row in rows), trainers.BpeTrainer(
        vocab_size=1000, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(single="<|bos|> $A", special_tokens=[("<|bos|>", 1)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<|pad|>", bos_token="<|bos|>", eos_token="<|eos|>",
                                   chat_template=CHAT, model_max_length=MAX_LENGTH)
    fast.save_pretrained(folder)


def write_tokenizer(family, folder):
    if family in ENCODERS:
        for path in (ROOT / "configs" / "demo-encoder").iterdir():
            shutil.copy(path, folder)
    else:
        decoder_tokenizer(folder)


def write_start(family, folder):
    """config.json and tokenizer of a model to be trained from scratch."""
    folder.mkdir(parents=True)
    write_tokenizer(family, folder)
    if family in ENCODERS:
        tokens = dict(pad_token_id=0, bos_token_id=None, eos_token_id=None)
        vocab = len((folder / "vocab.txt").read_text().splitlines())
        numbers = ENCODERS[family]
    else:
        tokens = dict(pad_token_id=0, bos_token_id=1, eos_token_id=2)
        vocab, numbers = 1008, DECODERS[family]
    config = AutoConfig.for_model(family, vocab_size=vocab, num_labels=1, **numbers, **tokens)
    config.save_pretrained(folder)


def laurel(binary, *arguments):
    done = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"interop: laurel {' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def run_file(path, model):
    """A run of five steps; JSON is YAML."""
    path.write_text(json.dumps({
        "model": dict(model, max_length=MAX_LENGTH), "data": {"train": [str(PAIRS)], "buckets": [MAX_LENGTH]},
        "train": {"max_steps": 5, "batch_size": 4, "learning_rate": 1e-3}, "backend": "go"}))
    return path


def rewards(binary, model, work):
    out = work / "scores.parquet"
    laurel(binary, "score", "--model", model, "--data", TEXTS, "--out", out, "--overwrite", "--backend", "go")
    return pyarrow.parquet.read_table(out).to_pylist()


def compare(tokenizer, model, rows, tolerance):
    model.eval()
    worst = 0.0
    for number, row in enumerate(rows):
        if row["reward"] is None:
            continue
        ids, _ = check.encode(tokenizer, row, MAX_LENGTH)
        with torch.no_grad():
            logit = model(input_ids=torch.tensor([ids])).logits[0, 0].item()
        worst = max(worst, abs(logit - row["reward"]))
        if not abs(logit - row["reward"]) <= tolerance:
            sys.exit(f"interop: row {number}: laurel {row['reward']:.6f}, Python {logit:.6f} ({len(ids)} tokens)")
    return worst


def moved(before, after):
    """How far rewards of one model are from another's, at the most; little would prove nothing."""
    most = max(abs(a["reward"] - b["reward"]) for a, b in zip(before, after, strict=True) if a["reward"] is not None)
    if most < 0.01:
        sys.exit(f"interop: training moved rewards by {most:.1e} at the most: too little to compare with a tolerance of 1e-4")
    return most


def continue_with_trl(folder, out):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if tokenizer.eos_token is None:  # TRL fails on a tokenizer without one
        tokenizer.eos_token = tokenizer.sep_token
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    rows = [json.loads(line) for line in PAIRS.open()][:24]
    pairs = datasets.Dataset.from_list([{key: row[key] for key in ("prompt", "chosen", "rejected")} for row in rows])
    config = RewardConfig(output_dir=tempfile.mkdtemp(), per_device_train_batch_size=4, max_steps=3, max_length=MAX_LENGTH,
                          learning_rate=1e-3, report_to=[], save_strategy="no", use_cpu=True, bf16=False,
                          gradient_checkpointing=False, logging_steps=1, disable_tqdm=True)
    trainer = RewardTrainer(model=model, args=config, train_dataset=pairs, processing_class=tokenizer)
    losses = [entry["loss"] for entry in (trainer.train(), trainer.state.log_history)[1] if "loss" in entry]
    trainer.save_model(out)
    tokenizer.save_pretrained(out)
    return losses


def prove(binary, family, work, tolerance):
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_start(family, work / "start")
    laurel(binary, "train", "--config", run_file(work / "run.json", {"config": str(work / "start" / "config.json")}), "--out", work / "run")
    hf, adapter = work / "hf", work / "adapter"
    laurel(binary, "export", "--model", work / "run", "--out", hf)
    tokenizer, model = check.load(hf)
    plain = rewards(binary, hf, work)
    found = {"logits": compare(tokenizer, model, plain, tolerance)}

    lora = {"rank": 4, "alpha": 8, "target_modules": ["all-linear"]}
    laurel(binary, "train", "--config", run_file(work / "lora.json", {"path": str(hf), "lora": lora}), "--out", work / "lora")
    laurel(binary, "export", "--model", work / "lora", "--out", adapter)
    adapted = rewards(binary, adapter, work)
    found["peft"] = compare(tokenizer, PeftModel.from_pretrained(model, adapter), adapted, tolerance)
    laurel(binary, "export", "--model", work / "lora", "--merge", "--out", work / "merged")
    _, merged = check.load(work / "merged")
    found["merged"] = compare(tokenizer, merged, rewards(binary, work / "merged", work), tolerance)

    losses = continue_with_trl(hf, work / "trl")
    if not all(loss == loss and loss < 10 for loss in losses) or len(losses) != 3:
        sys.exit(f"interop: TRL's losses on the exported {family}: {losses}")
    trained = AutoModelForSequenceClassification.from_pretrained(work / "trl", dtype=torch.float32)
    continued = rewards(binary, work / "trl", work)
    found["trl"] = compare(AutoTokenizer.from_pretrained(work / "trl"), trained, continued, tolerance)
    laurel(binary, "train", "--config", run_file(work / "back.json", {"path": str(work / "trl")}), "--out", work / "back")
    laurel(binary, "export", "--model", work / "back", "--out", work / "back-hf")
    tokenizer, model = check.load(work / "back-hf")
    back = rewards(binary, work / "back-hf", work)
    found["back"] = compare(tokenizer, model, back, tolerance)
    return found | {"moved": min(moved(plain, adapted), moved(plain, continued), moved(continued, back))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laurel", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("families", nargs="*", default=[*ENCODERS, *DECODERS])
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    lines = []
    for family in arguments.families:
        found = prove(arguments.laurel, family, (arguments.work / family).resolve(), arguments.tolerance)
        lines.append(f"{family:12}" + "".join(f"  {name} {value:.1e}" for name, value in found.items()))
        print("interop:", lines[-1], flush=True)
    print(f"interop: {len(lines)} families, every difference within {arguments.tolerance:.0e}")


if __name__ == "__main__":
    main()
