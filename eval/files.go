package eval

import (
	"fmt"
	"laurel/data"
	"os"
	"path/filepath"
)

// drawing is one chart as SVG under its file name.
type drawing struct {
	name, title string
	svg         []byte
}

// writeDrawings draws charts into dir.
func writeDrawings(dir string, charts []namedChart) ([]string, error) {
	drawings, err := drawCharts(charts)
	if err != nil {
		return nil, err
	}
	paths := []string{}
	for _, d := range drawings {
		path := filepath.Join(dir, d.name)
		if err := writeFile(path, d.svg); err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// namedChart is a chart with the file it goes to.
type namedChart struct {
	name string
	*chart
}

func drawCharts(charts []namedChart) ([]drawing, error) {
	out := make([]drawing, len(charts))
	for i, c := range charts {
		svg, err := c.svg()
		if err != nil {
			return nil, err
		}
		out[i] = drawing{c.name, c.title, svg}
	}
	return out, nil
}

// writeFile makes the folder where it is missing.
func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return data.WriteFile(path, content)
}
