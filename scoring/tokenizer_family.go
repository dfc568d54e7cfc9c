package scoring

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"laurel/data/tokenizer"
	"laurel/model"
)

// The kinds of tokenizer that tokenizer.json tells apart.
const (
	wordPiece     = "WordPiece"
	unigram       = "Unigram"
	byteLevelBPE  = "byte-level BPE"
	sentencePiece = "SentencePiece BPE" // with bytes for what has no token
)

// tokenizerKinds are those that a family's published models have, by model_type.
var tokenizerKinds = map[string][]string{
	"bert":        {wordPiece},
	"distilbert":  {wordPiece},
	"electra":     {wordPiece},
	"roberta":     {byteLevelBPE},
	"xlm-roberta": {unigram},
	"modernbert":  {byteLevelBPE},
	"deberta-v2":  {unigram},
	"llama":       {byteLevelBPE, sentencePiece, unigram},
	"mistral":     {byteLevelBPE, sentencePiece},
	"qwen2":       {byteLevelBPE},
	"qwen3":       {byteLevelBPE},
	"gemma2":      {sentencePiece},
	"gemma3_text": {sentencePiece},
}

// classKinds are the kinds of transformers' classes of tokenizers, by their names
// without Fast. config.json may name one, and does where the model's is not of its
// family (microsoft/Multilingual-MiniLM-L12-H384, intfloat/multilingual-e5-small:
// BERT with XLMRobertaTokenizer).
var classKinds = map[string]string{
	"BertTokenizer":       wordPiece,
	"DistilBertTokenizer": wordPiece,
	"ElectraTokenizer":    wordPiece,
	"RobertaTokenizer":    byteLevelBPE,
	"GPT2Tokenizer":       byteLevelBPE,
	"Qwen2Tokenizer":      byteLevelBPE,
	"XLMRobertaTokenizer": unigram,
	"CamembertTokenizer":  unigram,
	"AlbertTokenizer":     unigram,
	"T5Tokenizer":         unigram,
	"DebertaV2Tokenizer":  unigram,
	"GemmaTokenizer":      sentencePiece,
}

// usualKinds are the kinds of tokenizer that a model's may be, of the class that
// config.json names, or of its family.
func usualKinds(c *model.Config) (kinds []string, class string) {
	if err := json.Unmarshal(c.Key("tokenizer_class"), &class); err == nil {
		if kind := classKinds[strings.TrimSuffix(class, "Fast")]; kind != "" {
			return []string{kind}, class
		}
	}
	return tokenizerKinds[c.ModelType], ""
}

// isMultilingual tells a vocabulary of many languages that fits the embeddings.
// Encoders were given one whatever their family has, and do not all say so:
// XLM-RoBERTa's 250,002 tokens lie under BERT's 250,037 embeddings in the sentence
// encoders made from Multilingual MiniLM, Gemma's 256,000 under mmBERT.
func isMultilingual(tokens, rows int) bool {
	return tokens >= 200_000 && tokens <= rows && rows < tokens+64
}

// DoubtTokenizer tells by what the tokenizer seems to be of another family than
// the model, "" where nothing speaks for it: by its kind, by special tokens
// that config.json puts at ids which are ordinary or other tokens' there, or by
// a vocabulary far from the embedding table's size. Nothing of it is certain:
// it is a reason to warn.
func DoubtTokenizer(m *model.Model, t *tokenizer.Tokenizer) string {
	kind := kindOf(t)
	usual, class := usualKinds(m.Config)
	borrowed := class != "" && slices.Contains(usual, kind) || !m.Causal() && isMultilingual(t.VocabSize(), m.VocabSize())
	var doubts []string
	switch unusual := kind != "" && len(usual) > 0 && !slices.Contains(usual, kind) && !borrowed; {
	case unusual && class != "":
		doubts = append(doubts, fmt.Sprintf("it is a %s, config.json's tokenizer_class is %s", kind, class))
	case unusual:
		doubts = append(doubts, fmt.Sprintf("it is a %s, %s models have a %s", kind, m.Config.ModelType, strings.Join(usual, " or a ")))
	}
	for _, doubt := range []string{doubtIDs(m, t, borrowed), doubtMask(m, t), doubtSize(m, t)} {
		if doubt != "" {
			doubts = append(doubts, doubt)
		}
	}
	return strings.Join(doubts, "; ")
}

// kindOf reads a tokenizer's kind, "" where its file does not tell.
func kindOf(t *tokenizer.Tokenizer) string {
	raw, err := os.ReadFile(filepath.Join(t.Dir(), "tokenizer.json"))
	if err != nil {
		return "" // Open has read it
	}
	var file struct {
		Model struct {
			Type         string `json:"type"`
			ByteFallback bool   `json:"byte_fallback"`
		} `json:"model"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return ""
	}
	switch kind := file.Model.Type; {
	case kind == "BPE" && file.Model.ByteFallback:
		return sentencePiece
	case kind == "BPE":
		return byteLevelBPE
	case kind == wordPiece, kind == unigram:
		return kind
	}
	return ""
}

// doubtIDs compares the special tokens of config.json with the tokenizer's. The
// end of a sequence is left out: a chat model's is often another than its
// base's. So is the padding of what laurel trained, which may have been given a
// token of its own, and of encoders with a borrowed tokenizer, which keep their
// family's (Multilingual MiniLM: 0 in config.json, 1 in its tokenizer).
func doubtIDs(m *model.Model, t *tokenizer.Tokenizer, borrowed bool) string {
	type named func() (int32, bool)
	for _, token := range []struct {
		key string
		own named
	}{{"bos_token_id", t.BOSID}, {"cls_token_id", t.CLSID}, {"sep_token_id", t.SEPID}, {"pad_token_id", t.PadID}} {
		var id *int32
		if json.Unmarshal(m.Config.Key(token.key), &id) != nil || id == nil || *id < 0 {
			continue
		}
		own, names := token.own()
		switch _, special := t.TokenText(*id); {
		case !special && token.key != "pad_token_id":
			return fmt.Sprintf("config.json's %s %d is an ordinary token in it", token.key, *id)
		case names && own != *id && (token.key != "pad_token_id" || m.Config.Recorded.MaxLength == 0 && !borrowed):
			return fmt.Sprintf("config.json's %s is %d, its own %d", token.key, *id, own)
		}
	}
	return ""
}

// doubtMask: encoders were trained to fill in a mask, decoders were not.
func doubtMask(m *model.Model, t *tokenizer.Tokenizer) string {
	_, mask := t.MaskID()
	_, cls := t.CLSID()
	_, bos := t.BOSID()
	switch {
	case m.Causal() && mask:
		return "it has a mask token, as encoders have, and the model is a decoder"
	case !m.Causal() && bos && !cls && !mask:
		return "it has neither mask nor CLS token, and the model is an encoder"
	}
	return ""
}

// doubtSize: a few tokens more than embeddings, or fewer, are usual; a tenth is
// not.
func doubtSize(m *model.Model, t *tokenizer.Tokenizer) string {
	tokens, rows := t.VocabSize(), m.VocabSize()
	if 10*tokens < 9*rows || 10*rows < 9*tokens {
		return fmt.Sprintf("it has %d tokens, the model %d embeddings", tokens, rows)
	}
	return ""
}

// tellDoubt warns of a tokenizer of another family.
func (o Options) tellDoubt(m *model.Model, t *tokenizer.Tokenizer) {
	if doubt := DoubtTokenizer(m, t); doubt != "" {
		o.notice("warning: the tokenizer in %s may be another model's: %s", t.Dir(), doubt)
	}
}

// BeyondEmbeddings counts the tokens that the tokenizer has and the model has no
// embedding for, and names one of them where its text is known.
func BeyondEmbeddings(m *model.Model, t *tokenizer.Tokenizer) (n int, example string) {
	n = max(0, t.VocabSize()-m.VocabSize())
	for id := m.VocabSize(); id < t.VocabSize(); id++ {
		if text, ok := t.TokenText(int32(id)); ok {
			return n, text
		}
	}
	return n, ""
}
