"""Writes wordpiece/ and bpe/: two tokenizers of 300 tokens at most, and what
transformers makes of some texts with them (expected.json).

    pip install transformers==5.23.0 tokenizers==0.23.3
    python make_tokenizer.py

wordpiece/tokenizer.json carries truncation and padding to 8, as many real ones
do; transformers' own arguments override both, and so must we.
"""
import json
import pathlib

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

here = pathlib.Path(__file__).parent
CORPUS = [
    "Human: Could you tell me how to bake a loaf of bread? Assistant: Mix flour, water, salt and yeast.",
    "A reward model scores a response to a prompt: the chosen one should score higher than the rejected one.",
    "The quick brown fox jumps over the lazy dog. It's 10 o'clock; they're late, aren't they?",
    "Thank you! Is there anything else that I can help you with today? No, that is all.",
] * 4
TEXTS = [
    "", " ", "a", "Hello world", "The chosen response scores higher.", "they're late, aren't they?",
    "Café naïve — “quotes” ½ ﬁ", "你好，世界", "tabs\tand\nnewlines\r\n  and   spaces ", "UPPER lower MiXeD",
    "\n\nHuman: Could you tell me how to bake bread?\n\nAssistant: Mix flour, water, salt and yeast.",
    "I ❤️ 👩‍👩‍👧 #1", "unbelievablylongwordthatisnotinthevocabulary" * 4, "[CLS] inside [SEP] <s> text </s>", "\ufffd\u200b\ufeffx",
    "the " * 40,
]
TEMPLATE = ("{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] | trim "
            "+ eos_token }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}")
CHATS = [
    [{"role": "user", "content": "Hello there"}, {"role": "assistant", "content": " It is late. "}],
    [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "bake bread " * 9},
     {"role": "assistant", "content": "Mix flour and water."}],
]


def wordpiece():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    t.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=260, special_tokens=specials, show_progress=False))
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(s, t.token_to_id(s)) for s in ("[CLS]", "[SEP]")])
    t.enable_truncation(8)
    t.enable_padding(length=8, pad_id=0, pad_token="[PAD]")
    return t, {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}, None


def bpe():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    specials = ["<pad>", "<s>", "</s>", "<|user|>", "<|assistant|>", "<|system|>"]
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=300, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    t.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", t.token_to_id("<s>"))])
    return t, {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}, TEMPLATE


def write(name, tokenizer, tokens, template):
    folder = here / name
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    config = {**tokens, "model_max_length": 64, "tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
    if template:
        config["chat_template"] = template
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(
        {key: {"content": value, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False} for key, value in tokens.items()}, indent=1) + "\n")
    hf = AutoTokenizer.from_pretrained(folder)
    cases = []
    for text in TEXTS:
        case = {"text": text, "ids": hf(text)["input_ids"], "ids_no_special": hf(text, add_special_tokens=False)["input_ids"]}
        for side in ("left", "right"):
            hf.truncation_side = side
            case[side] = {str(n): hf(text, truncation=True, max_length=n)["input_ids"] for n in (3, 8, 20)}
        cases.append(case)
    chats = []
    if template:
        for messages in CHATS:
            chats.append({"messages": messages, "text": hf.apply_chat_template(messages, tokenize=False),
                          "ids": hf.apply_chat_template(messages, return_dict=False)})
    expected = {"vocab_size": len(hf), "cases": cases, "chats": chats}
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")
    print(name, len(hf), "tokens")


write("wordpiece", *wordpiece())
write("bpe", *bpe())
