"""A server of transformers that answers as text-embeddings-inference and vLLM do, for
what laurel verify --url says of them. Written from their sources:

  TEI   router/src/http/{server,types}.rs, core/src/{infer,tokenization}.rs (2026-07): POST
        /predict; texts are cut to max_input_length alone, which is the model's positions or
        --max-batch-tokens; σ over one label unless raw_scores; 422 and error_type where a
        text is too long; no /v1/models.
  vLLM  vllm/entrypoints/pooling, renderers/params.py, tokenizers/registry.py (0.33): POST /classify and /pooling; input or messages;
        truncate_prompt_tokens, at the right, or of all ids at truncation_side; add_special_tokens, false for messages;
        an activation by problem_type unless use_activation is false; error objects.

    python peer_server.py --kind tei|vllm --model HF_DIR --port N [--max-tokens N] [--dtype bfloat16]
"""
import argparse

import torch
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer


class Model:
    def __init__(self, folder, dtype, max_tokens):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=dtype).eval()
        config = AutoConfig.from_pretrained(folder)
        self.problem_type, self.id2label = config.problem_type, config.id2label
        self.limit = min(max_tokens or config.max_position_embeddings, config.max_position_embeddings)

    def ids(self, text, specials, limit=None, side="right"):
        self.tokenizer.truncation_side = side
        return self.tokenizer(text, add_special_tokens=specials, truncation=limit is not None, max_length=limit)["input_ids"]

    def logits(self, ids):
        with torch.no_grad():
            return self.model(input_ids=torch.tensor([ids])).logits[0].float()


def tei(model):
    app = FastAPI()

    def error(message, kind, status):
        return JSONResponse({"error": message, "error_type": kind}, status)

    @app.post("/predict")
    async def predict(request: Request):
        body = await request.json()
        inputs, truncate, side = body["inputs"], body.get("truncate", False), body.get("truncation_direction", "right").lower()
        if len(inputs) > 32:
            return error(f"batch size {len(inputs)} > maximum allowed batch size 32", "Validation", 422)
        answers = []
        for sequence in inputs:
            ids = model.ids(sequence[0] if len(sequence) == 1 else tuple(sequence), True, model.limit if truncate else None, side)
            if len(ids) > model.limit:
                return error(f"Input validation error: `inputs` must have less than {model.limit} tokens. Given: {len(ids)}", "Validation", 422)
            logits = model.logits(ids)
            if not body.get("raw_scores", False):
                logits = torch.sigmoid(logits) if len(logits) == 1 else torch.softmax(logits, 0)
            answers.append(sorted(({"score": s, "label": model.id2label[i]} for i, s in enumerate(logits.tolist())), key=lambda p: -p["score"]))
        return answers

    return app


def vllm(model):
    app = FastAPI()

    def error(message, kind, status, param=None):
        return JSONResponse({"error": {"message": message, "type": kind, "param": param, "code": status}}, status)

    def encode(body):
        limit, side = body.get("truncate_prompt_tokens"), body.get("truncation_side")
        limit = model.limit if limit == -1 else limit
        if limit is not None and limit > model.limit:
            raise ValueError(f"truncate_prompt_tokens={limit} cannot be greater than max_model_len={model.limit}. Please request a smaller truncation size.")
        if "messages" in body:
            if model.tokenizer.chat_template is None:
                raise ValueError("As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if the tokenizer does not define one.")
            texts, specials = [model.tokenizer.apply_chat_template(body["messages"], tokenize=False)], body.get("add_special_tokens", False)
        elif "input" not in body:
            raise ValueError("[{'type': 'missing', 'loc': ('body', 'input'), 'msg': 'Field required'}]")
        else:
            texts, specials = body["input"] if isinstance(body["input"], list) else [body["input"]], body.get("add_special_tokens", True)
        if limit is not None and side is not None:  # special tokens are cut off too
            all_ids = [ids[-limit:] if side == "left" else ids[:limit] for ids in (model.ids(text, specials) for text in texts)]
        else:
            all_ids = [model.ids(text, specials, limit) for text in texts]
        for ids in all_ids:
            if len(ids) > model.limit:
                raise ValueError(f"This model's maximum context length is {model.limit} tokens. However, your request has {len(ids)} input tokens. Please reduce the length of the input messages.")
        return all_ids

    async def rewards(request):
        body = await request.json()
        if body.get("model") not in (None, "rm"):
            return None, error(f"The model `{body['model']}` does not exist.", "NotFoundError", 404, "model")
        try:
            found = [model.logits(ids) for ids in encode(body)]
        except ValueError as problem:
            return None, error(str(problem), "BadRequestError", 400)
        if body.get("use_activation") is not False and model.problem_type != "regression":
            found = [torch.sigmoid(x) if len(x) == 1 else torch.softmax(x, 0) for x in found]
        return found, None

    @app.get("/v1/models")
    async def models():
        return {"object": "list", "data": [{"id": "rm", "object": "model", "owned_by": "vllm", "root": "rm"}]}

    @app.post("/classify")
    async def classify(request: Request):
        found, refused = await rewards(request)
        return refused or {"id": "classify-1", "object": "list", "created": 0, "model": "rm", "usage": {"prompt_tokens": 0}, "data": [
            {"index": i, "label": model.id2label[int(x.argmax())], "probs": x.tolist(), "num_classes": len(x)} for i, x in enumerate(found)]}

    @app.post("/pooling")
    async def pooling(request: Request):
        if (await request.json()).get("task") not in (None, "classify"):
            return error("Unsupported task", "BadRequestError", 400, "task")
        found, refused = await rewards(request)
        return refused or {"id": "pooling-1", "object": "list", "created": 0, "model": "rm", "usage": {"prompt_tokens": 0}, "data": [
            {"index": i, "object": "pooling", "data": x.tolist()} for i, x in enumerate(found)]}

    return app


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=["tei", "vllm"], required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--max-tokens", type=int)
    parser.add_argument("--dtype", default="float32")
    arguments = parser.parse_args()
    app = {"tei": tei, "vllm": vllm}[arguments.kind](Model(arguments.model, getattr(torch, arguments.dtype), arguments.max_tokens))

    @app.get("/ready")
    async def ready():
        return {"status": "ready"}

    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
