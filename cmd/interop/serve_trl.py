"""TRL's GRPOTrainer with a reward model that laurel serves, and with the same model in
process."""
import subprocess

import datasets
import requests
import tokenizers
import torch
import transformers
import trl as trl_package

PROMPTS = ["How do I boil an egg?", "Name a planet.", "What is two plus two?", "Tell me about the sea."] * 4
STEPS = 5


def tokenizer():
    """A byte-level BPE of the prompts' own letters: a random policy writes nothing else."""
    bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
    bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = tokenizers.decoders.ByteLevel()
    bpe.train_from_iterator(PROMPTS, tokenizers.trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<|pad|>", "<|eos|>"]))
    return transformers.PreTrainedTokenizerFast(tokenizer_object=bpe, pad_token="<|pad|>", eos_token="<|eos|>", padding_side="right")


def models(arguments):
    """A policy and a decoder with a score head, both tiny and random; the second as laurel exports it."""
    work, words = arguments.work, tokenizer()
    shape = dict(vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                 max_position_embeddings=256, pad_token_id=words.pad_token_id, eos_token_id=words.eos_token_id, bos_token_id=None, initializer_range=0.2)
    transformers.set_seed(11)
    policy = transformers.LlamaForCausalLM(transformers.LlamaConfig(**shape))
    reward = transformers.Qwen2ForSequenceClassification(transformers.Qwen2Config(num_labels=1, **shape))
    for model, name in ((policy, "policy"), (reward, "decoder")):
        model.save_pretrained(work / name)
        words.save_pretrained(work / name)
    subprocess.run([arguments.laurel, "export", "--model", work / "decoder", "--out", work / "decoder-hf", "--overwrite"], check=True, stdout=subprocess.DEVNULL)
    return work / "policy", work / "decoder-hf"


def steps(work, policy, reward_functions, reward_tokenizers):
    """The mean reward of each of a few steps."""
    config = trl_package.GRPOConfig(
        output_dir=str(work / "grpo"), per_device_train_batch_size=8, num_generations=4, max_completion_length=12, max_steps=STEPS, logging_steps=1,
        learning_rate=1e-3, use_cpu=True, report_to="none", save_strategy="no", seed=5, bf16=False, disable_tqdm=True)
    trainer = trl_package.GRPOTrainer(
        model=transformers.AutoModelForCausalLM.from_pretrained(policy, dtype=torch.float32), reward_funcs=reward_functions, args=config,
        train_dataset=datasets.Dataset.from_dict({"prompt": PROMPTS}), reward_processing_classes=reward_tokenizers,
        processing_class=transformers.AutoTokenizer.from_pretrained(policy, padding_side="left"))
    trainer.train()
    return [row["reward"] for row in trainer.state.log_history if "reward" in row]


def trl(arguments, _):
    from serve import PORTS, Server, sys

    policy, decoder = models(arguments)
    server = Server("a", [arguments.laurel, "serve", "--model", f"rm={decoder}", "--addr", f"127.0.0.1:{PORTS['a']}"], arguments.work)

    def reward(prompts, completions, **_):
        answer = requests.post(server.url + "/get_reward", json={"query": [p + c for p, c in zip(prompts, completions)]}, timeout=180)
        if answer.status_code != 200:
            sys.exit(f"interop: {answer.status_code} {answer.text}")
        return answer.json()["rewards"]

    served = steps(arguments.work, policy, reward, None)
    server.end()
    in_process = transformers.AutoModelForSequenceClassification.from_pretrained(decoder, dtype=torch.float32)
    inside = steps(arguments.work, policy, in_process, transformers.AutoTokenizer.from_pretrained(decoder))
    worst = max(abs(a - b) for a, b in zip(served, inside))
    if len(served) != STEPS or len(inside) != STEPS or worst > 1e-4:
        sys.exit(f"interop: GRPO's rewards by step: served {served}, in process {inside}")
    print(f"interop: TRL {trl_package.__version__} GRPOTrainer: {STEPS} steps on the server's rewards, {STEPS} with the exported decoder in process: "
          f"mean rewards by step agree to {worst:.1e} ({', '.join(f'{r:.3f}' for r in served)})")
