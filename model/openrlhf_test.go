package model

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"laurel/model/safetensors"
)

// savedDrawn is the folder of a drawn model.
func savedDrawn(t *testing.T, name string) (dir string, m *Model) {
	t.Helper()
	m, dir = drawnModel(t, name), t.TempDir()
	if err := m.Save(dir, 0); err != nil {
		t.Fatal(err)
	}
	return dir, m
}

// setKeys changes keys of a folder's config.json.
func setKeys(t *testing.T, dir string, changes map[string]string) {
	t.Helper()
	var keys map[string]json.RawMessage
	path := filepath.Join(dir, "config.json")
	readJSON(t, path, &keys)
	for key, value := range changes {
		keys[key] = json.RawMessage(value)
	}
	raw, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

func scoreOne(t *testing.T, dir string) (float32, *Model, error) {
	t.Helper()
	m, err := Load(dir, 0)
	if err != nil {
		return 0, nil, err
	}
	s, err := NewScorer(pureGo(t), m)
	if err != nil {
		t.Fatal(err)
	}
	rewards, err := s.Score(context.Background(), [][]int32{{5, 6, 7}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rewards[0], m, nil
}

// TestNormalizeReward: OpenRLHF's (r − mean)/std where normalize_reward is
// true, the raw reward where it is not, and no silence about either.
func TestNormalizeReward(t *testing.T) {
	dir, _ := savedDrawn(t, "llama")
	raw, _, err := scoreOne(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	setKeys(t, dir, map[string]string{"mean": "0.25", "std": "2", "normalize_reward": "false"})
	if got, m, err := scoreOne(t, dir); err != nil || got != raw || !strings.Contains(m.Config.Norm.String(), "not applied") {
		t.Errorf("off: %v (%v), want %v", got, err, raw)
	}
	setKeys(t, dir, map[string]string{"normalize_reward": "true"})
	got, m, err := scoreOne(t, dir)
	if want := (raw - 0.25) / 2; err != nil || got != want || !strings.Contains(m.Config.Norm.String(), "mean 0.25 and std 2") {
		t.Errorf("on: %v (%v), want %v", got, err, want)
	}
	if !m.Config.ForgetNorm() || m.Config.Key("std") != nil || m.Config.ForgetNorm() {
		t.Error("the keys are not forgotten")
	}
	for key, value := range map[string]string{"std": "0", "mean": `"a"`, "normalize_reward": "7"} {
		setKeys(t, dir, map[string]string{"mean": "0.25", "std": "2", "normalize_reward": "true"})
		setKeys(t, dir, map[string]string{key: value})
		if _, _, err := scoreOne(t, dir); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("key %q", key)) {
			t.Errorf("%s %s: error %v", key, value, err)
		}
	}
	setKeys(t, dir, map[string]string{"mean": "0.25", "std": "null", "normalize_reward": "true"})
	if _, _, err := scoreOne(t, dir); err == nil || !strings.Contains(err.Error(), "only one of mean and std") {
		t.Errorf("mean alone: error %v", err)
	}
}

// TestValueHeadPrefix: a decoder's head is read under the name that the config
// gives it, and refused where it is not there.
func TestValueHeadPrefix(t *testing.T) {
	dir, _ := savedDrawn(t, "qwen2")
	want, _, err := scoreOne(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	setKeys(t, dir, map[string]string{"value_head_prefix": `"value_head"`})
	if _, _, err := scoreOne(t, dir); err == nil || !strings.Contains(err.Error(), `key "value_head_prefix" names the head value_head.weight`) {
		t.Errorf("head elsewhere: error %v", err)
	}
	changeTensors(t, dir, func(all []safetensors.Source) []safetensors.Source {
		for i := range all {
			if all[i].Name == "score.weight" {
				all[i].Name = "value_head.weight"
			}
		}
		return all
	})
	got, m, err := scoreOne(t, dir)
	if err != nil || got != want {
		t.Fatalf("reward %v (%v), want %v", got, err, want)
	}
	out := t.TempDir()
	if err := m.Save(out, 0); err != nil {
		t.Fatal(err)
	}
	if again, m, err := scoreOne(t, out); err != nil || again != want || m.Config.Key("value_head_prefix") != nil {
		t.Errorf("exported: reward %v (%v), want %v", again, err, want)
	}
	if !m.Config.OfferNorm(0.5, 2) {
		t.Fatal("a decoder is not offered to OpenRLHF")
	}
	offered := t.TempDir()
	if err := m.Save(offered, 0); err != nil {
		t.Fatal(err)
	}
	again, m, err := scoreOne(t, offered)
	if err != nil || again != want || string(m.Config.Key("value_head_prefix")) != `"score"` || m.Config.Norm != (Norm{Mean: 0.5, Std: 2, Given: true}) {
		t.Errorf("offered: reward %v (%v), want %v; %+v", again, err, want, m.Config.Norm)
	}
	bert, _ := savedDrawn(t, "bert")
	setKeys(t, bert, map[string]string{"value_head_prefix": `"score"`})
	if _, _, err := scoreOne(t, bert); err == nil || !strings.Contains(err.Error(), "on decoders only") {
		t.Errorf("an encoder: error %v", err)
	}
}

// TestBuffers: what older versions saved beside the weights is listed and
// changes nothing.
func TestBuffers(t *testing.T) {
	for family, names := range map[string][]string{
		"llama":      {"model.layers.0.self_attn.rotary_emb.inv_freq", "model.layers.1.self_attn.rotary_emb.cos_cached", "model.rotary_emb.inv_freq"},
		"bert":       {"bert.embeddings.position_ids", "bert.embeddings.token_type_ids"},
		"distilbert": {"distilbert.embeddings.position_ids"},
		"modernbert": {"model.layers.0.attn.rotary_emb.inv_freq"},
		"gemma3":     {"model.rotary_emb_local.inv_freq", "model.layers.0.self_attn.masked_bias", "model.layers.0.attn.bias"},
	} {
		dir, _ := savedDrawn(t, family)
		want, _, err := scoreOne(t, dir)
		if err != nil {
			t.Fatal(err)
		}
		changeTensors(t, dir, func(all []safetensors.Source) []safetensors.Source {
			for _, name := range names {
				all = append(all, safetensors.Source{Name: name, DType: "F32", Shape: []int{2}, Float32: func() ([]float32, error) { return []float32{1, 2}, nil }})
			}
			return all
		})
		got, m, err := scoreOne(t, dir)
		slices.Sort(names)
		if err != nil || got != want || !slices.Equal(m.Loaded.Buffers, names) {
			t.Errorf("%s: reward %v (%v), want %v; buffers %v", family, got, err, want, m)
		}
	}
}
