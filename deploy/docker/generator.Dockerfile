# The generator service on an NVIDIA GPU.
# Linux wheels of torch bring the CUDA libraries they need; the host brings the driver.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
COPY pyproject.toml README.md deploy/constraints.txt ./
COPY services services
COPY shared shared
RUN pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home interleave
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HF_HUB_DISABLE_TELEMETRY=1 NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute
USER interleave
WORKDIR /home/interleave
