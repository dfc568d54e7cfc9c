package serve

import (
	"net/http"
	"slices"
)

// schema is a part of the OpenAPI document, in JSON Schema's words.
type schema = map[string]any

// openAPI answers GET /openapi.json: what each dialect takes and gives, OpenAPI 3.1.
func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, s.document())
}

func (s *Server) document() schema {
	paths := schema{
		"/health":       schema{"get": get("Whether the process lives", object(nil, "status", text()))},
		"/ready":        withUnready(get("Whether requests are taken", object(nil, "status", text()))),
		"/v1/models":    schema{"get": s.guarded(get("The models", listOf("data", object([]string{"id"}, "id", text(), "max_model_len", integer()))))},
		"/openapi.json": schema{"get": s.guarded(get("This document", object(nil)))},
		"/metrics": schema{"get": s.guarded(schema{"summary": "Prometheus metrics", "responses": schema{
			"200": schema{"description": "metrics", "content": schema{"text/plain": schema{"schema": text()}}}}})},
	}
	for _, d := range documented() {
		for _, path := range d.paths {
			paths[path] = schema{"post": s.guarded(s.post(d))}
		}
	}
	document := schema{"openapi": "3.1.0", "info": schema{"title": "laurel serve", "version": "1", "description": "Rewards of texts: raw logits, unless a request asks for the sigmoid."}, "paths": paths}
	if s.config.Token != "" {
		document["components"] = schema{"securitySchemes": schema{"token": schema{"type": "http", "scheme": "bearer"}}}
	}
	return document
}

// described is a dialect for the document.
type described struct {
	paths           []string
	summary         string
	request, answer schema
	failure         schema
}

func get(summary string, answer schema) schema {
	return schema{"summary": summary, "responses": schema{"200": content("the answer", answer)}}
}

func withUnready(get schema) schema {
	get["responses"].(schema)["503"] = content("loading, or draining", object(nil, "status", text()))
	return schema{"get": get}
}

func content(description string, body schema) schema {
	return schema{"description": description, "content": schema{"application/json": schema{"schema": body}}}
}

// guarded adds the token, where there is one.
func (s *Server) guarded(operation schema) schema {
	if s.config.Token != "" {
		operation["security"] = []any{schema{"token": []string{}}}
		operation["responses"].(schema)["401"] = content("no token", openAIFailure())
	}
	return operation
}

func (s *Server) post(d described) schema {
	responses := schema{"200": schema{"description": "the rewards", "content": schema{"application/json": schema{"schema": d.answer}},
		"headers": schema{headerTruncated: schema{"description": "how many texts were cut to max_length; absent for none", "schema": integer()}}}}
	for code, why := range map[string]string{
		"400": "the request cannot be answered: what is wrong, and where", "404": "no such model", "408": "the body stopped coming", "413": "a longer body than the server takes",
		"415": "not JSON, or compressed", "429": "too many texts wait, or the requests being answered are too many bytes: come again after Retry-After seconds", "503": "loading, or being stopped", "504": "no answer in time",
	} {
		responses[code] = content(why, d.failure)
	}
	model := schema{"name": "model", "in": "query", "description": "the model, where several are served and the body names none", "schema": enum(s.names())}
	over := schema{"name": headerOverLength, "in": "header", "description": "what becomes of a text longer than max_length", "schema": enum([]string{Cut, Refuse})}
	return schema{"summary": d.summary, "parameters": []any{model, over}, "responses": responses,
		"requestBody": schema{"required": true, "content": schema{"application/json": schema{"schema": d.request}}}}
}

// object has properties, given as name and schema in turn.
func object(required []string, properties ...any) schema {
	o := schema{"type": "object"}
	if len(required) > 0 {
		o["required"] = required
	}
	all := schema{}
	for pair := range slices.Chunk(properties, 2) {
		all[pair[0].(string)] = pair[1]
	}
	if len(all) > 0 {
		o["properties"] = all
	}
	return o
}

// text is a string that a tokenizer takes: C ends texts at a NUL.
func text() schema { return schema{"type": "string", "pattern": `^[^\x00]*$`} }

func integer() schema { return schema{"type": "integer"} }
func number() schema  { return schema{"type": "number"} }
func flag() schema    { return schema{"type": []string{"boolean", "null"}} }

// orNull is a key that may as well be absent.
func orNull(of schema) schema { return anyOf(of, schema{"type": "null"}) }

// maybe is one of some values, or null.
func maybe(values ...any) schema { return schema{"enum": append(values, nil)} }

func enum(values []string) schema    { return schema{"enum": values} }
func list(of schema, min int) schema { return schema{"type": "array", "items": of, "minItems": min} }
func anyOf(options ...any) schema    { return schema{"anyOf": options} }

// listOf is an answer whose key holds a list.
func listOf(key string, of schema) schema { return object([]string{key}, key, list(of, 0)) }

func openAIFailure() schema {
	return object([]string{"error"}, "error", object([]string{"message", "type", "code"}, "message", schema{"type": "string"}, "type", schema{"type": "string"}, "code", integer()))
}
