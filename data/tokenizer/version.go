package tokenizer

// const char *tokenizers_version();
import "C"

// LibraryVersion is that of the Rust tokenizers library that is linked in.
func LibraryVersion() string {
	return "daulet/tokenizers " + C.GoString(C.tokenizers_version())
}
