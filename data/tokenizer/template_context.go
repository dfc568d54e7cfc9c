package tokenizer

import (
	"errors"
	"fmt"

	"laurel/data"
	"laurel/data/tokenizer/jinja"
)

// argument is one of apply_chat_template that is no variable of the template.
// TRL passes all of chat_template_kwargs to apply_chat_template, so that what
// has an argument's name is that argument.
type argument struct {
	unset jinja.Value // its value where it asks for nothing, beside null
	fix   string      // "": the messages of the row, which nothing can replace
}

const (
	wholeTurns = "a reward is of whole turns"
	uncut      = "set model.max_length instead (score: --max-length)"
	asIDs      = "a row gives token ids to the model, nothing else"
)

var arguments = map[string]argument{
	"chat_template":                {nil, "a model has one: put it into chat_template.jinja beside its weights"},
	"continue_final_message":       {false, wholeTurns},
	"sanitize_control_tokens":      {false, "special tokens that stand in messages are taken as such"},
	"padding":                      {false, "batches are padded as the model needs it"},
	"truncation":                   {false, uncut},
	"max_length":                   {nil, uncut},
	"tokenizer_kwargs":             {nil, "set them in tokenizer_config.json"},
	"tokenize":                     {true, asIDs},
	"return_dict":                  {true, asIDs},
	"return_tensors":               {nil, asIDs},
	"return_assistant_tokens_mask": {false, asIDs},
	"conversation":                 {},
	"conversations":                {},
	"messages":                     {},
}

// check refuses an argument that would change what the model is given, which
// nothing here does; one that asks for nothing is no variable either.
func (a argument) check(name string, value jinja.Value) error {
	if a.fix == "" {
		return fmt.Errorf("chat_template_kwargs: %s: the conversation is the row's own: take the key out", name)
	}
	if value == nil || value == a.unset {
		return nil
	}
	return fmt.Errorf("chat_template_kwargs: %s is an argument of transformers' apply_chat_template, which is not followed here (%s): take the key out", name, a.fix)
}

// rowVariables are the variables of a template that a row gives beside its
// messages. The template cannot change them.
type rowVariables map[string]jinja.Value

// variablesOf reads a row's tools and variables. As in apply_chat_template, tools
// and documents are lists of objects, or null, and those among the variables go
// before the row's own.
func variablesOf(context data.Context) (row rowVariables, err error) {
	if context == (data.Context{}) {
		return nil, nil
	}
	row = rowVariables{}
	if context.Tools != "" {
		if row["tools"], err = jinja.FromJSON(context.Tools); err != nil {
			return nil, fmt.Errorf("tools: %w", err)
		}
	}
	if context.TemplateKwargs != "" {
		if err := row.addKwargs(context.TemplateKwargs); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"tools", "documents"} {
		if err := checkObjects(row[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return row, nil
}

func (row rowVariables) addKwargs(text string) error {
	kwargs, err := objectOf(text)
	if err != nil {
		return fmt.Errorf("chat_template_kwargs %w", err)
	}
	for _, name := range kwargs.Keys() {
		value, _ := kwargs.Get(name)
		if a, ok := arguments[name]; ok {
			if err := a.check(name, value); err != nil {
				return err
			}
			continue
		}
		row[name] = value
	}
	return nil
}

// checkObjects refuses what is neither null nor a list of objects.
func checkObjects(value jinja.Value) error {
	if value == nil {
		return nil
	}
	list, ok := value.(*jinja.List)
	if !ok {
		return errors.New("want a list of objects")
	}
	for i, item := range list.Items {
		if _, ok := item.(*jinja.Dict); !ok {
			return fmt.Errorf("item %d is no object, which transformers refuses too", i)
		}
	}
	return nil
}
