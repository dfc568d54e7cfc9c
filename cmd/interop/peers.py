"""Holds laurel verify --url to servers of transformers that answer as TEI and vLLM do
(peer_server.py), right ones and ones with known faults.

    python peers.py --laurel bin/laurel --model HF_DIR [--model HF_DIR…] --work DIR

The models are exports of laurel. What verify says of each server must be what is wrong
with it, and nothing where nothing is.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys

import transformers

from judges import check as expect
from serve import Server

PORT = 8162
HERE = pathlib.Path(__file__).resolve().parent


def changed(model, out, without=()):
    """A copy of the model without keys of its config.json."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(model, out)
    config = json.loads((out / "config.json").read_text())
    (out / "config.json").write_text(json.dumps({key: value for key, value in config.items() if key not in without}))
    return out


def cut_right(binary, model, out):
    """The model with another side at which long texts are cut, exported anew."""
    copy = changed(model, out / "left")
    config = json.loads((copy / "config.json").read_text())
    config["laurel"]["truncation_side"] = "right"
    (copy / "config.json").write_text(json.dumps(config))
    shutil.rmtree(out / "right", ignore_errors=True)
    subprocess.run([binary, "export", "--model", copy, "--out", out / "right", "--backend", "go"], check=True, stdout=subprocess.DEVNULL)
    return out / "right"


def said(binary, model, served, kind, work, *flags):
    """verify's exit code and its lines about the server."""
    command = [sys.executable, HERE / "peer_server.py", "--kind", kind, "--model", served, "--port", str(PORT), *flags]
    server = Server("a", command, work, url=f"http://127.0.0.1:{PORT}")
    done = subprocess.run([binary, "verify", "--model", model, "--url", server.url, "--backend", "go", "--json"], capture_output=True, text=True)
    server.process.kill()
    server.process.wait()
    report = json.loads(done.stdout)
    return done.returncode, {c["name"]: c for c in report["checks"] if c["status"] != "skipped"}


def holds(what, got, dialects, status, part):
    code, checks = got
    right = list(checks) == dialects and all(c["status"] == status and part in c["detail"] for c in checks.values()) and code == (1 if status == "failed" else 0)
    expect(what, right, "; ".join(f"{name} {c['status']}: {c['detail'].splitlines()[0]}" for name, c in checks.items()))


def prove(binary, model, work):
    golden = json.loads((model / "laurel_golden.json").read_text())
    vllm, length = ["vllm-classify", "vllm-pooling"], str(golden["max_length"])
    ask = lambda served, kind, *flags: said(binary, model, served, kind, work, *flags)
    if not all(case["add_special_tokens"] for case in golden["cases"]):  # one holds the BOS that the template writes
        holds("TEI puts a BOS before the template's", ask(model, "tei", "--max-tokens", length), ["tei"], "failed", "special tokens twice")
    else:
        holds("TEI, --max-batch-tokens as max_length", ask(model, "tei", "--max-tokens", length), ["tei"], "ok", "rewards within")
        holds("TEI, texts cut where the positions end", ask(model, "tei"), ["tei"], "failed", "not cut")
    holds("vLLM, of a model that cuts at the left", ask(model, "vllm"), vllm, "failed", "special tokens are cut off")
    right = cut_right(binary, model, work / "cut")
    ask = lambda served, kind, *flags: said(binary, right, served, kind, work, *flags)
    holds("vLLM", ask(right, "vllm"), vllm, "ok", "rewards within")
    holds("vLLM, bfloat16", ask(right, "vllm", "--dtype", "bfloat16"), vllm, "warning", "bfloat16")
    holds("vLLM, no problem_type", ask(changed(right, work / "sigma", ["problem_type"]), "vllm"), vllm, "failed", "σ of the reward")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laurel", required=True, type=pathlib.Path)
    parser.add_argument("--model", required=True, action="append", type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    arguments.work.mkdir(parents=True, exist_ok=True)
    for model in arguments.model:
        print(f"== {model}", flush=True)
        prove(str(arguments.laurel.resolve()), model.resolve(), arguments.work.resolve())


if __name__ == "__main__":
    main()
