package model

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// denseHead is the head of RoBERTa and ELECTRA: a dense layer over the first
// token, then the score.
type denseHead struct {
	bertStack
	between string // the activation between the two
}

// parseRoberta reads RobertaConfig and XLMRobertaConfig (transformers,
// models/roberta/; Liu et al. 2019, arXiv:1907.11692; Conneau et al. 2020,
// arXiv:1911.02116).
func parseRoberta(class string, vocab int) func(*configReader) family {
	return func(r *configReader) family {
		b := parseBertStack(r, class, "roberta.", bertSizes{vocab, 768, 12, 3072})
		if b.paddingIndex = r.padToken(1); b.paddingIndex < 0 {
			r.refuse("pad_token_id", "is null: positions are counted from it")
		}
		return &denseHead{b, "tanh"}
	}
}

// parseElectra reads ElectraConfig (transformers, models/electra/; Clark et
// al. 2020, arXiv:2003.10555).
func parseElectra(r *configReader) family {
	r.padToken(0)
	b := parseBertStack(r, "ElectraForSequenceClassification", "electra.", bertSizes{30522, 256, 4, 1024})
	b.embeddingSize = r.positive("embedding_size", 128)
	for _, key := range []string{"summary_type", "summary_use_proj", "summary_activation", "summary_last_dropout"} {
		r.ignore(key) // of the multiple-choice head
	}
	return &denseHead{b, "gelu"}
}

func (b *denseHead) headWeights() []weight {
	d := b.hiddenSize
	return inGroup(scoreGroup, append(linear("classifier.dense", d, d), linear("classifier.out_proj", 1, d)...))
}

func (b *denseHead) score(p *pass, x *Node) *Node {
	h := p.dropout(x, b.classifierDropout)
	h = p.dropout(p.activated(b.between, "classifier.dense", h), b.classifierDropout)
	return Squeeze(p.linear("classifier.out_proj", h), -1)
}
