package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// YAMLDocument parses a file that is one YAML document, and gives what it holds;
// nil where it is empty. A second document is an error: it would not be read.
func YAMLDocument(raw []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, PlainYAML(err)
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, fmt.Errorf("line %d: a second YAML document begins here (behind ---), and one is read: put all keys into one, or make two files", second.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, PlainYAML(err)
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	return document.Content[0], nil
}

// PlainYAML drops the library's prefix from its errors.
func PlainYAML(err error) error { return errors.New(strings.TrimPrefix(err.Error(), "yaml: ")) }
