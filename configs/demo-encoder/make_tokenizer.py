"""Trains the demo encoder's WordPiece tokenizer on the demo's train split.

Run from the repository root; writes the tokenizer files beside this script and
sets vocab_size in config.json. Made with Python 3.11, tokenizers 0.23.3; equal
data gives equal files:

    pip install tokenizers==0.23.3
    python configs/demo-encoder/make_tokenizer.py
"""

import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]  # ids 0 to 4
VOCAB_SIZE = 4096  # at most
MAX_LENGTH = 256  # positions of the encoder
ALPHABET = [chr(c) for c in range(33, 127) if not chr(c).isupper()]
INSIDE = 0xE000  # private characters: chr(INSIDE + c) is c inside a word, "##c"

here = Path(__file__).resolve().parent
train = here.parent.parent / "data" / "demo" / "train.jsonl"
normalizer = normalizers.BertNormalizer(lowercase=True)
pre_tokenizer = pre_tokenizers.BertPreTokenizer()


def marked_texts():
    """The train split's words, every character after the first marked."""
    for line in train.read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        for text in (pair["prompt"], pair["chosen"], pair["rejected"]):
            words = [w for w, _ in pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(text))]
            yield " ".join(w[0] + "".join(chr(INSIDE + ord(c)) for c in w[1:]) for w in words)


def train_vocab():
    """Piece to id. WordPieceTrainer is BPE on such marked words, but numbers
    its "##" letters in the random order of a hash map, which decides ties; an
    alphabet given in full makes training repeatable, and keeps ASCII text from
    outside the demo from turning to [UNK]."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    inside = [chr(INSIDE + ord(c)) for c in ALPHABET if c.isalnum()]
    bpe.train_from_iterator(marked_texts(), trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE, min_frequency=2, special_tokens=SPECIAL,
        initial_alphabet=ALPHABET + inside, show_progress=False))
    return {plain(piece): i for piece, i in sorted(bpe.get_vocab().items(), key=lambda item: item[1])}


def plain(piece):
    prefix = "##" if ord(piece[0]) >= INSIDE else ""
    return prefix + "".join(chr(ord(c) - INSIDE) if ord(c) >= INSIDE else c for c in piece)


def wordpiece(vocab):
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocab["[CLS]"]), ("[SEP]", vocab["[SEP]"])])
    return tokenizer


def write_json(name, value):
    (here / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def main():
    vocab = train_vocab()
    wordpiece(vocab).save(str(here / "tokenizer.json"), pretty=True)
    (here / "vocab.txt").write_text("".join(f"{piece}\n" for piece in vocab), encoding="utf-8")
    names = {"cls_token": "[CLS]", "mask_token": "[MASK]", "pad_token": "[PAD]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    write_json("special_tokens_map.json", names)
    write_json("tokenizer_config.json", {
        **names, "clean_up_tokenization_spaces": False, "do_lower_case": True, "model_max_length": MAX_LENGTH,
        "padding_side": "right", "strip_accents": None, "tokenize_chinese_chars": True, "tokenizer_class": "BertTokenizer"})
    config = json.loads((here / "config.json").read_text(encoding="utf-8"))
    config["vocab_size"] = len(vocab)
    write_json("config.json", config)
    print(f"{len(vocab)} pieces")


if __name__ == "__main__":
    main()
