"""The server that laurel serve is held beside: FastAPI and transformers, as small as
one can be that batches requests.

    python fastapi_server.py --model HF_DIR --port 8001

POST /get_reward in OpenRLHF's words. Requests wait up to 5 ms, or until 64 texts are
there, and are computed together, padded to the longest, in a thread.
"""
import argparse
import asyncio
import contextlib

import torch
import uvicorn
from fastapi import FastAPI, Request
from transformers import AutoModelForSequenceClassification, AutoTokenizer

ROWS, WAIT = 64, 0.005


def compute(tokenizer, model, max_length, texts):
    encoded = tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=max_length)
    with torch.inference_mode():
        return model(**encoded).logits[:, 0].tolist()


async def batches(queue, score):
    """Takes what has come, computes it in a thread, and hands the rewards back."""
    while True:
        waiting = [await queue.get()]
        deadline = asyncio.get_running_loop().time() + WAIT
        while len(waiting) < ROWS:
            left = deadline - asyncio.get_running_loop().time()
            try:
                waiting.append(queue.get_nowait() if left <= 0 else await asyncio.wait_for(queue.get(), left))
            except (asyncio.TimeoutError, asyncio.QueueEmpty):
                break
        rewards = await asyncio.to_thread(score, [text for text, _ in waiting])
        for (_, done), reward in zip(waiting, rewards):
            if not done.cancelled():
                done.set_result(reward)


def application(tokenizer, model, max_length):
    queue = asyncio.Queue()

    @contextlib.asynccontextmanager
    async def lifespan(_):
        task = asyncio.create_task(batches(queue, lambda texts: compute(tokenizer, model, max_length, texts)))
        yield
        task.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.get("/ready")
    async def ready():
        return {"status": "ready"}

    @app.post("/get_reward")
    async def get_reward(request: Request):
        pending = []
        for text in (await request.json())["query"]:
            done = asyncio.get_running_loop().create_future()
            await queue.put((text, done))
            pending.append(done)
        rewards = list(await asyncio.gather(*pending))
        return {"rewards": rewards, "scores": rewards, "extra_logs": {}}

    return app


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--max-length", type=int, default=160)
    arguments = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForSequenceClassification.from_pretrained(arguments.model, dtype=torch.float32).eval()
    uvicorn.run(application(tokenizer, model, arguments.max_length), host="127.0.0.1", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
