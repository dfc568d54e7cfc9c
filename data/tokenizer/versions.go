package tokenizer

import (
	"encoding/json"
	"fmt"
	"slices"
)

// otherVersions tells of settings that transformers 4 heeded and transformers
// 5 does not, where they would give other ids: a model may have been trained
// with either.
func (t *Tokenizer) otherVersions(d *definition) (notes []string) {
	for _, end := range []struct {
		setting, token string
		ids            []int32
	}{{"add_bos_token", "bos_token", t.prefix}, {"add_eos_token", "eos_token", t.suffix}} {
		asked, said := t.said(end.setting)
		id, has := t.specialID(end.token)
		if said && has && asked != slices.Contains(end.ids, id) {
			notes = append(notes, fmt.Sprintf("tokenizer_config.json says %s: %v, which transformers 5 does not heed beside tokenizer.json, and 4 does for some classes: texts are encoded as 5 does it",
				end.setting, asked))
		}
	}
	if _, own := pipelines[t.settings.class]; own {
		return notes
	}
	var pre struct {
		Space *bool `json:"add_prefix_space"`
	}
	if json.Unmarshal(d.keys["pre_tokenizer"], &pre) == nil && pre.Space != nil {
		if asked, said := t.said("add_prefix_space"); said && asked != *pre.Space {
			notes = append(notes, fmt.Sprintf("tokenizer_config.json says add_prefix_space: %v, tokenizer.json %v: transformers 5 heeds tokenizer.json, as is done here, and 4 the other", asked, *pre.Space))
		}
	}
	return notes
}

// said is a setting of tokenizer_config.json that is true or false.
func (t *Tokenizer) said(name string) (value, said bool) {
	raw := string(t.settings.values.values[name])
	return raw == "true", raw == "true" || raw == "false"
}
