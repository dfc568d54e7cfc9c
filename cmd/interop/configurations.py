"""Holds laurel to transformers on drawn configurations of every family.

    python configurations.py --laurel bin/laurel --work DIR [--draws 12] [--seed 1] [FAMILY…]

For each family, configurations are drawn over every key of config.json that
transformers' code of that family reads; each gets random weights, large enough
that every option moves the rewards. Rewards of `laurel score` are compared with
transformers' logits, of right-padded batches and of texts alone, with the
config in the dialects of transformers 5 and 4. Then configurations that laurel
does not compute are scored: each must be refused with the key's name.

Every drawn model is left in the work folder in the layout of golden folders,
with hidden states and gradients, so that

    LAUREL_GOLDENS=DIR go test ./model -run Golden

holds those to it as well.
"""
import argparse
import functools
import json
import pathlib
import random
import shutil
import subprocess
import sys

import pyarrow.parquet
import torch
import transformers

import reference

ACTIVATIONS = ["gelu", "gelu_10", "gelu_fast", "gelu_new", "gelu_python", "gelu_pytorch_tanh", "gelu_python_tanh",
               "gelu_accurate", "hardswish", "laplace", "leaky_relu", "linear", "mish", "quick_gelu", "relu", "relu2",
               "relu6", "sigmoid", "silu", "sqrtsoftplus", "swish", "tanh"]
EPSILONS = [1e-12, 1e-7, 1e-5, 1e-3, 0.1]
ALL = ["bert", "roberta", "xlm-roberta", "distilbert", "electra", "deberta-v2", "modernbert", "llama", "llama3-rope",
       "mistral", "qwen2", "qwen3", "gemma2", "gemma3_text"]


def sizes(draw, even_width=False):
    heads = draw.choice([1, 2, 3, 4, 6])
    width = draw.choice([4, 6, 8, 16] if even_width else [3, 4, 7, 8, 16])
    return dict(hidden_size=heads * width, num_attention_heads=heads, num_hidden_layers=draw.choice([1, 2, 3, 5]),
                intermediate_size=draw.choice([20, 33, 64]), max_position_embeddings=draw.choice([64, 80, 128]))


def pick(draw, **choices):
    return {key: draw.choice(values) for key, values in choices.items()}


def bert(draw):
    return sizes(draw) | pick(draw, hidden_act=ACTIVATIONS, layer_norm_eps=EPSILONS, type_vocab_size=[1, 2, 3],
                              classifier_dropout=[None, 0.3], pad_token_id=[0, None, 5], tie_word_embeddings=[True, False],
                              hidden_dropout_prob=[0, 0.2], attention_probs_dropout_prob=[0, 0.2])


def roberta(draw):
    return bert(draw) | pick(draw, pad_token_id=[0, 1, 9])


def electra(draw):
    return bert(draw) | pick(draw, embedding_size=[8, 16, 40], summary_type=["first", "last", "mean"],
                             summary_activation=["gelu", "tanh"], summary_use_proj=[True, False])


def distilbert(draw):
    s = sizes(draw)
    return dict(dim=s["hidden_size"], n_heads=s["num_attention_heads"], n_layers=s["num_hidden_layers"],
                hidden_dim=s["intermediate_size"], max_position_embeddings=s["max_position_embeddings"]) | pick(
        draw, activation=ACTIVATIONS, sinusoidal_pos_embds=[True, False], seq_classif_dropout=[0, 0.4], pad_token_id=[0, None, 5])


def deberta(draw):
    s = sizes(draw)
    config = s | pick(
        draw, hidden_act=ACTIVATIONS, pooler_hidden_act=ACTIVATIONS, layer_norm_eps=EPSILONS, type_vocab_size=[0, 2],
        relative_attention=[True, True, True, False], pos_att_type=[None, [], ["c2p"], ["p2c"], ["p2c", "c2p"], "c2p|p2c", "p2c"],
        share_att_key=[True, False], position_buckets=[-1, 4, 8, 16], max_relative_positions=[-1, 12, 40, 64],
        norm_rel_ebd=["none", "layer_norm", "none|layer_norm"], position_biased_input=[True, False],
        conv_kernel_size=[0, 0, 1, 3, 5], conv_act=ACTIVATIONS, embedding_size=[s["hidden_size"], 10],
        pooler_dropout=[0, 0.2], cls_dropout=[None, 0.2], pad_token_id=[0, None, 5], legacy=[True, False])
    if config["position_buckets"] == 16 and config["max_relative_positions"] == 12:
        config["max_relative_positions"] = -1
    config["conv_groups"] = draw.choice([g for g in (1, 2, 3) if s["hidden_size"] % g == 0])
    return config


def scaled(draw, theta):
    """Rotary parameters of any kind."""
    kind = draw.choice(["default", "default", "linear", "llama3", "yarn"])
    return {"rope_theta": theta, **{"default": lambda d: {"rope_type": "default"}, "linear": linear, "llama3": llama3, "yarn": yarn}[kind](draw)}


def linear(draw):
    return {"rope_type": "linear", "factor": draw.choice([1.0, 2.0, 7.5])}


def llama3(draw):
    return {"rope_type": "llama3", **pick(draw, factor=[2.0, 8.0, 32.0], low_freq_factor=[1.0, 0.5], high_freq_factor=[4.0, 2.0],
                                          original_max_position_embeddings=[16, 32, 60])}


def yarn(draw):
    options = {"attention_factor": 0.8, "beta_fast": 16, "beta_slow": 2, "mscale": 0.7, "mscale_all_dim": 1.2, "truncate": False}
    chosen = draw.sample(sorted(options), draw.randrange(len(options) + 1))
    return {"rope_type": "yarn", **pick(draw, factor=[1.0, 2.0, 4.0], original_max_position_embeddings=[16, 32]),
            **{key: options[key] for key in chosen}}


def modernbert(draw):
    s = sizes(draw, even_width=True)
    config = s | pick(
        draw, hidden_activation=ACTIVATIONS, classifier_activation=ACTIVATIONS, norm_eps=EPSILONS, norm_bias=[True, False],
        attention_bias=[True, False], mlp_bias=[True, False], classifier_bias=[True, False], decoder_bias=[True, False],
        classifier_pooling=["cls", "mean"], local_attention=[2, 5, 8, 16, 128], pad_token_id=[0, None, 5])
    return config | layers(draw, s["num_hidden_layers"], 3) | {"rope_parameters": {
        "full_attention": scaled(draw, draw.choice([160000.0, 500.0])), "sliding_attention": scaled(draw, draw.choice([10000.0, 300.0]))}}


def layers(draw, count, every):
    """Kinds of layers: unsaid, listed, or those that an older key spells."""
    if draw.random() < 0.3:
        return {}
    kinds = ["full_attention", "sliding_attention"]
    return {"layer_types": draw.choice([[draw.choice(kinds) for _ in range(count)], [kinds[bool(i % every)] for i in range(count)]])}


def decoder(draw):
    s = sizes(draw, even_width=True)
    heads = s["num_attention_heads"]
    return s | pick(draw, rms_norm_eps=EPSILONS, num_key_value_heads=[k for k in range(1, heads + 1) if heads % k == 0],
                    pad_token_id=[0, 0, None, 2, 7], tie_word_embeddings=[True, False], attention_dropout=[0.0, 0.1]) | {
        "rope_parameters": scaled(draw, draw.choice([10000.0, 1000000.0, 200.0]))}


def llama(draw):
    config = decoder(draw) | pick(draw, hidden_act=ACTIVATIONS, attention_bias=[True, False], mlp_bias=[True, False],
                                  pretraining_tp=[1, 2])
    return config | draw.choice([{}, {"head_dim": 10}]) | draw.choice([{}, {"num_key_value_heads": None}])


def llama3_rope(draw):
    return llama(draw) | {"rope_parameters": {"rope_theta": draw.choice([500000.0, 200.0]), **llama3(draw)}}


def mistral(draw):
    return decoder(draw) | pick(draw, hidden_act=ACTIVATIONS, sliding_window=[None, 1, 4, 9, 4096], head_dim=[None, 6])


def qwen2(draw):
    config = decoder(draw) | pick(draw, hidden_act=ACTIVATIONS, use_sliding_window=[True, True, False], sliding_window=[1, 4, 9, 4096],
                                  max_window_layers=[0, 1, 2, 28])
    if config["use_sliding_window"]:
        config |= layers(draw, config["num_hidden_layers"], 2)
    return config | draw.choice([{}, {"num_key_value_heads": None}])


def qwen3(draw):
    return qwen2(draw) | pick(draw, attention_bias=[True, False], head_dim=[4, 10, 16])


def gemma(draw):
    return decoder(draw) | pick(draw, hidden_activation=ACTIVATIONS, head_dim=[4, 10, 16], query_pre_attn_scalar=[4, 16, 100],
                                attention_bias=[True, False], sliding_window=[1, 4, 9, 4096],
                                attn_logit_softcapping=[None, 1.5, 50.0], final_logit_softcapping=[None, 0.5])


def gemma2(draw):
    config = gemma(draw)
    return config | layers(draw, config["num_hidden_layers"], 2)


def gemma3(draw):
    config = gemma(draw)
    if draw.random() < 0.3:
        config["sliding_window_pattern"] = draw.choice([2, 3])
    else:
        config |= layers(draw, config["num_hidden_layers"], 2)
    return config | {"rope_parameters": {"full_attention": scaled(draw, draw.choice([1000000.0, 500.0])),
                                         "sliding_attention": {"rope_type": "default", "rope_theta": draw.choice([10000.0, 300.0])}}}


DRAWS = dict(zip(ALL, [bert, roberta, roberta, distilbert, electra, deberta, modernbert, llama, llama3_rope, mistral, qwen2,
                       qwen3, gemma2, gemma3]))

# What laurel does not compute: keys to change, and the name that the refusal must hold.
REFUSED_BY_ALL = [({"per_layer_config": {"0": {"intermediate_size": 8}}}, "per_layer_config"),
                  ({"quantization_config": {"quant_method": "fp8"}}, "quantization_config"),
                  ({"id2label": {"0": "bad", "1": "good"}}, "id2label")]
REFUSED_ENCODER = [({"position_embedding_type": "relative_key"}, "position_embedding_type"), ({"is_decoder": True}, "is_decoder"),
                   ({"add_cross_attention": True}, "add_cross_attention"), ({"hidden_act": "xielu"}, "hidden_act")]
REFUSED_ROPE = [({"rope_parameters": {"rope_type": kind, "rope_theta": 1e4, "factor": 2.0}}, kind)
                for kind in ("dynamic", "longrope", "proportional", "mrope")]
REFUSED_DECODER = REFUSED_ROPE + [({"partial_rotary_factor": 0.5}, "partial_rotary_factor"),
                                  ({"rope_scaling": {"rope_type": "longrope", "factor": 2.0}}, "longrope"),
                                  ({"hidden_act": "prelu", "hidden_activation": "prelu"}, "prelu")]
REFUSED = {"bert": REFUSED_ENCODER, "roberta": REFUSED_ENCODER + [({"pad_token_id": None}, "pad_token_id")],
           "xlm-roberta": REFUSED_ENCODER, "electra": REFUSED_ENCODER,
           "distilbert": [({"activation": "prelu"}, "activation"), ({"hidden_size": 7}, "hidden_size")],
           "deberta-v2": [({"attention_head_size": 1}, "attention_head_size"), ({"conv_kernel_size": 2}, "conv_kernel_size")],
           "modernbert": [({"classifier_pooling": "max"}, "classifier_pooling"), ({"head_dim": 3}, "head_dim"), ({"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}, "dynamic")],
           "llama": REFUSED_DECODER, "mistral": REFUSED_DECODER, "qwen2": REFUSED_DECODER, "qwen3": REFUSED_DECODER,
           "gemma2": REFUSED_DECODER + [({"use_bidirectional_attention": True}, "use_bidirectional_attention")],
           "gemma3_text": [({"use_bidirectional_attention": True}, "use_bidirectional_attention"), ({"hidden_activation": "prelu"}, "prelu")]}


def score(binary, folder, texts, backend="go"):
    """Rewards that laurel gives, or what it says in refusing."""
    rows, out = folder / "texts.jsonl", folder / "scores.parquet"
    rows.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    done = subprocess.run([binary, "score", "--model", folder, "--data", rows, "--out", out, "--overwrite", "--max-length", str(reference.MAX_LENGTH),
                           "--backend", backend], capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stdout + done.stderr
    return pyarrow.parquet.read_table(out)["reward"].to_pylist(), ""


def compare(score_with, folder, expected, texts, dialect, config):
    """What is wrong with a dialect's rewards, if anything is, and their largest difference."""
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    rewards, refusal = score_with(folder, texts)
    if rewards is None:
        return f"transformers {dialect} dialect is refused:\n{refusal}", 0.0
    worst = max(abs(a - b) for want in (expected["logits"], expected["logits_single"]) for a, b in zip(rewards, want, strict=True))
    if not worst <= expected["tolerance"]:
        return f"transformers {dialect} dialect: difference {worst:.1e}, allowed {expected['tolerance']:.1e}", worst
    return "", worst


def prove(score_with, family, draws, seed, work):
    """Compares a family's drawn configurations; gives the largest difference and what is wrong."""
    worst, problems = 0.0, []
    for number in range(draws):
        draw = random.Random(f"{seed} {family} {number}")
        folder = work / f"{family}-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        keys = DRAWS[family](draw)
        try:
            config, expected, texts = reference.write(family.replace("llama3-rope", "llama"), keys, folder, seed=draw.randrange(2**31))
            older = reference.older(config, draw)
            (folder / "config_v4.json").write_text(json.dumps(older, indent=2))
            reference.agree(folder, older, expected)
        except Exception as problem:  # noqa: BLE001 - said with the configuration that brought it about
            raise RuntimeError(f"transformers fails on {family} {keys}") from problem
        for dialect, spelt in (("4", older), ("5", config)):
            problem, difference = compare(score_with, folder, expected, texts, dialect, spelt)
            worst = max(worst, difference)
            if problem:
                problems.append(f"{folder}: {problem}\n  {keys}")
    return worst, problems


def refusals(score_with, family, work):
    """Scores configurations that must be refused."""
    folder, problems = work / f"{family}-0", []
    config = json.loads((folder / "config.json").read_text())
    for changes, name in REFUSED_BY_ALL + REFUSED.get(family, []):
        (folder / "config.json").write_text(json.dumps(config | changes))
        rewards, said = score_with(folder, ["a text"])
        if rewards is not None or name not in said:
            problems.append(f"{folder}: {changes}: want a refusal that names {name}, got {said or rewards}")
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    return len(REFUSED_BY_ALL + REFUSED.get(family, [])), problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laurel", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--draws", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--backend", default="go", help="cpu compiles a program a length: seconds each")
    parser.add_argument("families", nargs="*", default=ALL)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    score_with = functools.partial(score, arguments.laurel, backend=arguments.backend)
    wrong = 0
    for family in arguments.families:
        worst, problems = prove(score_with, family, arguments.draws, arguments.seed, arguments.work)
        refused, unrefused = refusals(score_with, family, arguments.work)
        problems += unrefused
        wrong += len(problems)
        print(f"configurations: {family:12} {arguments.draws} drawn, both dialects: largest difference {worst:.1e}; {refused} refused", flush=True)
        for problem in problems:
            print("  WRONG", problem, flush=True)
    if wrong:
        sys.exit(f"configurations: {wrong} wrong")


if __name__ == "__main__":
    main()
