"""What a hand-off's README says to TRL, OpenRLHF and verl, run by these trainers' own
code. OpenRLHF and verl come as wheels of which the files named here are loaded, with
stand-ins for what only a GPU has (deepspeed, flash-attn, ray)."""
import argparse
import ast
import asyncio
import contextlib
import datetime
import importlib
import importlib.machinery
import io
import pathlib
import shlex
import subprocess
import sys
import types
import unittest.mock
import zipfile

import datasets
import torch
import transformers
import trl as trl_package

import families
from judges import check as expect

PINNED = {"openrlhf": "0.11.2", "verl": "0.9.1"}
STEPS = 3
TOLERANCE = 1e-4
FOLDER = {}


def sources(folder):
    """Downloads the wheels once, and unpacks them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, version in PINNED.items():
        if not (folder / name).exists():
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.11",
                            "--dest", folder, f"{name}=={version}"], check=True)
            with zipfile.ZipFile(next(folder.glob(f"{name}-{version}-*.whl"))) as wheel:
                wheel.extractall(folder / name)
        FOLDER[name] = next(path.parent for path in (folder / name).rglob(f"{name}/__init__.py"))


class StandIn(types.ModuleType):
    """A module of which every name is there, and does nothing."""

    def __init__(self, name):
        super().__init__(name)
        self.__spec__, self.__path__ = importlib.machinery.ModuleSpec(name, None, is_package=True), []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return unittest.mock.MagicMock(name=name)


def package(name, path):
    """A package whose modules are found, and whose __init__.py is not run."""
    module = types.ModuleType(name)
    module.__path__ = [str(path)]
    return module


@contextlib.contextmanager
def loaded(name, packages, stand_ins):
    root = FOLDER[name]
    modules = {part: package(part, root.parent / part.replace(".", "/")) for part in packages} | {part: StandIn(part) for part in stand_ins}
    sys.modules.update(modules)
    try:
        yield
    finally:  # what else was imported meanwhile stays: torch refuses to be imported twice
        for part in [part for part in sys.modules if part in modules or part.split(".")[0] == name]:
            del sys.modules[part]


def same(what, got, want, tolerance=TOLERANCE):
    worst = max(abs(g - w) / max(1, abs(w)) for g, w in zip(got, want, strict=True))
    expect(what, worst <= tolerance, f"{len(got)} rewards, at most {worst:.1e} from transformers'")


def policy_tokenizer(work):
    """A policy's, which knows the chat template and, as a policy's, pads at the left."""
    folder = work / "policy"
    folder.mkdir(exist_ok=True)
    families.decoder_tokenizer(folder)
    return transformers.AutoTokenizer.from_pretrained(folder, padding_side="left")


def steps(trainer_class, config_class, reward, prompts, work):
    """The mean reward of each of a few steps of a tiny random policy."""
    transformers.set_seed(11)
    words = policy_tokenizer(work)
    shape = dict(vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                 max_position_embeddings=512, pad_token_id=words.pad_token_id, eos_token_id=words.eos_token_id, bos_token_id=words.bos_token_id)
    config = config_class(output_dir=str(work / "trainer"), per_device_train_batch_size=4, num_generations=2, max_completion_length=8, max_steps=STEPS,
                          logging_steps=1, learning_rate=1e-3, use_cpu=True, report_to="none", save_strategy="no", seed=5, bf16=False, disable_tqdm=True)
    folder = str(work / "policy")  # RLOO opens its reference model by the policy's name
    transformers.LlamaForCausalLM(transformers.LlamaConfig(**shape)).save_pretrained(folder)
    trainer = trainer_class(model=transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), reward_funcs=reward, args=config,
                            train_dataset=datasets.Dataset.from_dict({"prompt": prompts}), processing_class=words)
    with contextlib.redirect_stdout(io.StringIO()):
        trainer.train()
    rewards = [row["reward"] for row in trainer.state.log_history if "reward" in row]
    expect(f"{trainer_class.__name__}: {STEPS} steps", len(rewards) == STEPS, ", ".join(f"{r:.4f}" for r in rewards))
    return rewards


def trl(readme, rows, rewards, chat, work):
    """Rewards of the references by both functions, and steps of the trainers with them."""
    if chat:
        prompts = [[{"role": "user", "content": prompt}] for prompt, _ in rows]
        completions = [[{"role": "assistant", "content": response}] for _, response in rows]
    else:
        prompts, completions = map(list, zip(*rows))
    names = {}
    exec(readme["TRL (GRPO, RLOO) over HTTP"][0][1], names)
    over_http = names["reward"]
    same("TRL's function over HTTP", over_http(prompts, completions), rewards)
    grpo = steps(trl_package.GRPOTrainer, trl_package.GRPOConfig, over_http, prompts[:8], work)
    steps(trl_package.RLOOTrainer, trl_package.RLOOConfig, over_http, prompts[:8], work)
    inside = readme["TRL in process"]
    if not inside:
        print("     no function in process: the README says why")
        return
    names = {}
    exec(inside[0][1], names)
    same("TRL's function in process", names["reward"](prompts, completions), rewards)
    again = steps(trl_package.GRPOTrainer, trl_package.GRPOConfig, names["reward"], prompts[:8], work)
    same("GRPO over HTTP and in process, reward by step", grpo, again)


def flags(root, line):
    """The README's flags as train_ppo_ray.py's own parser reads them: all of its flags whose name stands as it is."""
    parser = argparse.ArgumentParser()
    tree = ast.parse((root / "cli" / "train_ppo_ray.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument" and isinstance(node.args[0], ast.Constant):
            eval(compile(ast.Expression(node), "train_ppo_ray.py", "eval"), {"parser": parser, "datetime": datetime.datetime})
    return vars(parser.parse_args(shlex.split(line, comments=True)))


class Engine:
    """What stands for vLLM: it generates the reference's response."""

    def __init__(self, ids):
        self.ids = ids

    async def generate(self, *_, **__):
        return types.SimpleNamespace(outputs=[types.SimpleNamespace(token_ids=self.ids, logprobs=None, finish_reason="stop")])


def openrlhf(readme, rows, rewards, raw, chat, config, said, work):
    root, words = FOLDER["openrlhf"], policy_tokenizer(work)
    bos = "<|bos|>" if said["model"]["openrlhf"] else ""  # a decoder's texts bring it, as the README says
    given = flags(root, readme["OpenRLHF"][0][1])
    whole = [i for i, (prompt, response) in enumerate(rows) if len(words(prompt + response)["input_ids"]) < families.MAX_LENGTH - 16]
    texts = [(words.apply_chat_template([{"role": "user", "content": p}], tokenize=False, add_generation_prompt=True), r + "<|eos|>") if chat
             else (bos + p, r) for p, r in (rows[i] for i in whole)]
    with loaded("openrlhf", ["openrlhf", "openrlhf.utils", "openrlhf.models"], ["deepspeed", "flash_attn", "flash_attn.bert_padding", "flash_attn.utils", "flash_attn.utils.distributed"]):
        agent = importlib.import_module("openrlhf.utils.agent")
        executor = agent.SingleTurnAgentExecutor(given["reward.remote_url"].split(","))
        sampling = types.SimpleNamespace(max_tokens=64, logprobs=None)

        async def run():
            return await asyncio.gather(*(executor.execute(p, None, sampling, 4096, words, Engine(words(r, add_special_tokens=False)["input_ids"])) for p, r in texts))

        same("OpenRLHF's SingleTurnAgentExecutor", [out["reward"][0] for out in asyncio.run(run())], [rewards[i] for i in whole])
        if len(readme["OpenRLHF"]) > 1:
            in_process(root, readme["OpenRLHF"][1][1], [p + r for p, r in texts], words, [raw[i] for i in whole], config, said)
        else:
            expect("OpenRLHF in process", "Not in process" in pathlib.Path("README.md").read_text() and (said["model"]["normalized"] or not said["model"]["openrlhf"]), "not with this model")


def in_process(root, line, texts, words, raw, config, said):
    """OpenRLHF's own reward model, in float32: bfloat16 would hide what differs by less than a hundredth.
    mean and std are looked at in a model that is made, not loaded: from_pretrained of transformers 5 leaves
    buffers outside the checkpoint uninitialized, and these are such."""
    given = flags(root, line)
    importlib.import_module("openrlhf.utils.utils").convert_to_torch_dtype = lambda _: torch.float32
    source = importlib.import_module("openrlhf.models.model")
    expect("mean, std and normalize_reward of config.json", [config["mean"], config["std"], config["normalize_reward"]] == [said["whitening"]["mean"], said["whitening"]["std"], False],
           f"{config['mean']:.4f}, {config['std']:.4f}")
    read = transformers.AutoConfig.from_pretrained(given["reward.model_name_or_path"])
    base = transformers.AutoModel._model_mapping[type(read)]
    made = source._get_reward_model(base.__base__, base, read.value_head_prefix)(read)
    expect("as OpenRLHF's reward model reads them", hasattr(made, "score") and abs(made.mean.item() - config["mean"]) < 1e-6 and abs(made.std.item() - config["std"]) < 1e-6,
           f"value_head_prefix {made.value_head_prefix}, mean {made.mean.item():.4f}, std {made.std.item():.4f}")
    model = source.get_llm_for_sequence_regression(given["reward.model_name_or_path"], "reward", normalize_reward=given["reward.normalize_enable"],
                                                   attn_implementation="eager", value_head_prefix="another").eval()
    with torch.no_grad():
        ids = [torch.tensor([words(text, add_special_tokens=False)["input_ids"]]) for text in texts]
        same("OpenRLHF's reward model, its rewards", [model(row, torch.ones_like(row)).item() for row in ids], raw)


def verl(readme, rows, rewards, chat, work):
    """reward.py through verl's own loader and its naive reward manager."""
    (_, code), (_, line) = readme["verl"]
    (work / "reward.py").write_text(code)
    given = dict(part.split("=") for part in shlex.split(line, comments=True))
    words = policy_tokenizer(work)
    with loaded("verl", ["verl.utils", "verl.experimental", "verl.experimental.reward_loop", "verl.experimental.reward_loop.reward_manager"],
                ["verl", "verl.utils.reward_score", "verl.utils.ray_utils", "omegaconf", "ray"]):
        sys.modules["verl"].__path__ = [str(FOLDER["verl"])]
        sys.modules["verl.utils.ray_utils"].get_event_loop = asyncio.get_event_loop
        sys.modules["verl.experimental.reward_loop.reward_manager"].register = lambda _: lambda manager: manager
        load = importlib.import_module("verl.utils.import_utils").load_extern_object
        function = load(module_path=str(work / given["custom_reward_function.path"]), object_name=given["custom_reward_function.name"])
        manager_class = importlib.import_module("verl.experimental.reward_loop.reward_manager.naive").NaiveRewardManager

        async def run():
            manager = manager_class(config=None, tokenizer=words, compute_score=function)
            return [(await manager.run_single(item(words, prompt, response, chat)))["reward_score"] for prompt, response in rows]

        same("verl's NaiveRewardManager", asyncio.run(run()), rewards)


class Item(list):
    """Of DataProto what the manager reads: a slice is one, and an item has batch and non_tensor_batch."""

    def __getitem__(self, at):
        return Item(super().__getitem__(at)) if isinstance(at, slice) else super().__getitem__(at)


def item(words, prompt, response, chat):
    ids = torch.tensor(words(response, add_special_tokens=False)["input_ids"] + [words.eos_token_id])
    prompt = [{"role": "user", "content": prompt}] if chat else prompt
    return Item([types.SimpleNamespace(batch={"responses": ids, "attention_mask": torch.ones_like(ids)}, non_tensor_batch={
        "data_source": "references", "reward_model": {"ground_truth": ""}, "extra_info": {"prompt": prompt}})])
