package configs

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"laurel/data"
)

// checkKeys refuses keys that the configuration does not have, each with the
// nearest that it has, keys given twice, and values of another type.
func checkKeys(root *yaml.Node, like any) error {
	check := keyCheck{all: keysOf(reflect.TypeOf(like), "")}
	return errors.Join(check.unknown(root, reflect.TypeOf(like), "")...)
}

// keyCheck knows all keys of a configuration, in full.
type keyCheck struct{ all []string }

// keysOf are the keys of a configuration down to its values: train.seed.
func keysOf(typ reflect.Type, path string) []string {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || len(yamlFields(typ)) == 0 {
		return []string{strings.TrimSuffix(path, ".")}
	}
	var keys []string
	fields := yamlFields(typ)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		keys = append(keys, keysOf(fields[name], path+name+".")...)
	}
	return keys
}

func (c keyCheck) unknown(node *yaml.Node, typ reflect.Type, path string) []error {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Struct && node.Kind == yaml.SequenceNode {
		var problems []error
		for i, element := range node.Content {
			problems = append(problems, c.unknown(element, typ.Elem(), fmt.Sprintf("%s%d.", path, i))...)
		}
		return problems
	}
	if typ.Kind() != reflect.Struct || node.Kind != yaml.MappingNode {
		return wrongType(node, typ, strings.TrimSuffix(path, "."))
	}
	fields := yamlFields(typ)
	var problems []error
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		field, ok := fields[key.Value]
		switch {
		case !ok:
			problems = append(problems, fmt.Errorf("%sunknown key %s%s%s", place(key), path, key.Value, c.didYouMean(key.Value, path, fields)))
		case seen[key.Value]:
			problems = append(problems, fmt.Errorf("line %d: key %s%s is given twice", key.Line, path, key.Value))
		default:
			problems = append(problems, c.unknown(node.Content[i+1], field, path+key.Value+".")...)
		}
		seen[key.Value] = true
	}
	return problems
}

// oneToList makes a list of one of a text where a list of texts is wanted:
// train: pairs.jsonl is train: [pairs.jsonl].
func oneToList(node *yaml.Node, typ reflect.Type) {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.String:
		if node.Kind == yaml.ScalarNode && node.Tag == "!!str" && node.Value != "" {
			one := *node
			*node = yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle, Line: node.Line, Column: node.Column, Content: []*yaml.Node{&one}}
		}
	case typ.Kind() == reflect.Struct && node.Kind == yaml.MappingNode:
		fields := yamlFields(typ)
		for i := 0; i+1 < len(node.Content); i += 2 {
			if field, ok := fields[node.Content[i].Value]; ok {
				oneToList(node.Content[i+1], field)
			}
		}
	}
}

// place is where a key stands: in the file, or on the command line.
func place(key *yaml.Node) string {
	if key.Line == 0 {
		return "--set: "
	}
	return fmt.Sprintf("line %d: ", key.Line)
}

// wrongType names the key whose value its type cannot take.
func wrongType(node *yaml.Node, typ reflect.Type, key string) []error {
	err := node.Decode(reflect.New(typ).Interface())
	if err == nil {
		return nil
	}
	ownWay := reflect.PointerTo(typ).Implements(reflect.TypeFor[yaml.Unmarshaler]()) // whose error says what it takes
	if want := wanted[typ.Kind()]; want != "" && !ownWay && node.Kind == yaml.ScalarNode {
		return []error{fmt.Errorf("%skey %s is %q, want %s", place(node), key, node.Value, want)}
	}
	return []error{fmt.Errorf("key %s: %w", key, data.PlainYAML(err))}
}

// wanted says what a key of such a type takes.
var wanted = map[reflect.Kind]string{
	reflect.Bool: "true or false", reflect.Int: "a whole number", reflect.Int64: "a whole number", reflect.Uint64: "a whole number from 0 on",
	reflect.Float64: "a number, such as 2e-5", reflect.Slice: "a list", reflect.Map: "keys and values: {key: value}", reflect.Struct: "keys and values: {key: value}",
}

// yamlFields maps the keys of a struct to their types; the keys of an inlined
// struct are its own.
func yamlFields(typ reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for i := range typ.NumField() {
		field := typ.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			maps.Copy(fields, yamlFields(field.Type))
		case name != "" && name != "-":
			fields[name] = field.Type
		}
	}
	return fields
}

// elsewhereCalled are keys by the names that they have in transformers, TRL, peft
// and OpenRLHF.
var elsewhereCalled = map[string]string{
	"lr": "train.learning_rate", "num_train_epochs": "train.epochs", "num_epochs": "train.epochs", "max_epochs": "train.epochs",
	"per_device_train_batch_size": "train.batch_size", "train_batch_size": "train.batch_size", "micro_train_batch_size": "train.batch_size",
	"lr_scheduler_type": "train.schedule", "lr_scheduler": "train.schedule", "logging_steps": "train.log_every", "eval_steps": "train.eval_every", "save_steps": "train.save_every",
	"max_seq_length": "model.max_length", "max_seq_len": "model.max_length", "max_len": "model.max_length",
	"model_name_or_path": "model.path", "pretrain": "model.path", "train_file": "data.train", "dataset": "data.train", "dataset_name": "data.train",
	"lora_r": "model.lora.rank", "lora_rank": "model.lora.rank", "r": "model.lora.rank", "lora_alpha": "model.lora.alpha", "lora_target_modules": "model.lora.target_modules",
	"lora_target": "model.lora.target_modules", "lora_dropout": "model.lora.dropout", "lora_modules_to_save": "model.lora.modules_to_save", "lora_use_rslora": "model.lora.use_rslora",
	"use_peft": "model.lora.rank", "finetuning_type": "model.lora.rank", "num_layers_unfrozen": "model.freeze",
	"model_name": "model.path", "base_model": "model.path", "model_id": "model.path", "model_revision": "model.revision", "cutoff_len": "model.max_length", "truncation_mode": "model.truncation_side",
	"torch_dtype": "model.dtype", "train_files": "data.train", "data_path": "data.train", "datasets": "data.train", "dataset_path": "data.train", "prompt_data": "data.train",
	"eval_dataset": "data.validation", "eval_file": "data.validation", "validation_file": "data.validation", "eval_data": "data.validation", "val_size": "data.validation", "test_size": "data.validation", "eval_split": "data.validation",
	"prompt_key": "data.columns", "chosen_key": "data.columns", "rejected_key": "data.columns", "column_mapping": "data.columns", "group_by_length": "data.buckets",
	"packing": "data.padding_free", "packing_samples": "data.padding_free", "sample_packing": "data.padding_free", "neat_packing": "data.padding_free",
	"dataset_num_proc": "data.workers", "dataloader_num_workers": "data.workers", "preprocessing_num_workers": "data.workers", "num_workers": "data.workers",
	"accumulation_steps": "train.gradient_accumulation_steps", "grad_accum": "train.gradient_accumulation_steps", "num_epoch": "train.epochs",
	"warmup": "train.warmup_steps", "lr_warmup_steps": "train.warmup_steps", "num_warmup_steps": "train.warmup_steps", "lr_warmup_ratio": "train.warmup_ratio",
	"adam_betas": "train.betas", "adam_beta1": "train.betas", "adam_beta2": "train.betas", "adam_epsilon": "train.eps", "l2": "train.weight_decay", "wd": "train.weight_decay",
	"max_norm": "train.max_grad_norm", "gradient_clipping": "train.max_grad_norm", "grad_clip": "train.max_grad_norm", "use_gradient_checkpointing": "train.gradient_checkpointing", "grad_checkpointing": "train.gradient_checkpointing",
	"disable_dropout": "train.dropout", "attention_dropout": "train.dropout", "hidden_dropout": "train.dropout", "margin_loss": "train.margin", "label_smoothing_factor": "train.label_smoothing",
	"eval_strategy": "train.eval_every", "evaluation_strategy": "train.eval_every", "save_strategy": "train.save_every", "save_total_limit": "train.keep", "max_ckpt_num": "train.keep", "report_to": "train.log", "logging_strategy": "train.log_every",
	"early_stopping_patience": "train.early_stopping.patience", "early_stopping_threshold": "train.early_stopping.min_delta", "metric_for_best_model": "train.early_stopping.metric",
	"data_seed": "train.seed", "random_seed": "train.seed", "n_gpu": "train.devices", "num_gpus": "train.devices", "world_size": "train.devices", "device": "backend", "accelerator": "backend",
}

// elsewhereDone are settings of theirs that are no key of a training run, and what
// does the same or stands in its place.
var elsewhereDone = map[string]string{
	"bf16": "model.dtype=bfloat16", "fp16": "model.dtype=bfloat16, as there is no float16", "tf32": "model.dtype, float32 or bfloat16", "mixed_precision": "model.dtype=bfloat16",
	"load_in_4bit": "model.base_dtype=bfloat16 under an adapter, as nothing is quantised", "load_in_8bit": "model.base_dtype=bfloat16 under an adapter, as nothing is quantised",
	"optim": "AdamW alone, by train.betas, train.eps and train.weight_decay", "optimizer": "AdamW alone, by train.betas, train.eps and train.weight_decay",
	"per_device_eval_batch_size": "nothing in its place: validation chooses its batches itself", "eval_batch_size": "nothing in its place: validation chooses its batches itself",
	"load_best_model_at_end": "nothing in its place: the checkpoint that validated best is kept and used always",
	"output_dir":             "--out", "save_path": "--out", "ckpt_path": "--out", "run_name": "the name of --out", "resume_from_checkpoint": "--resume", "overwrite_output_dir": "another --out", "logging_dir": "train.log=[jsonl, tensorboard], in --out",
	"attn_implementation": "nothing in its place: attention is chosen by the backend", "flash_attn": "nothing in its place: attention is chosen by the backend", "use_flash_attention_2": "nothing in its place: attention is chosen by the backend",
	"deepspeed": "train.devices, GPUs that share each batch", "zero_stage": "train.devices, GPUs that share each batch", "fsdp": "train.devices, GPUs that share each batch",
	"apply_chat_template": "nothing in its place: messages go through the chat template, texts do not", "chat_template": "the template of the model's tokenizer", "tokenizer_name": "the tokenizer beside the model",
	"num_labels": "nothing in its place: a reward is one number", "do_train": "nothing in its place", "do_eval": "data.validation", "push_to_hub": "laurel export, whose directory can be uploaded",
	"max_prompt_length": "model.max_length, of prompt and response together", "lr_scheduler_kwargs": "nothing in its place",
}

// inFull is a key of a training run as this configuration has it, which may be that
// of more (train.model.path of a loop); "" where it has none.
func (c keyCheck) inFull(key string) string {
	at := slices.IndexFunc(c.all, func(full string) bool { return key != "" && (full == key || strings.HasSuffix(full, "."+key)) })
	if at < 0 {
		return ""
	}
	return c.all[at]
}

// didYouMean names the nearest key: of those at this place, or, where one of
// its name or nearer to it stands elsewhere, that one in full.
func (c keyCheck) didYouMean(key, path string, fields map[string]reflect.Type) string {
	if len(fields) == 0 {
		return ""
	}
	if full := c.inFull(elsewhereCalled[key]); full != "" {
		return fmt.Sprintf("; did you mean %s?", full)
	}
	if instead := elsewhereDone[key]; instead != "" && c.inFull("train.learning_rate") != "" {
		return "; laurel has " + instead
	}
	here := data.Closest(key, slices.Sorted(maps.Keys(fields)))
	inFull := map[string]string{}
	var elsewhere []string
	for _, full := range c.all {
		name := full[strings.LastIndexByte(full, '.')+1:]
		if inFull[name] == "" {
			inFull[name], elsewhere = full, append(elsewhere, name)
		}
	}
	if there := data.Nearest(key, elsewhere); there != "" && data.Closest(key, []string{here, there}) != here {
		return fmt.Sprintf("; did you mean %s?", inFull[there])
	}
	return fmt.Sprintf("; did you mean %s%s?", path, here)
}
