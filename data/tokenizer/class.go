package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// backend is the class of transformers that takes tokenizer.json as it is.
const backend = "TokenizersBackend"

// The classes that transformers 5 chooses by config.json's model_type where no
// file names one. Others take tokenizer.json as it is.
var classOfModel = map[string]string{
	"bert": "BertTokenizer", "distilbert": "BertTokenizer", "electra": "BertTokenizer",
	"roberta": "RobertaTokenizer", "xlm-roberta": "XLMRobertaTokenizer", "deberta-v2": "DebertaV2Tokenizer",
	"qwen2": "Qwen2Tokenizer", "qwen3": "Qwen2Tokenizer",
	"gemma2": "GemmaTokenizer", "gemma3": "GemmaTokenizer", "gemma3_text": "GemmaTokenizer",
}

// Models for which transformers does not believe the class that the files
// name, and the class that it takes.
var classDespiteFiles = map[string]string{"modernbert": backend, "mistral": backend, "qwen2": "Qwen2Tokenizer"}

// classAliases are names of classes that share another's pipeline.
var classAliases = map[string]string{
	"DistilBertTokenizer": "BertTokenizer", "ElectraTokenizer": "BertTokenizer", "MobileBertTokenizer": "BertTokenizer",
	"SqueezeBertTokenizer": "BertTokenizer", "ConvBertTokenizer": "BertTokenizer",
	"BartTokenizer": "RobertaTokenizer", "LongformerTokenizer": "RobertaTokenizer", "LEDTokenizer": "RobertaTokenizer",
	"PreTrainedTokenizer": backend, "PythonBackend": backend,
}

// Classes of transformers 5 that build a pipeline of their own, or none of the
// tokenizers library, and are not followed here.
var otherClasses = strings.Fields(`AlbertTokenizer BarthezTokenizer BartphoTokenizer BertGenerationTokenizer
BertJapaneseTokenizer BertTokenizerLegacy BertweetTokenizer BigBirdTokenizer BioGptTokenizer BlenderbotSmallTokenizer
BlenderbotTokenizer ByT5Tokenizer CLIPTokenizer CTRLTokenizer CamembertTokenizer CanineTokenizer CodeGenTokenizer
CodeLlamaTokenizer CohereTokenizer CpmAntTokenizer CpmTokenizer DebertaTokenizer EsmTokenizer EsmcTokenizer
FNetTokenizer FSMTTokenizer FlaubertTokenizer FunnelTokenizer GPTNeoXJapaneseTokenizer GPTNeoXTokenizer GPTSw3Tokenizer
HerbertTokenizer LasrTokenizer LayoutLMv2Tokenizer LayoutLMv3Tokenizer LayoutXLMTokenizer LukeTokenizer M2M100Tokenizer
MBart50Tokenizer MBartTokenizer MLukeTokenizer MPNetTokenizer MarianTokenizer MarkupLMTokenizer MyT5Tokenizer
NllbTokenizer NougatTokenizer OpenAIGPTTokenizer PLBartTokenizer PegasusTokenizer PerceiverTokenizer PhobertTokenizer
ProphetNetTokenizer Qwen3_5Tokenizer ReformerTokenizer RemBertTokenizer RoCBertTokenizer RoFormerTokenizer
SeamlessM4TTokenizer Siglip2Tokenizer SiglipTokenizer SplinterTokenizer T5Tokenizer TapasTokenizer UdopTokenizer
WhisperTokenizer XGLMTokenizer XLMTokenizer XLNetTokenizer`)

// settleClass finds the class that AutoTokenizer of transformers 5.23 loads
// the directory with: it decides whether tokenizer.json's own pipeline is
// used, or one that the class builds from the settings.
func (s *settings) settleClass(dir, config string, d *definition) error {
	model, err := readObject(config)
	if err != nil {
		return err
	}
	modelType := textOf(model.values["model_type"])
	named := textOf(s.values.values["tokenizer_class"])
	if named == "" {
		named = textOf(model.values["tokenizer_class"])
	}
	s.saidClass = named
	s.chooseClass(named, modelType, d)
	for _, other := range otherClasses {
		if s.class == other {
			return fmt.Errorf("read tokenizer %s: tokenizer_class %s builds a pipeline of its own in transformers, which is not supported here: "+
				"load and save it with transformers 5, then set tokenizer_class in tokenizer_config.json to %s", dir, named, backend)
		}
	}
	return nil
}

// chooseClass applies the rules of AutoTokenizer.from_pretrained.
func (s *settings) chooseClass(named, modelType string, d *definition) {
	class := strings.TrimSuffix(named, "Fast")
	switch despite, ok := classDespiteFiles[modelType]; {
	case ok:
		class = despite
	case class == "LlamaTokenizer" && d.byteLevel():
		class = backend
	case class == "":
		class = classOfModel[modelType]
	}
	if alias, ok := classAliases[class]; ok {
		class = alias
	}
	s.class = class
}

func textOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}

// byteLevel tells whether tokenizer.json says "ByteLevel" anywhere.
func (d *definition) byteLevel() bool {
	for _, raw := range d.keys {
		if bytes.Contains(raw, []byte(`"ByteLevel"`)) {
			return true
		}
	}
	return false
}
