package tokenizer

import "errors"

// clsSep puts cls_token before a text and sep_token after it.
func clsSep(s *settings, v *addedVocabulary) (any, error) {
	return between(s, v, "cls_token", "sep_token")
}

// bosEOS puts bos_token before a text and eos_token after it.
func bosEOS(s *settings, v *addedVocabulary) (any, error) {
	return between(s, v, "bos_token", "eos_token")
}

// between is a TemplateProcessing with one token on each side.
func between(s *settings, v *addedVocabulary, before, after string) (any, error) {
	first, err := s.need(before)
	last, lastErr := s.need(after)
	if err := errors.Join(err, lastErr); err != nil {
		return nil, err
	}
	token := func(text string) part { return part{"SpecialToken": part{"id": text, "type_id": 0}} }
	sequence := func(id string) part { return part{"Sequence": part{"id": id, "type_id": 0}} }
	single := []part{token(first), sequence("A"), token(last)}
	tokens := part{}
	for _, text := range []string{first, last} {
		id, _ := v.id(text)
		tokens[text] = part{"id": text, "ids": []int32{id}, "tokens": []string{text}}
	}
	return part{"type": "TemplateProcessing", "single": single,
		"pair": append(single[:3:3], sequence("B"), token(last)), "special_tokens": tokens}, nil
}

// robertaProcessing puts cls_token before a text and sep_token after it.
func robertaProcessing(s *settings, v *addedVocabulary) (any, error) {
	cls, err := s.need("cls_token")
	sep, sepErr := s.need("sep_token")
	clsID, _ := v.id(cls)
	sepID, _ := v.id(sep)
	space, spaceErr := s.flag("add_prefix_space", false)
	return part{"type": "RobertaProcessing", "sep": []any{sep, sepID}, "cls": []any{cls, clsID}, "trim_offsets": true, "add_prefix_space": space},
		errors.Join(err, sepErr, spaceErr)
}
