"""Writes classes/: four tokenizers of some 300 tokens and expected.json, the
ids that AutoTokenizer gives texts where the files beside tokenizer.json vary:
class, settings, special tokens, added tokens and where they are declared.

    pip install transformers==5.23.0 tokenizers==0.23.3
    python make_classes.py                         # classes/
    python make_classes.py OUT SEED COUNT DIR ...  # OUT: COUNT cases for the tokenizer of each DIR

A case whose directory transformers cannot load holds its error.
"""
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

CORPUS = [
    "Human: Could you tell me how to bake a loaf of bread? Assistant: Mix flour, water, salt and yeast.",
    "A reward model scores a response to a prompt: the chosen one should score higher than the rejected one.",
    "The quick brown fox jumps over the lazy dog. It's 10 o'clock; they're late, aren't they?",
    "Café naïve 你好 ÉTÉ Tell me more, extra word <think> done </think>.",
] * 4
TEXTS = [
    "Tell me <extra> more", "A RÉSUMÉ Café naïve é", "你好吗 bread", "  two  spaces\n\nand\tmore ", "x<extra>y <extra>  z",
    "<think>why</think> done", "it's [MASK] <mask> here", "<s>a</s> [CLS]b[SEP] <|endoftext|>", "word-word words word", "<EXTRA> <Think>", "",
]
CLASSES = {
    "wordpiece": ["BertTokenizerFast", "BertTokenizer", "DistilBertTokenizerFast", "ElectraTokenizerFast"],
    "bytelevel": ["RobertaTokenizerFast", "GPT2TokenizerFast", "Qwen2TokenizerFast", "LlamaTokenizerFast", "BartTokenizerFast"],
    "metaspace": ["LlamaTokenizerFast", "LlamaTokenizer", "GemmaTokenizerFast", "GemmaTokenizer"],
    "unigram": ["XLMRobertaTokenizerFast", "DebertaV2TokenizerFast", "DebertaV2Tokenizer"],
}
ANY_CLASS = ["PreTrainedTokenizerFast", "TokenizersBackend", None]
MODELS = {
    "wordpiece": ["bert", "distilbert", "electra"], "bytelevel": ["roberta", "qwen2", "qwen3", "llama", "modernbert"],
    "metaspace": ["llama", "mistral", "gemma2", "gemma3_text"], "unigram": ["xlm-roberta", "deberta-v2"],
}
FLAGS = ["do_lower_case", "strip_accents", "tokenize_chinese_chars", "add_prefix_space", "legacy", "split_by_punct", "add_bos_token",
         "add_eos_token", "split_special_tokens", "from_slow", "clean_up_tokenization_spaces", "trim_offsets", "remove_space", "keep_accents"]
NAMED = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]


def wordpiece():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.train_from_iterator(CORPUS, trainers.WordPieceTrainer(
        vocab_size=240, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[(s, t.token_to_id(s)) for s in ("[CLS]", "[SEP]")])
    return t, {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}


def bytelevel():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    t.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", t.token_to_id("<s>"))])
    return t, {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}


def metaspace():
    t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=240, show_progress=False,
        special_tokens=["<unk>", "<s>", "</s>", "<pad>"] + [f"<0x{i:02X}>" for i in range(0xC0, 0xD0)]))
    raw = json.loads(t.to_str())
    raw["added_tokens"] = [a for a in raw["added_tokens"] if not a["content"].startswith("<0x")]
    t = Tokenizer.from_str(json.dumps(raw))
    t.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return t, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def unigram():
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip()])
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=220, show_progress=False, unk_token="<unk>",
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"]))
    t.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return t, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>"}


def token(random, text):
    entry = {"content": text, "special": random.random() < 0.6}
    for flag in ("lstrip", "rstrip", "single_word"):
        entry[flag] = random.random() < 0.2
    entry["normalized"] = (not entry["special"]) if random.random() < 0.7 else random.random() < 0.5
    return entry


def vary(random, kind, size, base, own, vocabulary):
    """One directory's files beside tokenizer.json."""
    files = {}
    config = dict(base)
    name = random.choice(CLASSES[kind] * 2 + ANY_CLASS)
    if name:
        config["tokenizer_class"] = name
    for flag in random.sample(FLAGS, random.choice([0, 1, 1, 2, 4])):
        config[flag] = random.choice([True, False])
    if random.random() < 0.25:
        key = random.choice(NAMED)
        config[key] = random.choice(["<extra>", "word", "<s>", {"__type": "AddedToken", **token(random, "<extra>")}])
    if random.random() < 0.2:
        config[random.choice(["extra_special_tokens", "additional_special_tokens"])] = random.choice([["<think>"], ["<think>", "<extra>"], {"x_token": "<think>"}])
    if random.random() < 0.1:
        config["image_token"] = "</think>"
    place = random.choice(["decoder", "decoder", "file", "map", "none"])
    fresh = random.sample(["<extra>", "<think>", "</think>", "word"], random.choice([1, 2, 3]))
    ids = [size + i + (random.choice([0, 0, 0, 5]) if i else 0) for i in range(len(fresh))]
    if random.random() < 0.9:  # else a token has two ids, which is refused
        ids = [vocabulary.get(text, i) for text, i in zip(fresh, ids)]
    if place == "decoder":
        entries = {str(a["id"]): {k: v for k, v in a.items() if k != "id"} for a in own} if random.random() < 0.8 else {}
        if entries and random.random() < 0.2:
            entries[random.choice(list(entries))]["lstrip"] = True
        for text, i in zip(fresh, ids):
            entries[str(i)] = token(random, text)
        config["added_tokens_decoder"] = entries
    elif place == "file":
        files["added_tokens.json"] = dict(zip(fresh, ids))
    elif place == "map":
        entry = token(random, fresh[0])
        entry.pop("special")
        files["special_tokens_map.json"] = {random.choice(NAMED): entry}
        if random.random() < 0.3:
            files["special_tokens_map.json"]["additional_special_tokens"] = ["<think>"]
    files["tokenizer_config.json"] = config
    if random.random() < 0.6:
        files["config.json"] = {"model_type": random.choice(MODELS[kind])}
    return files


def measure(tokenizer_file, files):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(tokenizer_file, pathlib.Path(folder, "tokenizer.json"))
        for name, value in files.items():
            pathlib.Path(folder, name).write_text(json.dumps(value))
        try:
            hf = AutoTokenizer.from_pretrained(folder)
            return {"class": type(hf).__name__, "size": len(hf), "ids": [" ".join(map(str, hf(t)["input_ids"])) for t in TEXTS]}
        except Exception as problem:  # noqa: BLE001
            return {"error": f"{type(problem).__name__}: {problem}"[:120]}


def draw(random, kind, file, base, count):
    raw = json.loads(pathlib.Path(file).read_text())
    size = max(len(raw["model"]["vocab"]), 1 + max([a["id"] for a in raw["added_tokens"]], default=0))
    vocab = raw["model"]["vocab"]
    vocabulary = vocab if isinstance(vocab, dict) else {piece[0]: i for i, piece in enumerate(vocab)}
    vocabulary = {**vocabulary, **{a["content"]: a["id"] for a in raw["added_tokens"]}}
    cases = []
    for _ in range(count):
        files = vary(random, kind, size, base, raw["added_tokens"], vocabulary)
        cases.append({"files": files, **measure(file, files)})
    return cases


def kind_of(raw):
    if raw["model"].get("type") == "WordPiece":
        return "wordpiece"
    if isinstance(raw["model"]["vocab"], list):
        return "unigram"
    return "bytelevel" if '"ByteLevel"' in json.dumps(raw) else "metaspace"


def main():
    if len(sys.argv) > 3:
        expected = {"texts": TEXTS, "tokenizers": {}}
        for folder in sys.argv[4:]:
            file = pathlib.Path(folder, "tokenizer.json")
            base = json.loads(pathlib.Path(folder, "tokenizer_config.json").read_text())
            base = {k: v for k, v in base.items() if k in NAMED}
            name = pathlib.Path(folder).name
            expected["tokenizers"][name] = draw(random.Random(sys.argv[2] + name), kind_of(json.loads(file.read_text())), file, base, int(sys.argv[3]))
        pathlib.Path(sys.argv[1]).write_text(json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n")
        return
    here = pathlib.Path(__file__).parent / "classes"
    here.mkdir(exist_ok=True)
    expected = {"texts": TEXTS, "tokenizers": {}}
    for make in (wordpiece, bytelevel, metaspace, unigram):
        tokenizer, base = make()
        file = here / f"{make.__name__}.json"
        tokenizer.save(str(file), pretty=False)
        expected["tokenizers"][make.__name__] = draw(random.Random("0" + make.__name__), make.__name__, file, base, 35)
    (here / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n")


main()
