package scoring

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"laurel/data"
	"laurel/model"
)

// Calibration is laurel_calibration.json, which lies beside the weights: the
// temperature T at which σ((reward of one response − of another)/T) is the
// probability that the first is the better one. Rewards do not depend on it.
type Calibration struct {
	Format      int         `json:"format"`
	Temperature float64     `json:"temperature"`
	Interval    [2]*float64 `json:"temperature_interval_95"` // null: no end
	Pairs       int         `json:"pairs"`                   // that it was fitted on
	Prompts     int         `json:"prompts"`
	SHA256      string      `json:"pairs_sha256"` // tells these pairs from others; "" where prompts are unknown
	Data        string      `json:"data"`         // the files they were in
	By          string      `json:"by"`           // the command that fitted it
}

const calibrationFormat = 1

// Write leaves the file in dir.
func (c Calibration) Write(dir string) error {
	c.Format = calibrationFormat
	content, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return data.WriteFile(filepath.Join(dir, model.CalibrationFile), append(content, '\n'))
}

// ReadCalibration is nil where the directory, as Resolve gives it, has none.
func ReadCalibration(dir string) (*Calibration, error) {
	path := filepath.Join(dir, model.CalibrationFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read calibration: %w", err)
	}
	c := &Calibration{}
	switch err := json.Unmarshal(raw, c); {
	case err != nil:
		err = fmt.Errorf("read %s: %w", path, err)
		return nil, err
	case c.Format != calibrationFormat:
		return nil, fmt.Errorf("read %s: format is %d, this laurel reads %d: remove the file, or fit it again with laurel eval --fit-temperature", path, c.Format, calibrationFormat)
	case !(c.Temperature > 0) || math.IsInf(c.Temperature, 1):
		return nil, fmt.Errorf("read %s: temperature is %v, want more than 0: remove the file, or fit it again with laurel eval --fit-temperature", path, c.Temperature)
	}
	return c, nil
}

// copyCalibration keeps the temperature with a copy of the weights.
func copyCalibration(from, to string) error {
	c, err := ReadCalibration(from)
	if c == nil || err != nil {
		return err
	}
	return c.Write(to)
}
