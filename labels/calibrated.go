package labels

import (
	"fmt"

	"laurel/data"
)

// UncalibratedColumn keeps the confidence that a label had before its
// calibration.
const UncalibratedColumn = "confidence_uncalibrated"

// WriteCalibrated copies a Parquet file of pairs with every confidence
// replaced, the old one kept as confidence_uncalibrated. The file's metadata
// say by which method, under laurel.calibration.
func WriteCalibrated(out, in string, calibrate func(float64) float64, method string) error {
	calibrated := func(old float64) (float64, error) {
		p := calibrate(old)
		if !(p >= 0 && p <= 1) {
			return 0, fmt.Errorf("confidence %v becomes %v", old, p)
		}
		return p, nil
	}
	return data.ReplaceColumn(out, in, data.Replacement{Column: "confidence", KeptAs: UncalibratedColumn, By: calibrated,
		Missing: "give the pairs that laurel label writes", Again: "calibrate the labels themselves, not calibrated ones",
		Metadata: [2]string{"laurel.calibration", method}})
}
