package loop

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"laurel/data"
	"laurel/feedback"
)

// hashed begins a value that stands for a longer one.
const hashed = "sha256:"

// longestShown is how long a value may be that an Inputs holds as it is.
const longestShown = 60

// Add takes in a value; a long one by its hash.
func (in Inputs) Add(name, value string) {
	if len(value) > longestShown {
		sum := sha256.Sum256([]byte(value))
		value = hashed + hex.EncodeToString(sum[:])
	}
	in[name] = value
}

// AddFile takes in a file by its content.
func (in Inputs) AddFile(name, path string) error {
	sum, err := data.SHA256(path)
	if err == nil {
		in[name] = hashed + sum
	}
	return err
}

// AddJSON takes in what a value is as JSON.
func (in Inputs) AddJSON(name string, value any) error {
	raw, err := json.Marshal(value)
	if err == nil {
		sum := sha256.Sum256(raw)
		in[name] = hashed + hex.EncodeToString(sum[:])
	}
	return err
}

// AddConstitution takes in each principle by its name.
func (in Inputs) AddConstitution(c *feedback.Constitution) error {
	for _, p := range c.Principles {
		if err := in.AddJSON("principle "+p.Name, p); err != nil {
			return err
		}
	}
	return nil
}

// Digest stands for all of the inputs.
func (in Inputs) Digest() string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(in)) {
		fmt.Fprintf(sum, "%q %q\n", name, in[name])
	}
	return hashed + hex.EncodeToString(sum.Sum(nil))
}
