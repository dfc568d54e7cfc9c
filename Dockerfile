# laurel in a container: docker build -t laurel .               (XLA on the CPU)
#                        docker build --target cuda -t laurel . (and on NVIDIA's GPUs)
#   docker run -p 8000:8000 -e LAUREL_TOKEN -v ./hf:/model laurel serve --model rm=/model --addr 0.0.0.0:8000
FROM golang:1.26-trixie AS build
RUN apt-get update && apt-get install -y --no-install-recommends cargo && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make build
RUN mkdir -p /opt/laurel/bin /opt/laurel/build/pjrt && cp bin/laurel /opt/laurel/bin/ && cp -R build/pjrt/cpu /opt/laurel/build/pjrt/ && cp -R configs LICENSE /opt/laurel/

FROM build AS build-cuda
RUN make setup-cuda && cp -R build/pjrt/cuda /opt/laurel/build/pjrt/

FROM debian:trixie-slim AS base
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libstdc++6 && rm -rf /var/lib/apt/lists/* && useradd --create-home --uid 10001 laurel
ENV PATH=/opt/laurel/bin:$PATH HF_HOME=/home/laurel/huggingface
USER laurel
WORKDIR /home/laurel
EXPOSE 8000
ENTRYPOINT ["laurel"]

# NVIDIA's container toolkit brings the driver in.
FROM base AS cuda
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=build-cuda /opt/laurel /opt/laurel

FROM base AS cpu
COPY --from=build /opt/laurel /opt/laurel
