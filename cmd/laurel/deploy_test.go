package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestDeployment: the flags of the shipped manifest are the command's, and its probes
// ask what needs no token.
func TestDeployment(t *testing.T) {
	file, err := os.Open(filepath.Join("..", "..", "deploy", "serve.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	type probe struct {
		HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
	}
	type container struct {
		Args           []string
		Ports          []struct{ Name string }
		StartupProbe   probe `yaml:"startupProbe"`
		ReadinessProbe probe `yaml:"readinessProbe"`
		LivenessProbe  probe `yaml:"livenessProbe"`
	}
	containers := 0
	for documents := yaml.NewDecoder(file); ; {
		var object struct {
			Kind string
			Spec struct {
				Template struct {
					Spec struct{ Containers []container }
				}
			}
		}
		if err := documents.Decode(&object); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, c := range object.Spec.Template.Spec.Containers {
			containers++
			cmd := serveCommand()
			if err := cmd.ParseFlags(c.Args[1:]); err != nil || c.Args[0] != cmd.Name() {
				t.Errorf("%q: %v", c.Args, err)
			}
			for _, p := range []probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
				if path := p.HTTPGet.Path; path != "/ready" && path != "/health" || p.HTTPGet.Port != c.Ports[0].Name {
					t.Errorf("a probe asks %s on port %s", path, p.HTTPGet.Port)
				}
			}
		}
	}
	if containers != 1 {
		t.Errorf("%d containers", containers)
	}
}
