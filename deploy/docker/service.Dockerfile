# Gateway, orchestrator, planner and critic: everything that needs no GPU.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
COPY pyproject.toml README.md deploy/constraints.txt ./
COPY services services
COPY shared shared
# No model libraries here: vLLM serves the agents, pictures are drawn by the generator.
RUN python -c "import re, tomllib; \
    wanted = tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies']; \
    left_out = {'torch', 'diffusers', 'transformers', 'accelerate', 'safetensors', 'scipy'}; \
    print(*(w for w in wanted if re.match(r'[\w-]+', w)[0] not in left_out), sep='\n')" \
    > requirements.txt \
 && pip install --no-cache-dir --constraint constraints.txt --requirement requirements.txt \
 && pip install --no-cache-dir --no-deps .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home interleave && install -d -o interleave /state
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER interleave
WORKDIR /home/interleave
