package bench

import (
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"laurel/model"
)

// peaks are the rates of dense matrix products with float32 sums, in TFLOP/s,
// as NVIDIA's data sheets give them: of bfloat16 on the tensor cores, and of
// float32 outside them (laurel has TF32 off). The first name that a device's
// description holds counts.
var peaks = []struct {
	name              string
	bfloat16, float32 float64
}{
	{"B200", 2250, 80}, {"GH200", 989, 67}, {"H200", 989, 67}, {"H100 PCIe", 756, 51}, {"H100 NVL", 835, 60}, {"H100", 989, 67},
	{"A100", 312, 19.5}, {"A10G", 70, 31.2}, {"A10", 125, 31.2}, {"A40", 149.7, 37.4}, {"A6000", 154.8, 38.7},
	{"L40S", 362, 91.6}, {"L40", 181, 90.5}, {"L4", 121, 30.3}, {"RTX 4090", 165.2, 82.6}, {"RTX 3090", 71, 35.6},
}

// findPeak sets the rate that the load's is held to.
func (s *Speed) findPeak(backend model.Backend, given float64) error {
	if given > 0 {
		s.Peak, s.PeakFrom = given, "given"
		return nil
	}
	for _, p := range peaks {
		if strings.Contains(s.Device, p.name) {
			s.Peak, s.PeakFrom = p.float32, "NVIDIA's data sheet"
			if s.DType == "bfloat16" {
				s.Peak = p.bfloat16
			}
			return nil
		}
	}
	dtype, err := model.ParseDType(s.DType)
	if err != nil {
		return err
	}
	rate, err := model.ProductRate(backend, dtype)
	s.Peak, s.PeakFrom = rate/1e12, "measured on products of 1,024 × 1,024"
	return err
}

// deviceName is what the device is called.
func deviceName(choice *model.BackendChoice, backend model.Backend) string {
	if choice.Name == "cuda" {
		if name, ok := nvidia("name"); ok {
			return name
		}
	}
	devices := model.Devices(backend)
	if choice.Name == "go" || len(devices) == 0 {
		return fmt.Sprintf("%d CPUs, pure Go", runtime.NumCPU())
	}
	return fmt.Sprintf("%s, %d CPUs", devices[0].Description, runtime.NumCPU())
}

// usedMemory is the most that was held: a GPU's pool never shrinks, so that
// what is in use at the end is the most it ever was.
func usedMemory(choice *model.BackendChoice) (bytes float64, from string) {
	if choice.Name == "cuda" {
		used, _ := nvidia("memory.used")
		megabytes, err := strconv.ParseFloat(used, 64)
		if err != nil {
			return 0, "not known: nvidia-smi does not say"
		}
		return megabytes * (1 << 20), "nvidia-smi, the whole device"
	}
	bytes, ok := model.ProcessPeak()
	if !ok {
		return 0, "not known on this system"
	}
	return bytes, "the process, at most"
}

// nvidia asks nvidia-smi for a property of the first GPU.
func nvidia(property string) (string, bool) {
	out, err := exec.Command("nvidia-smi", "--query-gpu="+property, "--format=csv,noheader,nounits", "--id=0").Output()
	first, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(first), err == nil
}
