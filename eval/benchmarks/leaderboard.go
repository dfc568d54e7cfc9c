package benchmarks

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"

	"laurel/data"
)

// Leaderboard is what RewardBench's files say beside the scores.
type Leaderboard struct {
	Model        string // as the leaderboard names it: ORG/NAME
	Tokenizer    string // where it was read from
	ChatTemplate string
	// Texts are the responses of every item as they were tokenized.
	Texts func(i, response int) string
}

const modelType = "Seq. Classifier"

// WriteLeaderboard writes the files that RewardBench's scripts write, below dir, and
// gives their paths: none for a benchmark without such files, and none for a partial
// one, whose scores are not the leaderboard's.
//
//	eval-set/MODEL.json, pref-sets/MODEL.json          accuracy by subset
//	eval-set-scores/MODEL.json, pref-sets-scores/…     a dict of columns
//	MODEL.json                                         the command rewardbench's
func (s *Set) WriteLeaderboard(dir string, r *Result, scores Scores, l Leaderboard) ([]string, error) {
	if len(r.Partial) > 0 || scores.Rewards == nil {
		return nil, nil
	}
	l.Model = strings.Trim(filepath.ToSlash(filepath.Clean(l.Model)), "./")
	files := map[string]any{}
	switch s.Name {
	case "rewardbench":
		s.pairFiles(files, "eval-set", false, scores, l)
		s.pairFiles(files, "pref-sets", true, scores, l)
		files[l.Model] = s.commandFile(scores, l)
	case "rewardbench2":
		files["eval-set/"+l.Model] = l.subsets(r.Sections)
		files["eval-set-scores/"+l.Model] = s.choiceColumns(scores, l)
	}
	var written []string
	for _, name := range sortedKeys(files) {
		path := filepath.Join(dir, filepath.FromSlash(name)+".json")
		if err := writeIndented(path, files[name]); err != nil {
			return written, err
		}
		written = append(written, path)
	}
	return written, nil
}

// writeIndented is json.dumps(value, indent=4, sort_keys=True).
func writeIndented(path string, value any) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return data.WriteAside(path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "    ")
		return encoder.Encode(value) // a map, whose keys are sorted
	})
}

// subsets are the scores of subsets beside the three names.
func (l Leaderboard) subsets(sections []Section) map[string]any {
	out := map[string]any{"model": l.Model, "model_type": modelType, "chat_template": l.ChatTemplate}
	for _, s := range sections {
		out[s.Name] = s.Score
	}
	return out
}

// pairFiles are those of run_rm.py, of the eval set or of the prior sets.
func (s *Set) pairFiles(files map[string]any, folder string, prior bool, scores Scores, l Leaderboard) {
	columns := map[string][]any{}
	right := map[string][]float64{}
	for i := range s.Items {
		it := &s.Items[i]
		if isPrior(it.Subset) != prior {
			continue
		}
		won := scores.outcomes(i, it)[0]
		right[it.Subset] = append(right[it.Subset], won)
		for name, value := range map[string]any{"text_chosen": l.Texts(i, 0), "text_rejected": l.Texts(i, 1), "scores_chosen": scores.Rewards[i][0],
			"scores_rejected": scores.Rewards[i][1], "results": int(won), "subset": it.Subset, "id": jsonID(it.ID)} {
			columns[name] = append(columns[name], value)
		}
	}
	if len(right) == 0 {
		return
	}
	var sections []Section
	for _, name := range sortedKeys(right) {
		sections = append(sections, sectionOf(name, ones(right[name])))
	}
	files[folder+"/"+l.Model] = l.subsets(sections)
	files[folder+"-scores/"+l.Model] = l.columns(columns)
}

func ones(x []float64) (units []unit) {
	for _, v := range x {
		units = append(units, unit{0, v, 1})
	}
	return units
}

// columns is a dict of columns, with the three names beside them.
func (l Leaderboard) columns(columns map[string][]any) map[string]any {
	out := map[string]any{"model": l.Model, "model_type": modelType, "chat_template": l.ChatTemplate}
	for name, column := range columns {
		out[name] = column
	}
	return out
}

// jsonID is an id as the data set has it: a number where it is one.
func jsonID(id string) any {
	if number := json.Number(id); json.Valid([]byte(id)) && number != "" && strings.Trim(id, "0123456789") == "" {
		return number
	}
	return id
}

// commandFile is what the command rewardbench writes, of the eval set.
func (s *Set) commandFile(scores Scores, l Leaderboard) map[string]any {
	var sum, n float64
	right := map[string][]float64{}
	for i := range s.Items {
		if it := &s.Items[i]; !isPrior(it.Subset) {
			won := scores.outcomes(i, it)[0]
			right[it.Subset] = append(right[it.Subset], won)
			sum, n = sum+won, n+1
		}
	}
	extra := map[string]float64{}
	for subset, x := range right {
		extra[subset] = average(x)
	}
	return map[string]any{"accuracy": sum / n, "num_prompts": int(n), "model": l.Model, "ref_model": nil, "tokenizer": l.Tokenizer, "chat_template": l.ChatTemplate, "extra_results": extra}
}

// choiceColumns are run_v2.py's: a row has the texts and scores of all responses.
// results is null in Ties, whose score is of the subset as a whole.
func (s *Set) choiceColumns(scores Scores, l Leaderboard) map[string]any {
	columns := map[string][]any{}
	for i := range s.Items {
		it := &s.Items[i]
		var texts []string
		correct := 0
		for k := range it.Responses {
			texts = append(texts, l.Texts(i, k))
			if it.Right[k] {
				correct++
			}
		}
		var result any
		if it.Subset != tiesSubset {
			result = bestOfRule(scores.Rewards[i])
		}
		for name, value := range map[string]any{"text": texts, "scores": scores.Rewards[i], "results": result, "subset": it.Subset, "id": it.ID, "num_correct": correct} {
			columns[name] = append(columns[name], value)
		}
	}
	return l.columns(columns)
}
