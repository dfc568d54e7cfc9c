"""Rounds of laurel and its peers in alternation, each in a process of its own: training by TRL's RewardTrainer
(trl_baseline.py), scoring by a transformers loop (transformers_score.py). bench/peer.sh calls it.

Every figure is over the whole process: from its start to its exit, imports, tokenizing and compiling included (laurel
begins each round without compiled programs). Peak memory is the process's largest resident set.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import pyarrow.parquet

HERE = pathlib.Path(__file__).resolve().parent
SHARED = HERE.parent.parent / "shared"
BATCH = 8


def run(command, environment=None):
    """Seconds, peak bytes and standard output of a command that must succeed."""
    with tempfile.TemporaryFile("w+") as out:
        began = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})})
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        out.seek(0)
        text = out.read()
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{text}")
    return seconds, usage.ru_maxrss * 1024, text


def laurel_trains(args, work):
    out = work / "run"
    shutil.rmtree(out, ignore_errors=True)
    settings = {"model.max_length": args.max_length, "train.batch_size": BATCH, "train.learning_rate": 5e-5, "train.warmup_steps": 16,
                "train.epochs": 1, "train.seed": 0, "train.confidence": "ignore", "train.margin": "false", "backend": "cpu"}
    if args.steps:
        settings["train.max_steps"] = args.steps
    flags = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    with tempfile.TemporaryDirectory() as cache:
        return run([args.laurel, "train", "--model", args.model, "--data", args.data / "train.parquet", "--out", out, *flags],
                   {"LAUREL_COMPILE_CACHE": cache})[:2]


def trl_trains(args, work):
    out = work / "trl.json"
    seconds, memory, _ = run([sys.executable, HERE / "trl_baseline.py", args.model, args.data / "train.parquet", args.data / "test.parquet", out,
                              1, args.max_length, 5e-5, args.steps or -1])
    result = json.loads(out.read_text())
    args.trl = result
    return seconds - result["evaluating_s"], memory


def laurel_scores(args, work):
    with tempfile.TemporaryDirectory() as cache:
        return run([args.laurel, "score", "--model", args.model, "--data", work / "texts.jsonl", "--out", work / "laurel.parquet", "--overwrite",
                    "--max-length", args.max_length, "--backend", "cpu"], {"LAUREL_COMPILE_CACHE": cache})[:2]


def transformers_scores(args, work):
    return run([sys.executable, HERE / "transformers_score.py", args.model, work / "texts.jsonl", work / "transformers.json", args.max_length])[:2]


def write_texts(args, work):
    """Both conversations of every test pair, and a model of one output to score them with."""
    rows = pyarrow.parquet.read_table(args.data / "test.parquet").to_pylist()
    with open(work / "texts.jsonl", "w") as out:
        for row in rows:
            for side in ("chosen", "rejected"):
                out.write(json.dumps({"text": row["prompt"] + row[side]}) + "\n")
    return 2 * len(rows)


def compare(name, unit, amount, ours, theirs, rounds, work, args):
    """Alternates, and tells medians, the spread and the ratio."""
    figures = {"laurel": [], "peer": []}
    memory = {"laurel": 0, "peer": 0}
    for number in range(rounds):
        order = [("laurel", ours), ("peer", theirs)]
        for who, does in order if number % 2 == 0 else reversed(order):
            seconds, peak = does(args, work)
            figures[who].append(amount / seconds)
            memory[who] = max(memory[who], peak)
            print(f"{name}, round {number + 1}, {who}: {amount / seconds:.2f} {unit}, {seconds:.1f} s, peak {peak / 1e9:.2f} GB", flush=True)
    middle = {who: statistics.median(values) for who, values in figures.items()}
    result = {"unit": unit, "rounds": figures, "median": middle, "ratio": middle["laurel"] / middle["peer"],
              "ratios": [a / b for a, b in zip(figures["laurel"], figures["peer"], strict=True)], "peak_bytes": memory}
    print(f"{name}: laurel {middle['laurel']:.2f} ({min(figures['laurel']):.2f}-{max(figures['laurel']):.2f}), peer {middle['peer']:.2f} "
          f"({min(figures['peer']):.2f}-{max(figures['peer']):.2f}) {unit}: {result['ratio']:.2f} times, peak {memory['laurel'] / 1e9:.2f} against {memory['peer'] / 1e9:.2f} GB", flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laurel", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=0, help="training steps of a round; 0 is one epoch")
    parser.add_argument("--model", type=pathlib.Path, default=SHARED / "models" / "all-MiniLM-L6-v2")
    parser.add_argument("--data", type=pathlib.Path, default=SHARED / "data" / "hh-harmless")
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()
    rows = pyarrow.parquet.read_table(args.data / "train.parquet").num_rows
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        texts = write_texts(args, work)
        pairs = min(rows, args.steps * BATCH) if args.steps else rows
        training = compare("training", "pairs/s", pairs, laurel_trains, trl_trains, args.rounds, work, args)
        seconds, _, text = run([args.laurel, "eval", "--model", work / "run", "--data", args.data / "test.parquet", "--out", work / "eval", "--json"])
        accuracy = json.loads((work / "eval" / "report.json").read_text())
        args.model = work / "run"  # both score with a head, laurel's with the one just trained
        run([args.laurel, "export", "--model", work / "run", "--out", work / "hf"])
        args.model = work / "hf"
        scoring = compare("scoring", "texts/s", texts, laurel_scores, transformers_scores, args.rounds, work, args)
        compared = compare_rewards(work)
    machine = {"date": str(datetime.date.today()), "cpu": platform.processor() or platform.machine(), "cpus": os.cpu_count(), "load": os.getloadavg()}
    result = {"machine": machine, "training": training, "scoring": scoring, "largest_difference_of_rewards": compared,
              "accuracy": {"laurel": accuracy.get("accuracy_ties_half"), "trl": args.trl["accuracy"]}}
    print(json.dumps({key: result[key] for key in ("machine", "accuracy", "largest_difference_of_rewards")}))
    if args.out:
        args.out.write_text(json.dumps(result, indent=1) + "\n")


def compare_rewards(work):
    """The largest difference between the rewards that both wrote."""
    ours = pyarrow.parquet.read_table(work / "laurel.parquet").column("reward").to_pylist()
    theirs = json.loads((work / "transformers.json").read_text())
    return max(abs(a - b) for a, b in zip(ours, theirs, strict=True))


if __name__ == "__main__":
    main()
