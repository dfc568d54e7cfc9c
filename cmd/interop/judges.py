"""Holds laurel's chat judges to a real llama.cpp server.

    python judges.py --laurel bin/laurel --work DIR

The server is llama.cpp's own, in the package xllamacpp. The models are written
here: a Llama without attention whose next token depends on the last one alone, so
that what it says, and how sure it is, is known. A judge of it must find that, in
each mode, with the server's token counts; generate must draw with that probability,
by the seeds that it sends, and keep finish reasons; and revise must go around with it.
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys

import gguf
import numpy
import pyarrow.parquet

WIDTH = 64  # of the model: one dimension for each token that has a successor
SURE = 3.0  # weight that leaves other tokens no chance
BYTES = 3   # the first byte's token, after <unk>, <s> and </s>

# A conversation that goes on after an answer ends with ">", so that the model can
# tell the letter of cot_logprobs from the reasoning before it.
TEMPLATE = ("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
            "{% if add_generation_prompt %}assistant{{ '>' if messages|length > 2 else ':' }}{% endif %}")


def write_model(path, chain, probability, template=TEMPLATE):
    """A model that says chain, or A with this probability and else B where it has
    no chain or the prompt ends with ">"."""
    pieces = chain + [p for p in (" A", " B") if p not in chain]
    token = {piece: BYTES + 256 + i for i, piece in enumerate(pieces)}
    embedding, output = numpy.zeros((2, BYTES + 256 + len(pieces), WIDTH), numpy.float32)
    embedding[:, 0] = 1  # whatever the prompt ends with
    for i, piece in enumerate(pieces):
        embedding[token[piece]] = numpy.eye(WIDTH)[1 + i]
        after = chain[chain.index(piece) + 1:] if piece in chain else []
        output[token[after[0]] if after else 2, 1 + i] = SURE
    more = 1 + len(pieces)
    embedding[BYTES + ord(">")] = numpy.eye(WIDTH)[more]
    norm = math.sqrt(WIDTH)  # of a unit vector under RMSNorm
    for dimension in [more] if chain else [0, more]:
        output[token[" A"], dimension] = SURE
        output[token[" B"], dimension] = SURE - math.log(probability / (1 - probability)) / norm
    if chain:
        output[token[chain[0]], 0] = SURE

    kinds = gguf.TokenType
    words = [b"<unk>", b"<s>", b"</s>"] + [b"<0x%02X>" % i for i in range(256)] + [p.replace(" ", "\u2581").encode() for p in pieces]
    w = gguf.GGUFWriter(path, "llama")
    w.add_context_length(4096)
    w.add_embedding_length(WIDTH)
    w.add_block_count(1)
    w.add_feed_forward_length(WIDTH)
    w.add_head_count(2)
    w.add_head_count_kv(2)
    w.add_layer_norm_rms_eps(1e-6)
    w.add_rope_dimension_count(WIDTH // 2)
    w.add_vocab_size(len(words))
    w.add_tokenizer_model("llama")
    w.add_token_list(words)
    w.add_token_scores([0.0] * len(words))
    w.add_token_types([kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL] + [kinds.BYTE] * 256 + [kinds.NORMAL] * len(pieces))
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_unk_token_id(0)
    w.add_add_bos_token(True)
    w.add_chat_template(template)
    w.add_tensor("token_embd.weight", embedding)
    w.add_tensor("output.weight", output)
    w.add_tensor("output_norm.weight", numpy.ones(WIDTH, numpy.float32))
    for name in ("attn_norm", "ffn_norm"):
        w.add_tensor(f"blk.0.{name}.weight", numpy.ones(WIDTH, numpy.float32))
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        w.add_tensor(f"blk.0.{name}.weight", numpy.zeros((WIDTH, WIDTH), numpy.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


SERVE = """
import sys, time, xllamacpp
p = xllamacpp.CommonParams()
p.model.path, p.n_ctx, p.n_parallel = sys.argv[1], 32768, 8
server = xllamacpp.Server(p)
print("listening", server.listening_address, flush=True)
while True:
    time.sleep(1)
"""


class Server:
    """A server of one model, while the with statement lasts."""

    def __init__(self, model):
        self.model = model

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", SERVE, str(self.model)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if line.startswith("listening "):
                return line.split()[1]
        sys.exit(f"the server of {self.model} did not start")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def laurel(binary, *args):
    done = subprocess.run([binary, *map(str, args)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"laurel {args[0]}: exit {done.returncode}\n{done.stdout}{done.stderr}")


def check(what, ok, got):
    print(f"{'ok  ' if ok else 'FAIL'} {what}: {got}")
    if not ok:
        sys.exit(1)


def label(binary, work, address, mode, first, requests):
    """In both orders the first response has the probability; position off takes
    that of one order."""
    out = work / f"labels-{mode}"
    judge = f"judges=[{{kind: openai, openai: {{base_url: '{address}', model: bigram, mode: {mode}}}}}]"
    laurel(binary, "label", "--data", work / "comparisons.jsonl", "--set", judge, "--set", "position=off", "--out", out)
    rows = pyarrow.parquet.read_table(out / "pairs.parquet").to_pylist()
    said = json.loads((out / "label.json").read_text())["judges"][0]["answers"]
    difference = max((abs(r["confidence"] - first) for r in rows), default=1)
    check(f"{mode}: {said}, {len(rows)} labels, largest difference in confidence", len(rows) == 3 and difference < 1e-5, f"{difference:.1e}")
    took = {(r["requests"], r["prompt_tokens"] > 0, r["completion_tokens"]) for r in rows}
    check(f"{mode}: requests, prompt and completion tokens", took == {(4 * requests[0], True, 4 * requests[1])}, took)


def generate(binary, work, address, name, *settings):
    """The candidates of one prompt."""
    with open(work / "prompt.jsonl", "w") as f:
        f.write(json.dumps({"id": "p", "prompt": "A or B?"}) + "\n")
    laurel(binary, "generate", "--data", work / "prompt.jsonl", "--set", f"chat.base_url={address}", "--set", "chat.model=bigram", "--out", work / name, *settings)
    return [json.loads(line) for line in open(work / name / "candidates.jsonl")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--laurel", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    with open(args.work / "comparisons.jsonl", "w") as f:
        for i in range(3):
            f.write(json.dumps({"id": f"c{i}", "prompt": f"Why is {i} even or odd?", "response_a": f"Because {i} / 2.", "response_b": "It is."}) + "\n")
    chain = [" One gives reasons.", "\nVerdict:", " A", "\nConfidence:", " 0.8"]
    write_model(args.work / "letter.gguf", [], 0.7)
    write_model(args.work / "verdict.gguf", chain, 0.9)
    with Server(args.work / "letter.gguf") as address:
        label(args.laurel, args.work, address, "direct", 0.7, (1, 2))  # the letter and the end
        n = 200
        drawn = [generate(args.laurel, args.work, address, name, "--n", n) for name in ("drawn", "drawn-again")]
        share = sum(c["response"] == "A" for c in drawn[0]) / n
        away = abs(share - 0.7) / math.sqrt(0.7 * 0.3 / n)
        check("generate: share of the letter with probability 0.7, at temperature 1", away < 4 and {c["finish_reason"] for c in drawn[0]} == {"stop"}, share)
        check("generate: the same seeds give the same responses", drawn[0] == drawn[1], n)
    with Server(args.work / "verdict.gguf") as address:
        label(args.laurel, args.work, address, "cot", 0.8, (1, 6))
        label(args.laurel, args.work, address, "cot_logprobs", 0.9, (2, 6 + 4))  # after the letter the chain goes on
        for tokens, reason, cut in ((3, "length", True), (64, "stop", False)):
            got = {(c["finish_reason"], c["cut"]) for c in generate(args.laurel, args.work, address, f"cut-{tokens}", "--n", 2, "--set", f"chat.max_tokens={tokens}")}
            check(f"generate: finish reasons with max_tokens {tokens}", got == {(reason, cut)}, got)
        laurel(args.laurel, "revise", "--data", args.work / "comparisons.jsonl", "--rounds", 2, "--set", f"chat.base_url={address}",
               "--set", "chat.model=bigram", "--out", args.work / "revised")
        lines = [json.loads(line) for line in open(args.work / "revised" / "messages.jsonl")]
        check("revise: last answers", {m["messages"][-1]["content"] for m in lines} == {"".join(chain).strip()} and len(lines) == 3, len(lines))


if __name__ == "__main__":
    main()
