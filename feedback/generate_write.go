package feedback

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"laurel/data"
)

// The files of a generate directory, each as JSON lines and as Parquet.
const (
	CandidatesFile  = "candidates"  // every response, for laurel score
	ComparisonsFile = "comparisons" // two of a prompt, for laurel label
)

// Candidate is a response with its prompt.
type Candidate struct {
	data.Prompt
	Response
}

// candidateRow has the prompt as the file has it: the system message under which
// a response was written is beside it.
type candidateRow struct {
	ID           string         `parquet:"id" json:"id"`
	Prompt       []data.Message `parquet:"prompt,list" json:"prompt"`
	Response     string         `parquet:"response" json:"response"`
	Model        string         `parquet:"model,dict" json:"model"`
	Temperature  *float64       `parquet:"temperature,optional" json:"temperature"`
	WriterSystem string         `parquet:"writer_system,optional,dict" json:"writer_system,omitempty"`
	Seed         *int64         `parquet:"seed,optional" json:"seed"`
	FinishReason string         `parquet:"finish_reason,dict" json:"finish_reason"`
	Cut          bool           `parquet:"cut" json:"cut"`
	Subset       string         `parquet:"subset,optional,dict" json:"subset,omitempty"`
	Tools        data.JSONText  `parquet:"tools,optional" json:"tools,omitempty"`
	Kwargs       data.JSONText  `parquet:"chat_template_kwargs,optional" json:"chat_template_kwargs,omitempty"`
}

type comparisonRow struct {
	ID        string         `parquet:"id" json:"id"`
	Prompt    []data.Message `parquet:"prompt,list" json:"prompt"`
	ResponseA string         `parquet:"response_a" json:"response_a"`
	ResponseB string         `parquet:"response_b" json:"response_b"`
	ModelA    string         `parquet:"model_a,dict" json:"model_a"`
	ModelB    string         `parquet:"model_b,dict" json:"model_b"`
	Subset    string         `parquet:"subset,optional,dict" json:"subset,omitempty"`
	Tools     data.JSONText  `parquet:"tools,optional" json:"tools,omitempty"`
	Kwargs    data.JSONText  `parquet:"chat_template_kwargs,optional" json:"chat_template_kwargs,omitempty"`
}

func (c Candidate) row() candidateRow {
	r := c.Response
	return candidateRow{fmt.Sprintf("%s/%d", c.ID, r.Number), c.Messages, r.Text, r.Model, r.Temperature, r.System, r.Seed, r.FinishReason, r.Cut, c.Subset,
		data.JSONText(c.Context.Tools), data.JSONText(c.Context.TemplateKwargs)}
}

func (c Candidate) bytes() int { return data.Text{Messages: c.Messages}.Bytes() + len(c.Text) }

func asComparisonRow(c data.Comparison) comparisonRow {
	return comparisonRow{c.ID, c.Prompt.Messages, c.A.Plain, c.B.Plain, c.ModelA, c.ModelB, c.Subset, data.JSONText(c.Prompt.Context.Tools), data.JSONText(c.Prompt.Context.TemplateKwargs)}
}

func comparisonBytes(c data.Comparison) int { return c.Prompt.Bytes() + c.A.Bytes() + c.B.Bytes() }

// comparable are the responses that are compared: whole ones, of equal texts the
// first.
func (r *Responses) comparable() (whole []Response, repeated int) {
	for _, one := range r.Written {
		switch {
		case one.Cut:
		case slices.ContainsFunc(whole, func(other Response) bool { return other.Text == one.Text }):
			repeated++
		default:
			whole = append(whole, one)
		}
	}
	return whole, repeated
}

// Comparisons are all pairs of the prompt's comparable responses, or as many as
// the config says, drawn by seed and prompt. Which response is shown first is drawn
// too.
func (r *Responses) Comparisons(c GenerateConfig) []data.Comparison {
	whole, _ := r.comparable()
	var all []data.Comparison
	for i, a := range whole {
		for _, b := range whole[i+1:] {
			id := fmt.Sprintf("%s/%d-%d", r.ID, a.Number, b.Number)
			first, second := a, b
			if randomOf(c.Seed, id).IntN(2) == 1 {
				first, second = b, a
			}
			all = append(all, data.Comparison{ID: id, Prompt: data.Text{Messages: r.Messages, Context: r.Context}, A: data.Text{Plain: first.Text}, B: data.Text{Plain: second.Text},
				ModelA: first.Model, ModelB: second.Model, Subset: r.Subset})
		}
	}
	if k := c.PairsPerPrompt; k > 0 && k < len(all) {
		places := randomOf(c.Seed, r.ID).Perm(len(all))[:k]
		slices.Sort(places)
		for i, at := range places {
			all[i] = all[at]
		}
		all = all[:k]
	}
	return all
}

// randomOf is a random source of its own for everything that has a name.
func randomOf(seed int64, name string) *rand.Rand {
	hash := fnv.New64a()
	hash.Write([]byte(name))
	return rand.New(rand.NewPCG(uint64(seed), hash.Sum64()))
}

// ResponseWriter writes the files of a generate directory, aside and renamed when
// all are written.
type ResponseWriter struct {
	config      GenerateConfig
	candidates  []*data.RowFile[Candidate]
	comparisons []*data.RowFile[data.Comparison]
}

// NewResponseWriter begins the files.
func NewResponseWriter(dir string, c GenerateConfig) (w *ResponseWriter, err error) {
	w = &ResponseWriter{config: c}
	if w.candidates, err = beginBoth(w.candidates, filepath.Join(dir, CandidatesFile), Candidate.row, Candidate.bytes); err == nil {
		w.comparisons, err = beginBoth(w.comparisons, filepath.Join(dir, ComparisonsFile), asComparisonRow, comparisonBytes)
	}
	if err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return w, nil
}

// Write writes the responses to the next prompt.
func (w *ResponseWriter) Write(r Responses) error {
	for _, one := range r.Written {
		for _, f := range w.candidates {
			if err := f.Write(Candidate{r.Prompt, one}); err != nil {
				return err
			}
		}
	}
	for _, c := range r.Comparisons(w.config) {
		for _, f := range w.comparisons {
			if err := f.Write(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close finishes the files and gives them their names.
func (w *ResponseWriter) Close() error {
	if err := data.CloseAll(w.candidates...); err != nil {
		return errors.Join(err, data.AbortAll(w.comparisons...))
	}
	return data.CloseAll(w.comparisons...)
}

// Abort removes what was written.
func (w *ResponseWriter) Abort() error {
	return errors.Join(data.AbortAll(w.candidates...), data.AbortAll(w.comparisons...))
}
