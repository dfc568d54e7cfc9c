package scoring

import "fmt"

// TemplateWarning tells of a chat template that leaves out special tokens which
// the tokenizer puts around plain text, or has them twice, unless the model was
// trained by laurel, which encodes what it scores as it encoded what it trained on;
// "" where there is nothing to warn of.
func (m *Model) TemplateWarning() string {
	if m.Config.Recorded.TrainedOn != "" {
		return ""
	}
	leftOut, twice := m.Tokenizer.TemplateSpecials()
	switch {
	case leftOut != "":
		return fmt.Sprintf("the chat template writes no %s, which the tokenizer puts around plain text: conversations get it here as texts do, "+
			"and do not from apply_chat_template, by which TRL and vLLM encode them: rewards of a model that was trained there are of other ids; "+
			"have the template write what the training had, or the tokenizer add no more (add_bos_token, add_eos_token, its post-processor)", leftOut)
	case twice != "":
		return fmt.Sprintf("conversations have %s twice, from the chat template and the tokenizer, or from the template alone: take one out of the template, "+
			"unless the model was trained so", twice)
	}
	return ""
}

// tellWarnings tells of what a model's files ask for that may not be meant.
func (m *Model) tellWarnings(o Options) {
	for _, warning := range []string{m.TemplateWarning(), m.LengthWarning()} {
		if warning != "" {
			o.notice("warning: %s", warning)
		}
	}
}
