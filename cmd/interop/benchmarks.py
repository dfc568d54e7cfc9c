"""Holds laurel benchmark to the published scoring code.

    python benchmarks.py --golden eval/benchmarks/testdata/golden.json --write
    python benchmarks.py --golden eval/benchmarks/testdata/golden.json --laurel bin/laurel --model HF_DIR --work DIR

It draws rewards and judgements, with ties among them, and scores them by
RewardBench's own functions (the wheel rewardbench 0.1.4 from PyPI, of which only
the functions are loaded: the package wants torch, fschat and wandb) and by
restatements of RM-Bench's compute_accuracy (THU-KEG/RM-Bench, scripts/utils.py) and
JudgeBench's compute_final_metrics (ScalerLab/JudgeBench, utils/metrics.py), which
are on no registry. Where the right responses of Ties have one reward the wheel gives
its last term 0 and the repository's newer code the limit, ±0.01; no such row is
drawn. PPE's best of k is found by going through all subsets. --write
keeps what they give for the Go tests; else what is kept must be what they give.
With --laurel, whole benchmarks of made-up texts are measured by laurel, and what
it writes for the leaderboard must follow from the scores beside it.
"""
import argparse
import ast
import collections
import itertools
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile
import typing
import zipfile

import numpy
import pandas
from datasets import Dataset

WHEEL = "rewardbench==0.1.4"


def published():
    """The functions and tables of the wheel, without its imports."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, WHEEL], check=True)
        wheel = zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl")))
        names = {"math": math, "np": numpy, "pd": pandas, "Dataset": Dataset, "defaultdict": collections.defaultdict, **vars(typing)}
        exec(wheel.read("rewardbench/constants.py").decode(), names)
        wanted = {"calculate_scores_per_section", "reroll_and_score_dataset", "sample_stats", "process_single_model"}
        body = [node for node in ast.parse(wheel.read("rewardbench/utils.py").decode()).body if getattr(node, "name", "") in wanted]
        if {node.name for node in body} != wanted:
            sys.exit(f"{WHEEL} lacks {wanted - {node.name for node in body}}")
        exec(compile(ast.Module(body, []), "rewardbench/utils.py", "exec"), names)
    return names


def draw(rng):
    """A reward; few values, so that ties are many."""
    return rng.choice([-1.5, -0.25, 0.0, 0.5, 0.75, 2.0, rng.gauss(0, 1)])


def rewardbench(bench, rng):
    rows = [{"subset": subset, "rewards": [draw(rng), draw(rng)]} for subset in bench["EXAMPLE_COUNTS"] for _ in range(rng.randint(3, 9))]
    return rows, rewardbench_expected(bench, rows)


def rewardbench_expected(bench, rows):
    right = collections.defaultdict(list)
    for row in rows:
        right[row["subset"]].append(1 if row["rewards"][0] > row["rewards"][1] else 0)
    subsets = {subset: sum(x) / len(x) for subset, x in right.items()}
    sections = bench["calculate_scores_per_section"](bench["EXAMPLE_COUNTS"], bench["SUBSET_MAPPING"], subsets)
    return {"subsets": subsets, "sections": sections, "score": sum(sections.values()) / len(sections)}


def rewardbench2(bench, rng):
    rows = [{"subset": subset, "id": str(i), "num_correct": 1, "rewards": [draw(rng) for _ in range(4)]}
            for subset in ["Factuality", "Precise IF", "Math", "Safety", "Focus"] for i in range(12)]
    for number in range(15):
        right = [rng.gauss(1, 0.5) for _ in range(rng.randint(2, 5))]
        wrong = [rng.gauss(0, 0.8) for _ in range(rng.randint(2, 6))]
        rows.append({"subset": "Ties", "id": f"tied:{number}", "num_correct": len(right), "rewards": right + wrong})
        rows.append({"subset": "Ties", "id": f"ref:{number}", "num_correct": 1, "rewards": [rng.gauss(1, 0.5)] + wrong})
    return rows, rewardbench2_expected(bench, rows)


def rewardbench2_expected(bench, rows):
    expected = {}
    for subset in dict.fromkeys(row["subset"] for row in rows):
        part = [row for row in rows if row["subset"] == subset]
        if subset == "Ties":
            data = Dataset.from_list([{"id": row["id"], "scores": row["rewards"], "num_correct": row["num_correct"]} for row in part])
            expected[subset] = float(bench["process_single_model"](data)[1])
            continue
        flat = Dataset.from_list([{"text": "", "scores": reward, "id": row["id"]} for row in part for reward in row["rewards"]])
        expected[subset] = float(numpy.mean(bench["reroll_and_score_dataset"](flat, [len(row["rewards"]) for row in part])["results"]))
    return {"subsets": expected, "score": sum(expected.values()) / len(expected)}


def rm_bench(rng):
    domains = ["chat", "math", "code", "safety-refuse", "safety-response"]
    rows = [{"subset": domain, "rewards": [draw(rng) for _ in range(6)]} for domain in domains for _ in range(rng.randint(5, 11))]
    levels = {}
    for domain in ["chat", "math", "code", "safety"]:
        part = [row for row in rows if row["subset"].startswith(domain)]
        wins = numpy.mean([[[a > b for b in row["rewards"][3:]] for a in row["rewards"][:3]] for row in part], axis=0)
        levels[domain] = {"easy": wins[numpy.tril_indices(3, -1)].mean(), "normal": wins.diagonal().mean(), "hard": wins[numpy.triu_indices(3, 1)].mean()}
    sections = {domain: float(numpy.mean(list(by.values()))) for domain, by in levels.items()}
    sections |= {level: float(numpy.mean([by[level] for by in levels.values()])) for level in ["easy", "normal", "hard"]}
    return rows, {"sections": sections, "score": sum(sections[d] for d in levels) / 4}


def judgebench(rng):
    """Decisions in both orders: A>B, B>A, A=B, or none; the second as shown, B first."""
    rows = []
    for source in ["mmlu-pro", "livebench-reasoning", "livebench-math", "livecodebench"]:
        for _ in range(20):
            rows.append({"subset": source, "label": rng.choice(["A>B", "B>A"]), "first": rng.choice(["A>B", "B>A", "A=B", None]), "second": rng.choice(["A>B", "B>A", "A=B", None]),
                         "rewards": [draw(rng), draw(rng)]})
    flip = {"A>B": "B>A", "B>A": "A>B", "A=B": "A=B", None: None}

    def judge(row):
        said = [row["first"], flip[row["second"]]]
        return sum((x == row["label"]) - (x == flip[row["label"]]) for x in said) > 0

    def model(row):
        return ("A>B" if row["rewards"][0] > row["rewards"][1] else "B>A") == row["label"]

    expected = {}
    for name, rule in {"judge": judge, "model": model}.items():
        sections = {s: float(numpy.mean([rule(r) for r in rows if r["subset"] == s])) for s in dict.fromkeys(r["subset"] for r in rows)}
        expected[name] = {"sections": sections, "score": float(numpy.mean([rule(r) for r in rows]))}
    return rows, expected


def best_of_k(rng):
    rows, curves = [], []
    for _ in range(6):
        rewards, right = [draw(rng) for _ in range(7)], [rng.random() < 0.5 for _ in range(7)]
        curve = []
        for k in range(1, 8):
            shares = []
            for chosen in itertools.combinations(range(7), k):
                top = max(rewards[i] for i in chosen)
                best = [right[i] for i in chosen if rewards[i] == top]
                shares.append(sum(best) / len(best))
            curve.append(sum(shares) / len(shares))
        rows.append({"rewards": rewards, "right": right})
        curves.append(curve)
    return rows, curves


def golden(bench):
    rng = random.Random(20240319)
    out = {}
    for name, made in {"rewardbench": rewardbench(bench, rng), "rewardbench2": rewardbench2(bench, rng), "rm-bench": rm_bench(rng),
                       "judgebench": judgebench(rng), "best_of_k": best_of_k(rng)}.items():
        out[name] = {"rows": made[0], "expected": made[1]}
    return out


def same(a, b, where):
    if isinstance(a, dict):
        if a.keys() != b.keys():
            sys.exit(f"{where}: {sorted(a)} and {sorted(b)}")
        for key in a:
            same(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, list):
        if len(a) != len(b):
            sys.exit(f"{where}: {len(a)} and {len(b)} values")
        for i, (x, y) in enumerate(zip(a, b)):
            same(x, y, f"{where}.{i}")
    elif isinstance(a, float) and not isinstance(b, str):
        if not math.isclose(a, b, rel_tol=0, abs_tol=1e-12):
            sys.exit(f"{where}: {a} and {b}")
    elif a != b:
        sys.exit(f"{where}: {a!r} and {b!r}")


def words(rng):
    return " ".join(rng.choice("the a red green stone river walks sleeps under over because and 7 42 ?".split()) for _ in range(rng.randint(2, 9)))


def whole_sets(bench, work, rng):
    """Files of whole benchmarks in the published layouts, of made-up texts."""
    rows = []
    for subset, count in bench["EXAMPLE_COUNTS"].items():
        for _ in range(447 if subset == "math-prm" else count):
            rows.append({"prompt": words(rng), "chosen": words(rng), "chosen_model": "a", "rejected": words(rng), "rejected_model": "b", "subset": subset, "id": len(rows)})
    pandas.DataFrame(rows).to_parquet(work / "filtered-00000-of-00001.parquet")
    rows = []
    for subset, count in {"Factuality": 475, "Precise IF": 160, "Math": 183, "Safety": 450, "Focus": 495, "Ties": 102}.items():
        for i in range(count):
            tied = subset == "Ties" and i % 2
            chosen = [words(rng) for _ in range(3 if tied else 1)]
            rejected = [words(rng) for _ in range(3)]
            rows.append({"id": f"{'tied' if tied else 'ref'}:{i // 2}" if subset == "Ties" else str(len(rows)), "prompt": words(rng), "chosen": chosen, "rejected": rejected,
                         "num_correct": len(chosen), "num_rejected": len(rejected), "total_completions": len(chosen) + len(rejected), "models": ["a"], "subset": subset,
                         "additional_metadata": {"category": None}})
    pandas.DataFrame(rows).to_parquet(work / "test-00000-of-00001.parquet")


def check_laurel(bench, laurel, model, work):
    work.mkdir(parents=True, exist_ok=True)
    whole_sets(bench, work, random.Random(7))
    for name, file in {"rewardbench": "filtered-00000-of-00001.parquet", "rewardbench2": "test-00000-of-00001.parquet"}.items():
        out = work / name
        subprocess.run([laurel, "benchmark", "--name", name, "--model", model, "--model-name", "org/model", "--data", work / file, "--out", out, "--overwrite"], check=True)
        text = (out / "eval-set/org/model.json").read_text()
        results, scores = json.loads(text), json.loads((out / "eval-set-scores/org/model.json").read_text())
        if text.rstrip("\n") != json.dumps(results, indent=4, sort_keys=True):
            sys.exit(f"{name}: eval-set is not json.dumps(…, indent=4, sort_keys=True)")
        whole = json.loads((out / "benchmark.json").read_text())
        if name == "rewardbench":
            rows = [{"subset": s, "rewards": [a, b]} for s, a, b in zip(scores["subset"], scores["scores_chosen"], scores["scores_rejected"])]
            expected = rewardbench_expected(bench, rows)
            same(expected["sections"], {s["name"]: s["score"] for s in whole["sections"]}, "sections")
        else:
            rows = [{"subset": s, "id": i, "num_correct": n, "rewards": r} for s, i, n, r in zip(scores["subset"], scores["id"], scores["num_correct"], scores["scores"])]
            expected = rewardbench2_expected(bench, rows)
        same(expected["subsets"], {k: v for k, v in results.items() if k in expected["subsets"]}, name)
        same(expected["score"], whole["score"]["score"], "score")
        print(f"{name}: {len(rows)} rows, what laurel writes is what the published code makes of its scores: {expected['score']:.4f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--golden", type=pathlib.Path, required=True)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--laurel")
    parser.add_argument("--model")
    parser.add_argument("--work", type=pathlib.Path)
    args = parser.parse_args()
    bench = published()
    made = golden(bench)
    if args.write:
        args.golden.write_text(json.dumps(made, separators=(",", ":")) + "\n")
    same(json.loads(args.golden.read_text()), made, "golden")
    print(f"golden: the published code gives what {args.golden} holds")
    if args.laurel:
        check_laurel(bench, args.laurel, args.model, args.work)


main()
