package report

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"laurel/eval"
	"laurel/eval/stats"
)

// modelIndex is Hugging Face's, of a model card's header: what
// huggingface_hub.eval_results_to_model_index writes.
type modelIndex struct {
	Index []indexed `yaml:"model-index"`
}

type indexed struct {
	Name    string   `yaml:"name"`
	Results []result `yaml:"results"`
}

type result struct {
	Task    named    `yaml:"task"`
	Dataset named    `yaml:"dataset"`
	Metrics []metric `yaml:"metrics"`
}

type named struct {
	Type  string `yaml:"type"`
	Name  string `yaml:"name"`
	Split string `yaml:"split,omitempty"`
}

type metric struct {
	Type  string  `yaml:"type"`
	Value float64 `yaml:"value"`
	Name  string  `yaml:"name"`
}

// Card is what an export's model card says of the run: lines for the header, and
// sections for the text. Both are empty where nothing was evaluated: no figure is
// made up.
func (r *Run) Card() (header, body string, err error) {
	all := r.Evaluations
	if len(all) == 0 && r.Evaluation != nil {
		all = []Evaluation{*r.Evaluation}
	}
	if len(all) == 0 {
		return "", r.trainedOn(), nil
	}
	index := indexed{Name: r.Name}
	for i := range all {
		index.Results = append(index.Results, all[i].result())
	}
	var out strings.Builder
	lines := yaml.NewEncoder(&out)
	lines.SetIndent(2)
	if err := errors.Join(lines.Encode(modelIndex{[]indexed{index}}), lines.Close()); err != nil {
		return "", "", fmt.Errorf("model card: %w", err)
	}
	return out.String(), r.evaluatedBody(all) + r.trainedOn(), nil
}

// result is an evaluation as the hub takes it.
func (e *Evaluation) result() result {
	m, files := e.Report, e.files()
	split := "test"
	if e.Validation {
		split = "validation"
	}
	out := result{Task: named{Type: "text-classification", Name: "Preference between two responses"},
		Dataset: named{Type: strings.TrimSuffix(filepath.Base(files), filepath.Ext(files)), Name: files, Split: split}}
	add := func(kind, name string, v stats.Value) {
		if v.Defined() {
			out.Metrics = append(out.Metrics, metric{kind, float64(v), name})
		}
	}
	add("accuracy", fmt.Sprintf("Pairwise accuracy, ties one half (95%% %s, %d pairs)", m.AccuracyInterval.Percent(), m.N), m.AccuracyTiesHalf)
	if len(m.Rulers) > 0 {
		add("accuracy", "Accuracy of the best ruler without a model, "+m.Rulers[0].Name, m.Rulers[0].Accuracy)
	}
	add("loss", "Bradley-Terry loss", m.BTLossMean)
	add("roc_auc", "ROC AUC of chosen against rejected rewards", m.ROCAUC)
	add("ece", "Expected calibration error of sigmoid(margin)", m.ECESymmetric)
	return out
}

// files names the pairs; of an evaluation that does not say, its folder.
func (e *Evaluation) files() string {
	if e.Made == nil || len(e.Made.Data) == 0 {
		return e.Name
	}
	return strings.Join(e.Made.Data, ", ")
}

// evaluatedBody has the same figures as a table, and what is to be known of them.
func (r *Run) evaluatedBody(all []Evaluation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## Evaluation\n\n%s\n\n| evaluation | data | pairs | accuracy | 95%% interval | best ruler without a model | Bradley-Terry loss | ECE |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n", r.verdict())
	for i := range all {
		m, ruler := all[i].Report, ""
		if len(m.Rulers) > 0 {
			ruler = fmt.Sprintf("%s %s", m.Rulers[0].Name, stats.Percent(m.Rulers[0].Accuracy))
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %s | %s | %v | %v |\n", cell(all[i].Name), cell(all[i].files()), m.N, stats.Percent(m.AccuracyTiesHalf), m.AccuracyInterval.Percent(), ruler, m.BTLossMean, m.ECESymmetric)
	}
	b.WriteString(warned(r.Report))
	return b.String()
}

func warned(m *eval.Report) string {
	if m == nil || len(m.Warnings) == 0 {
		return ""
	}
	return "\nWhat to know before quoting them:\n\n- " + strings.Join(m.Warnings, "\n- ") + "\n"
}

// trainedOn says what the run learnt from, as far as its files tell.
func (r *Run) trainedOn() string {
	if r.Settings == nil {
		return ""
	}
	c := r.Settings
	var b strings.Builder
	base := c.Model.Path
	if c.Model.Config != "" {
		base = "from scratch by " + c.Model.Config
	}
	fmt.Fprintf(&b, "\n## Training\n\n- base model: %s\n- training pairs: %s\n", base, strings.Join(c.Data.Train, ", "))
	for _, l := range r.Labels {
		fmt.Fprintf(&b, "- labels: AI feedback by %s: %d of %d comparisons labelled, mean confidence %v; principles:", strings.Join(l.Report.Judges, ", "), l.Report.Labelled, l.Report.Labels, l.Report.ConfidenceMean)
		for _, p := range l.Report.Principles {
			fmt.Fprintf(&b, " %s (weight %v)", p.Name, stats.Value(p.Weight))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "- loss: %s; learning rate %g, %s; batch of %d pairs; %g epochs; seed %d\n", c.Train.LossName(), c.Train.LearningRate, c.Train.Schedule, c.Train.BatchSize, c.Train.Epochs, c.Train.Seed)
	return b.String()
}

// cell keeps a table's cells apart.
func cell(s string) string { return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s) }
