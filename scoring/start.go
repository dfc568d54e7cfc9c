package scoring

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"laurel/data/tokenizer"
	"laurel/model"
)

// Start is the model that a training run begins with, or goes on with, by the
// model part of its configuration.
type Start struct {
	config  model.Source
	seed    uint64
	dir     string // of the model, or of the config of one from scratch; the tokenizer lies there
	options Options
	outline bool // whether sizes are wanted, and no values
}

// FindStart finds the model that the configuration names. What it lacks is
// drawn from the seed.
func FindStart(ctx context.Context, config model.Source, seed uint64, o Options) (*Start, error) {
	s := &Start{config: config, seed: seed, options: o}
	if config.Config != "" {
		s.dir = filepath.Dir(config.Config)
		return s, nil
	}
	s.options.Revision = config.Revision
	var err error
	s.dir, err = Resolve(ctx, config.Path, s.options)
	return s, err
}

// Fresh loads the model to begin with, and puts on the adapter that the
// configuration asks for.
func (s *Start) Fresh() (*model.Model, error) {
	m, err := s.load()
	if err != nil || s.config.LoRA.Rank == 0 {
		return s.settle(m, err)
	}
	base, err := s.adapterBase()
	if err == nil {
		err = m.AddAdapter(s.config.LoRA, base, s.seed)
	}
	return s.settle(m, err)
}

// Outline is what Fresh loads, without the values of any tensor: enough to
// foresee what training takes.
func (s *Start) Outline() (*model.Model, error) {
	s.outline = true
	return s.Fresh()
}

// Checkpoint loads a run's checkpoint, to go on with.
func (s *Start) Checkpoint(dir string) (*model.Model, error) {
	return s.settle(Source{Dir: dir, Base: s.dir}.Load())
}

func (s *Start) load() (*model.Model, error) {
	c := s.config
	if c.Config != "" {
		m, err := s.fromScratch()
		if err == nil {
			s.options.notice("model: from scratch by %s", c.Config)
		}
		return m, err
	}
	m, err := s.fromDir()
	if err == nil {
		s.options.notice("model: %s", s.dir)
		TellLoaded(m, s.dir, s.options.Notice)
		if m.Config.ForgetNorm() {
			s.options.notice("mean, std and normalize_reward are not kept: training changes the rewards that they were measured on")
		}
	}
	return m, err
}

func (s *Start) fromScratch() (*model.Model, error) {
	if s.outline {
		return model.NewOutline(s.config.Config, s.config.Head)
	}
	return model.New(s.config.Config, s.seed, s.config.Head)
}

func (s *Start) fromDir() (*model.Model, error) {
	base := model.Base{DType: s.config.BaseDType, Saved: s.config.LoRA}
	if s.outline {
		return model.OutlineBase(s.dir, s.config.Head, base)
	}
	return model.LoadBase(s.dir, s.seed, s.config.Head, base)
}

// adapterBase is how the adapter names its base: a folder by its full path, so
// that it is found from anywhere (of a run the checkpoint, which others read too),
// a hub model by its name.
func (s *Start) adapterBase() (string, error) {
	if s.config.Config != "" {
		return "", errors.New("model.lora adapts a trained model: name one in model.path instead of model.config")
	}
	if _, err := os.Stat(s.config.Path); err != nil {
		return s.config.Path, nil
	}
	return filepath.Abs(s.dir)
}

// settle sets what is computed in which precision and what is trained.
func (s *Start) settle(m *model.Model, err error) (*model.Model, error) {
	if err != nil {
		return nil, err
	}
	if m.Compute, err = model.ParseDType(s.config.DType); err != nil {
		return nil, err
	}
	if m.Adapter != nil {
		m.Adapter.Dropout = s.config.LoRA.Dropout
	}
	if err := m.Freeze(s.config.Freeze); err != nil {
		return nil, err
	}
	all, trained := m.NumParameters(), m.NumTrainable()
	s.options.notice("parameters: %d, of them trained %d (%.3g%%); products in %s", all, trained, 100*float64(trained)/float64(all), s.config.DType)
	if frozen, adapted := m.FrozenAdapters(); frozen > 0 {
		s.options.notice("model.freeze keeps the adapter of %d of the %d adapted layers from training", frozen, adapted)
	}
	if half := m.NumHalf(); half > 0 {
		s.options.notice("frozen matrices are kept in bfloat16: %d of the parameters, %.2f GB", half, 2e-9*float64(half))
	}
	return m, nil
}

// Ready puts tokenizer, padding and lengths to a model of Fresh or Checkpoint,
// and records them, and what training began from, with its weights.
func (s *Start) Ready(loaded *model.Model) (*Model, error) {
	config := s.config.Config
	if config == "" {
		config = filepath.Join(s.dir, "config.json")
	}
	t, err := tokenizer.OpenFor(s.dir, config)
	if err != nil {
		return nil, err
	}
	tellTokenizer(t, s.options)
	if s.config.Config == "" {
		s.options.tellDoubt(loaded, t)
	}
	m := &Model{Model: loaded, Tokenizer: t, Dir: s.dir}
	err = m.SettlePadding(s.options.Notice)
	if err == nil {
		err = m.settleLengths(s.config.MaxLength)
	}
	if err == nil {
		err = m.settleDate(cmp.Or(s.config.TemplateDate, m.Config.Recorded.TemplateDate, time.Now().Format(time.DateOnly)))
	}
	if err == nil && s.config.TruncationSide != "" {
		m.Side, err = tokenizer.ParseSide(s.config.TruncationSide)
	}
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	m.tellWarnings(s.options)
	if recorded := m.Config.Recorded.MaxLength; s.config.MaxLength == 0 && recorded > 0 {
		s.options.notice("max_length %d, cut on the %s: as %s was trained (model.max_length, model.truncation_side)", m.MaxLength, m.Side, s.dir)
	}
	if m.Config.Recorded.MaxLength == 0 { // not a resumed run's
		m.Config.Recorded.NewHead, m.Config.Recorded.Base = m.Loaded.NewHead, s.config.Path
	}
	m.Config.Recorded.Members = nil // training makes another model of a mean
	m.Record()
	return m, nil
}
