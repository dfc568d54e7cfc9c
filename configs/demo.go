package configs

import "embed"

// DemoEncoder is the config and tokenizer of the demo's small encoder, under
// demo-encoder/.
//
//go:embed demo-encoder/config.json demo-encoder/tokenizer.json demo-encoder/tokenizer_config.json demo-encoder/special_tokens_map.json
var DemoEncoder embed.FS
