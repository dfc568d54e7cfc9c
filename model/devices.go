package model

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	ml "github.com/gomlx/gomlx/ml/model"
)

// UseDevices makes the model's programs run on the first n devices of a
// backend: each has all weights and works on a part of the rows.
func (m *Model) UseDevices(backend compute.Backend, n int) error {
	if n < 1 {
		return fmt.Errorf("%d devices are asked for, want a number from 1", n)
	}
	if have := int(backend.NumDevices()); n > have {
		return fmt.Errorf("%d devices are asked for, and there are %d", n, have)
	}
	if n == 1 {
		m.mesh = nil
		return nil
	}
	if !ChangedXLA {
		return fmt.Errorf("%d devices are asked for, and this binary was built without the changes to go-xla that they need: build it with make (docs/upstream.md)", n)
	}
	var err error
	m.mesh, err = distributed.NewDeviceMesh([]int{n}, []string{"data"})
	return err
}

// DevicesOf is how many devices "auto" means: every one that is a GPU, where
// this binary can use several, and one of another kind.
func (c *BackendChoice) DevicesOf(backend compute.Backend) int {
	if c.isCUDA() && ChangedXLA {
		return int(backend.NumDevices())
	}
	return 1
}

// NumDevices is how many devices the model's programs run on.
func (m *Model) NumDevices() int {
	if m.mesh == nil {
		return 1
	}
	return m.mesh.NumDevices()
}

// Spread makes a program run on all of the model's devices, one program on each
// (SPMD): its arguments and results then come device by device.
func (m *Model) Spread(exec *ml.Exec) {
	if m.mesh == nil {
		return
	}
	exec.SPMD(m.mesh)
	devices := make([]compute.DeviceNum, m.mesh.NumDevices())
	for i := range devices {
		devices[i] = compute.DeviceNum(i)
	}
	exec.WithDeviceAssignment(devices)
}
