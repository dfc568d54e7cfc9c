"""Runs laurel loop whole, two rounds, against a real llama.cpp server.

    python loop.py --laurel bin/laurel --work DIR

One model, written here as in judges.py, writes and judges: it answers A with
probability 0.7 and else B, and as judge prefers the response A, surely where it is
shown second and with probability 0.7 where it is shown first. What the loop should
find is known by that. Between the rounds a principle gets another text, and the
second round is killed and gone on with. The report is opened in Chromium where there
is one.
"""
import argparse
import collections
import csv
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pyarrow.parquet

from judges import Server, check, write_model

# ">" at a prompt's end lets the model draw its letter; otherwise it says B.
TEMPLATE = ("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant"
            "{{ ':' if ']\\nA\\n[END OF RESPONSE B' in messages[-1].content else '>' }}")

PROMPTS, HELD_OUT, PER_ROUND = 60, 12, 24
SETTINGS = {
    "prompts": ["prompts.jsonl"], "held_out": HELD_OUT / PROMPTS, "prompts_per_round": PER_ROUND, "seed": 7,
    "review": {"fraction": 0.1, "human_confidence": 0.95},
    "generate": {"chat": {"model": "letters", "max_tokens": 8}, "n": 4},
    "label": {"constitution": "constitution.yaml", "position": "average",
              "judges": [{"kind": "openai", "openai": {"model": "letters", "mode": "direct"}}]},
    "train": {"model": {"max_length": 48, "truncation_side": "left"},
              "train": {"epochs": 8, "batch_size": 8, "learning_rate": 1e-3}},
    "eval": {"judge": True},
}


def constitution(path, honest):
    path.write_text(json.dumps({"name": "two", "principles": [
        {"name": "helpful", "comparison": "Which response helps more?"}, {"name": "honest", "comparison": honest}]}))


def records(work):
    """The keys of the answers kept, of lines that are whole."""
    path = work / "out" / "answers.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [r["key"] for r in map(json.loads, lines) if r.get("key")]


def loop(binary, work, *flags):
    done = subprocess.run([binary, "loop", "--config", "loop.yaml", "--out", "out", *flags], cwd=work, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"laurel loop: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def kill(binary, work, flags, answers):
    """Kills the loop once it has paid for so many answers."""
    with open(work / "killed.log", "w") as log:
        process = subprocess.Popen([binary, "loop", "--config", "loop.yaml", "--out", "out", *flags], cwd=work, stdout=log, stderr=log)
    while process.poll() is None and len(records(work)) < answers:
        time.sleep(0.02)
    process.kill()
    check("killed in round 2", process.wait() == -signal.SIGKILL, f"with {len(records(work))} answers")


def measured(rounds, out):
    """Both principles are asked in both orders; in round 2 the responses held out are
    those of round 1, and so are the answers by the principle that stayed."""
    of_round = [r["label_questions"] for r in rounds]
    check("questions about each round's comparisons", all(q == {"questions": 4 * r["comparisons"], "reused": 0} for q, r in zip(of_round, rounds)), of_round)
    held = [r["label_questions_held_out"] for r in rounds]
    each = 2 * rounds[0]["held_out"]["pairs"]  # by one principle
    check("about those held out, where one of two principles changed", held == [{"questions": 2 * each, "reused": 0}, {"questions": 2 * each, "reused": each}], held)
    requests = [r["spent"]["requests"] for r in rounds]
    asked = [r["responses"] + of["questions"] + h["questions"] - h["reused"] for r, of, h in zip(rounds, of_round, held)]
    asked[0] += HELD_OUT * SETTINGS["generate"]["n"]
    check("requests whose answers were kept", requests == asked, requests)
    learnt = [(r["held_out"]["accuracy"], r["best_of_n"]["judge_prefers_best"]["share"], r["flips_by_principle"][0]["flipped"]["share"], r["abstained"]) for r in rounds]
    check("accuracy held out, judges prefer the best of n, flips, abstentions", learnt == [(1, 1, 0, 0)] * 2, learnt)
    for r in rounds:
        folder = out / f"round-{r['round']:03d}"
        confidence = {round(c, 4) for c in pyarrow.parquet.read_table(folder / "labels" / "pairs.parquet")["confidence"].to_pylist()}
        check("confidence of the labels, of 0.7 and 1", confidence == {0.85}, confidence)
        best = [json.loads(line)["messages"][-1]["content"] for line in open(folder / "best-of-n" / "best.jsonl")]
        check("best of n", best == ["A"] * HELD_OUT, f"{len(best)} responses A")
        with open(folder / "review.csv", newline="") as f:
            rows = len(list(csv.DictReader(f)))
        check("review.csv", rows == r["people"]["asked"] > 0, f"{rows} comparisons")


def page(work):
    """The report in Chromium: a picture of it, and what its console says."""
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        print("SKIPPED: loop.html in Chromium: there is none (CHROMIUM=/path names one)")
        return
    picture = work / "loop.png"
    done = subprocess.run([browser, "--headless", "--no-sandbox", "--enable-logging=stderr", "--window-size=1280,3200", f"--screenshot={picture}",
                           (work / "out" / "loop.html").resolve().as_uri()], capture_output=True, text=True, timeout=120)
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    check("loop.html in Chromium: console", done.returncode == 0 and picture.exists() and not said, said or "silent")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--laurel", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    args = parser.parse_args()
    binary, work, began = str(pathlib.Path(args.laurel).resolve()), args.work, time.time()
    work.mkdir(parents=True, exist_ok=True)
    root = pathlib.Path(__file__).parents[2]
    prompts = (json.loads(line)["prompt"] for line in open(root / "data/demo/unlabelled.jsonl"))
    with open(work / "prompts.jsonl", "w") as f:
        for i, prompt in enumerate(itertools.islice(dict.fromkeys(prompts), PROMPTS)):
            f.write(json.dumps({"id": f"p{i}", "prompt": prompt}) + "\n")
    constitution(work / "constitution.yaml", "Which response is more honest?")
    write_model(work / "letters.gguf", [" B"], 0.7, TEMPLATE)
    with Server(work / "letters.gguf") as address:
        settings = json.loads(json.dumps(SETTINGS))
        settings["generate"]["chat"]["base_url"] = settings["label"]["judges"][0]["openai"]["base_url"] = address
        settings["train"]["model"]["config"] = str((root / "configs/demo-encoder/config.json").resolve())
        (work / "loop.yaml").write_text(json.dumps(settings))
        loop(binary, work, "--rounds", "1")
        first = len(records(work))
        constitution(work / "constitution.yaml", "Which response is the more truthful one?")
        kill(binary, work, ("--rounds", "2"), first + PER_ROUND * SETTINGS["generate"]["n"] + 20)  # the responses, and some of the labels
        said = loop(binary, work, "--rounds", "2")
    check("goes on", "round 2, label: goes on" in said, [line for line in said.splitlines() if "goes on" in line])
    keys = collections.Counter(records(work))
    check("no key stands twice in answers.jsonl", max(keys.values()) == 1, f"{len(keys)} answers")
    rounds = json.loads((work / "out" / "loop.json").read_text())["rounds"]
    check("rounds", [r["round"] for r in rounds] == [1, 2], len(rounds))
    measured(rounds, work / "out")
    page(work)
    print(f"{time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
