"""Holds laurel serve to the clients that it is for.

    python serve.py --laurel bin/laurel --model HF_DIR --pairs pairs.jsonl --work DIR [--vegeta build/bin/vegeta] [--only clients,trl,schema,load]

clients: OpenRLHF's request loop over two servers, one of them killed (-9) and started
again; openai's client for embeddings; verl's, LLaMA-Factory's and TEI's requests.
trl: GRPOTrainer takes 5 steps with the server as its reward function, and the same 5
with the model in process: the rewards must agree. schema: schemathesis on the OpenAPI
document. load: vegeta with 200 connections, beside fastapi_server.py with the same
model in the same run; every reward is held to laurel score's.
"""
import argparse
import asyncio
import atexit
import base64
import bisect
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import threading
import time

import aiohttp
import openai
import requests

PORTS = {"a": 8151, "b": 8152, "fastapi": 8153}
TOLERANCE = 1e-6  # batches of another size than laurel score's round sums in another order


class Server:
    """A server in a process of its own, ready when its constructor returns."""

    def __init__(self, name, command, work, url=None):
        self.url, self.command = url or f"http://127.0.0.1:{PORTS[name]}", command
        self.log = open(work / f"{name}.log", "ab")
        self.start()
        atexit.register(lambda: self.process.kill())

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)
        for _ in range(1200):
            if self.process.poll() is not None:
                sys.exit(f"interop: {' '.join(map(str, self.command))} ended: see {self.log.name}")
            try:
                if requests.get(self.url + "/ready", timeout=5).status_code == 200 and self.process.poll() is None:
                    return
            except (requests.ConnectionError, requests.Timeout):  # a machine that measures may stop the server for a while
                pass
            time.sleep(0.1)
        sys.exit(f"interop: {self.url} is not ready after 120 s: see {self.log.name}")

    def end(self):
        self.process.terminate()
        code = self.process.wait(60)
        if code != 0 and "laurel" in str(self.command[0]):
            sys.exit(f"interop: laurel serve ended with {code}: see {self.log.name}")

    def memory(self):
        """Resident, in MiB."""
        return int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def laurel(arguments, name, *flags):
    return Server(name, [arguments.laurel, "serve", "--model", f"rm={arguments.model}", "--addr", f"127.0.0.1:{PORTS[name]}", *flags], arguments.work)


def known(arguments):
    """Prompts with their responses, and their rewards by laurel score."""
    texts, scores = arguments.work / "texts.jsonl", arguments.work / "scores.jsonl"
    pairs = [json.loads(line) for line in open(arguments.pairs, encoding="utf-8")]
    texts.write_text("".join(json.dumps({"text": pair["prompt"] + pair[side]}) + "\n" for pair in pairs for side in ("chosen", "rejected")))
    subprocess.run([arguments.laurel, "score", "--model", arguments.model, "--data", texts, "--out", scores, "--overwrite"], check=True, stdout=subprocess.DEVNULL)
    rows = [json.loads(line) for line in scores.read_text().splitlines()]
    return [(row["text"], row["reward"]) for row in rows if row.get("reward") is not None and not row["truncated"]]


def same(got, want, what):
    if len(got) != len(want) or any(abs(g - w) > TOLERANCE for g, w in zip(got, want)):
        sys.exit(f"interop: {what}: {got[:5]}…, want {want[:5]}…")


async def openrlhf_post(session, urls, text):
    """One query a call, 180 s, 5 tries 1 s apart, any but 2xx again, the first server's
    answer: as openrlhf/utils/agent.py asks."""
    async def post(url):
        for attempt in range(5):
            try:
                async with session.post(url + "/get_reward", json={"query": [text], "prompts": [""], "labels": [None]}, timeout=aiohttp.ClientTimeout(total=180)) as response:
                    response.raise_for_status()
                    return await response.json()
            except (aiohttp.ClientError, asyncio.TimeoutError):
                if attempt == 4:
                    raise
                await asyncio.sleep(1)
    answers = await asyncio.gather(*(post(url) for url in urls))
    return answers[0]["rewards"][0]


def openrlhf(arguments, a, b, rows):
    async def run():
        async with aiohttp.ClientSession() as session:
            return await asyncio.gather(*(openrlhf_post(session, [a.url, b.url], text) for text, _ in rows))

    def killer():
        time.sleep(0.2)
        a.process.kill()
        a.process.wait()
        a.start()

    thread = threading.Thread(target=killer)
    thread.start()
    for _ in range(3):
        same(asyncio.run(run()), [reward for _, reward in rows], "OpenRLHF")
    thread.join()
    print(f"interop: OpenRLHF's loop: {3 * len(rows)} calls to two servers, one killed -9 and started again: nothing lost, every reward as laurel score's")


def clients(arguments, rows):
    a, b = laurel(arguments, "a"), laurel(arguments, "b")
    texts, want = [text for text, _ in rows], [reward for _, reward in rows]
    openrlhf(arguments, a, b, rows)
    client = openai.OpenAI(base_url=a.url + "/v1", api_key="none")
    for encoding in ({}, {"encoding_format": "float"}):  # without it the client asks for base64
        answer = client.embeddings.create(model="rm", input=texts, **encoding)
        same([item.embedding[0] for item in answer.data], want, "openai's client")
    if [model.id for model in client.models.list()] != ["rm"]:
        sys.exit("interop: openai's client does not see the model")
    try:
        client.embeddings.create(model="rm", input="x", dimensions=3)
        sys.exit("interop: dimensions=3 was taken")
    except openai.BadRequestError as error:
        if error.body["param"] != "dimensions":
            sys.exit(f"interop: {error.body}")
    print(f"interop: openai {openai.__version__}: embeddings in base64 and float, models, errors")

    def post(path, body):
        response = requests.post(a.url + path, json=body, timeout=60)
        response.raise_for_status()
        return response.json()

    for text, reward in rows[:20]:  # as verl asks vLLM and SGLang
        same([post("/classify", {"model": "rm", "input": text, "activation": False})["data"][-1]["probs"][-1]], [reward], "verl on vLLM")
        same([post("/v1/embeddings", {"model": "any/path", "input": text})["data"][-1]["embedding"][-1]], [reward], "verl on SGLang")
    same(post("/v1/score/evaluation", {"model": "model", "messages": texts})["scores"], want, "LLaMA-Factory")
    same([p[0]["score"] for p in post("/predict", {"inputs": [[text] for text in texts], "raw_scores": True})], want, "TEI")
    same([v["embedding"][0] for v in post("/classify", {"text": texts})], want, "SGLang")
    vectors = post("/pooling", {"model": "rm", "input": texts, "encoding_format": "base64"})["data"]
    same([struct.unpack("<f", base64.b64decode(v["data"]))[0] for v in vectors], want, "vLLM's /pooling")
    print("interop: the requests of verl, LLaMA-Factory, TEI, SGLang, vLLM's /pooling: rewards as laurel score's")
    a.end(), b.end()


def schema(arguments, _):
    a = laurel(arguments, "a", "--max-tokens", "20000")
    # what no schema says is left out: a text without a NUL in a message's further keys, as
    # many prompts as responses, a max_length that has room for the special tokens
    command = [shutil.which("schemathesis", path=os.path.dirname(sys.executable)), "run", a.url + "/openapi.json", "--checks", "all",
               "--exclude-checks", "positive_data_acceptance", "--max-examples", "25", "--seed", "1", "--no-color", "--request-timeout", "60"]
    run = subprocess.run(command, capture_output=True, text=True)
    (arguments.work / "schemathesis.txt").write_text(run.stdout + run.stderr)
    if run.returncode != 0:
        sys.exit(f"interop: schemathesis found faults: see {arguments.work}/schemathesis.txt")
    generated = re.search(r"(\d+) generated", run.stdout).group(1)
    print(f"interop: schemathesis on openapi.json: {generated} requests, no 5xx, no other status, type or body than the document says")
    a.end()


def attack(arguments, server, targets, seconds):
    """vegeta with 200 connections, each sending as fast as it is answered."""
    result = arguments.work / "vegeta.bin"
    subprocess.run([arguments.vegeta, "attack", "-format=json", f"-targets={targets}", "-rate=0", "-max-workers=200", "-connections=200",
                    f"-duration={seconds}s", "-timeout=60s", f"-output={result}"], check=True)
    report = json.loads(subprocess.run([arguments.vegeta, "report", "-type=json", result], check=True, capture_output=True).stdout)
    rewards = subprocess.run([arguments.vegeta, "encode", "-to=json", result], check=True, capture_output=True, text=True).stdout
    return report, [json.loads(base64.b64decode(json.loads(line)["body"] or ""))["rewards"][0] for line in rewards.splitlines() if json.loads(line)["code"] == 200]


def load(arguments, rows):
    print(f"interop: load: {arguments.seconds} s of 200 connections, one text a request, {len(rows)} texts")
    figures = {}
    for name in ("a", "fastapi"):
        if name == "a":
            server = laurel(arguments, name)
        else:
            server = Server(name, [sys.executable, pathlib.Path(__file__).with_name("fastapi_server.py"), "--model", arguments.model, "--port", str(PORTS[name])], arguments.work)
        targets = arguments.work / f"{name}.targets"
        targets.write_text("".join(json.dumps({"method": "POST", "url": server.url + "/get_reward", "header": {"Content-Type": ["application/json"]},
                                               "body": base64.b64encode(json.dumps({"query": [text]}).encode()).decode()}) + "\n" for text, _ in rows))
        attack(arguments, server, targets, 5)  # warm
        before = server.memory()
        wrong, stop, checked = [], threading.Event(), [0]

        def check():
            while not stop.is_set():
                text, reward = rows[checked[0] % len(rows)]
                got = requests.post(server.url + "/get_reward", json={"query": [text]}, timeout=60).json()["rewards"][0]
                checked[0] += 1
                if abs(got - reward) > (TOLERANCE if name == "a" else 1e-3):
                    wrong.append((text, got, reward))

        checker = threading.Thread(target=check)
        checker.start()
        report, rewards = attack(arguments, server, targets, arguments.seconds)
        stop.set()
        checker.join()
        if name == "a":
            expected = sorted(reward for _, reward in rows)
            near = lambda reward: min(abs(reward - e) for e in expected[max(0, bisect.bisect(expected, reward) - 1):][:2])
            strange = sum(near(reward) > TOLERANCE for reward in rewards)
            metrics = requests.get(server.url + "/metrics", timeout=60).text
            value = lambda key: float(re.search(rf"^{re.escape(key)} (\S+)$", metrics, re.M).group(1))
            fill = value('laurel_batch_fill_sum{model="rm"}') / value('laurel_batch_fill_count{model="rm"}')
            if wrong or strange or report["success"] != 1:
                sys.exit(f"interop: {len(wrong)} of {checked[0]} rewards wrong, {strange} of {len(rewards)} no text's, success {report['success']}, {report['status_codes']}")
        latency = report["latencies"]
        figures[name] = (report["throughput"], latency["50th"] / 1e6, latency["99th"] / 1e6)
        print(f"  {'laurel serve' if name == 'a' else 'FastAPI     '}  {figures[name][0]:7.0f} requests/s  p50 {figures[name][1]:6.0f} ms  p99 {figures[name][2]:6.0f} ms"
              f"  memory {before:.0f} to {server.memory():.0f} MiB" + (f"  batch fill {fill:.2f}; {checked[0]} rewards checked one by one, {len(rewards)} against the set, 0 wrong" if name == "a" else ""))
        server.end()
    ours, theirs = figures["a"], figures["fastapi"]
    print(f"  laurel beside FastAPI: {ours[0] / theirs[0]:.2f} times the requests, p99 {ours[2] / theirs[2]:.2f} of theirs")
    if ours[0] <= theirs[0] or ours[2] >= theirs[2]:
        sys.exit("interop: laurel serve is not ahead")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--laurel", required=True)
    parser.add_argument("--model", required=True, help="an encoder's Hugging Face directory")
    parser.add_argument("--pairs", required=True, help="JSON lines with prompt, chosen, rejected: what is scored")
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--vegeta", help="the load generator's binary")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--only", default="clients,trl,schema,load")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    rows = known(arguments)
    from serve_trl import trl
    for part in arguments.only.split(","):
        {"clients": clients, "trl": trl, "schema": schema, "load": load}[part](arguments, rows)


if __name__ == "__main__":
    main()
