package draw

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"laurel/data"
)

// drawing is one chart as SVG under its file name.
type drawing struct {
	name, title, alt string
	svg              []byte
}

// Write draws charts into dir.
func Write(dir string, charts []NamedChart) ([]string, error) {
	drawings, err := drawCharts(charts)
	if err != nil {
		return nil, err
	}
	paths := []string{}
	for _, d := range drawings {
		path := filepath.Join(dir, d.name)
		if err := WriteFile(path, d.svg); err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// WriteJSON writes a report as JSON, aside first, then renamed.
func WriteJSON(path string, report any) error {
	raw, err := json.MarshalIndent(report, "", " ")
	if err != nil {
		return fmt.Errorf("write report %s: %w", path, err)
	}
	return WriteFile(path, append(raw, '\n'))
}

// NamedChart is a chart with the file it goes to.
type NamedChart struct {
	Name string
	*Chart
}

func drawCharts(charts []NamedChart) ([]drawing, error) {
	out := make([]drawing, len(charts))
	for i, c := range charts {
		svg, err := c.svg()
		if err != nil {
			return nil, err
		}
		out[i] = drawing{c.Name, c.title, c.alt(), svg}
	}
	return out, nil
}

// WriteFile makes the folder where it is missing.
func WriteFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return data.WriteFile(path, content)
}
