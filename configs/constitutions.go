package configs

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"laurel/feedback"
)

//go:embed constitutions/*.yaml
var shipped embed.FS

// Constitution reads a constitution: one that is shipped, by its name, or a
// YAML or JSON file, by its path.
func Constitution(nameOrPath string) (*feedback.Constitution, error) {
	raw, err := shipped.ReadFile("constitutions/" + nameOrPath + ".yaml")
	if err == nil {
		c, err := feedback.ParseConstitution(raw)
		if err != nil {
			return nil, fmt.Errorf("constitution %s: %w", nameOrPath, err)
		}
		return c, nil
	}
	c, err := feedback.ReadConstitution(nameOrPath)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("constitution %s: there is no such file, and no shipped constitution of that name (%s)", nameOrPath, strings.Join(ConstitutionNames(), ", "))
	}
	return c, err
}

// ConstitutionNames lists the shipped constitutions.
func ConstitutionNames() []string {
	entries, err := fs.ReadDir(shipped, "constitutions")
	if err != nil {
		return nil // the folder is embedded
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".yaml"))
	}
	return names
}
