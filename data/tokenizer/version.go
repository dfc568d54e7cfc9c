package tokenizer

// const char *tokenizers_version();
import "C"

// LibraryVersion is that of the Rust library that is linked in, by its own name:
// the Go module github.com/daulet/tokenizers that it comes with has another number.
func LibraryVersion() string {
	return "tokenizers-ffi " + C.GoString(C.tokenizers_version())
}
