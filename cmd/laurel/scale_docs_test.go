package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestManifestOfScaleDocs: the Job in docs/scale.md is YAML, tells the container as
// many completions as the Job has, and its args are laurel's.
func TestManifestOfScaleDocs(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "scale.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(content), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	var job struct {
		Spec struct {
			CompletionMode string `yaml:"completionMode"`
			Completions    int
			Template       struct {
				Spec struct {
					Containers []struct {
						Args []string
						Env  []struct{ Name, Value string }
					}
				}
			}
		}
	}
	err = yaml.Unmarshal([]byte(block), &job)
	if !ok || err != nil || job.Spec.CompletionMode != "Indexed" || len(job.Spec.Template.Spec.Containers) != 1 {
		t.Fatalf("%v: %+v", err, job)
	}
	container := job.Spec.Template.Spec.Containers[0]
	if len(container.Env) != 1 || container.Env[0].Name != "JOB_COMPLETIONS" || container.Env[0].Value != strconv.Itoa(job.Spec.Completions) {
		t.Errorf("completions %d, environment %v", job.Spec.Completions, container.Env)
	}
	if cmd := scoreCommand(); container.Args[0] != cmd.Name() || cmd.ParseFlags(container.Args[1:]) != nil {
		t.Errorf("args %q", container.Args)
	}
}
