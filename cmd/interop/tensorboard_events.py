"""Trains with train.log: [jsonl, tensorboard], kills the run between two
checkpoints, resumes it, and reads its event files with the real TensorBoard: its
Python reader and its server must give every step of metrics.jsonl, once, with its
value.

    python tensorboard_events.py --laurel bin/laurel --work DIR
"""
import argparse
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def lines(run):
    path = run / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")] if path.exists() else []


def train_with_a_kill(laurel, run):
    command = [laurel, "train", "--config", "configs/demo-pairs.yaml", "--set", "train.log=[jsonl,tensorboard]", "--set", "train.log_every=2",
               "--set", "train.save_every=20", "--set", "train.eval_every=10", "--set", "train.max_steps=60", "--out", str(run)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None and not any(line["step"] >= 32 for line in lines(run)):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    if process.wait() == 0:
        sys.exit("interop: the run ended before it was killed")
    killed_at = max(line["step"] for line in lines(run))
    subprocess.run(command + ["--resume"], check=True, stdout=subprocess.DEVNULL)
    return killed_at


def wanted(run):
    """{tag: {step: value}} by metrics.jsonl."""
    want = {}
    for line in lines(run):
        for key, value in line.items():
            if key == "step":
                continue
            kind, _, name = key.partition("_")
            tag = f"validation/{name}" if kind == "validation" else f"train/{'skipped_steps' if key == 'skipped' else key}"
            want.setdefault(tag, {})[line["step"]] = value
    return want


def compare(reader, want, read):
    for tag, steps in want.items():
        got = read(tag)
        if [step for step, _ in got] != sorted(steps):
            sys.exit(f"interop: {reader}: {tag} has the steps {[step for step, _ in got]}, want {sorted(steps)}")
        for step, value in got:
            # the pace of a line is of the process that wrote it
            if not tag.endswith("_per_second") and abs(value - steps[step]) > 1e-6 * max(1, abs(steps[step])):
                sys.exit(f"interop: {reader}: {tag} at step {step} is {value}, want {steps[step]}")


def serve(work):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "tensorboard.main", "--logdir", str(work), "--host", "127.0.0.1", "--port", str(port)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/data/{path}", timeout=30) as answer:
            return json.load(answer)
    return server, ask


def read_by_server(work, run, want):
    server, ask = serve(work)
    try:
        last = max(want["train/loss"])
        for _ in range(600):
            try:
                points = ask(f"plugin/scalars/scalars?run={run.name}&tag=train/loss")
                if points and points[-1][1] == last:
                    break
            except OSError:
                pass
            time.sleep(0.2)
        compare("tensorboard's server", want, lambda tag: [(step, value) for _, step, value in
                ask(f"plugin/scalars/scalars?run={run.name}&tag={urllib.parse.quote(tag)}")])
        return ask("runs")
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--laurel", required=True)
    parser.add_argument("--work", required=True, type=Path)
    arguments = parser.parse_args()
    shutil.rmtree(arguments.work, ignore_errors=True)
    arguments.work.mkdir(parents=True)
    run = arguments.work / "run"
    killed_at = train_with_a_kill(arguments.laurel, run)
    want = wanted(run)
    reader = EventAccumulator(str(run), size_guidance={"scalars": 0})
    reader.Reload()
    compare("EventAccumulator", want, lambda tag: [(e.step, e.value) for e in reader.Scalars(tag)])
    runs = read_by_server(arguments.work, run, want)
    if runs != ["run"]:
        sys.exit(f"interop: tensorboard's runs are {runs}")
    print(f"interop: tensorboard: killed at step {killed_at}, resumed: {len(want)} tags, {sum(map(len, want.values()))} values, each once, by its reader and its server")


if __name__ == "__main__":
    main()
