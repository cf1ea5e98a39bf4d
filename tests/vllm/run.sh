#!/usr/bin/env bash
# The engine client against a real vLLM server (its CPU build) in an environment of its own.
# Usage: bash tests/vllm/run.sh [pytest arguments]
set -euo pipefail
cd "$(dirname "$0")/../.."

PYTHON=${PYTHON:-python3}
VENV=${VLLM_VENV:-.venv-vllm}
STAMP="$VENV/.installed"

if [ ! -f "$STAMP" ] || [ tests/vllm/requirements.txt -nt "$STAMP" ]; then
  "$PYTHON" -m venv "$VENV"
  "$VENV/bin/python" -m pip install --quiet --upgrade pip
  "$VENV/bin/python" -m pip install --quiet --no-compile -r tests/vllm/requirements.txt
  # The builds of these two are for another torch; vLLM does without them.
  "$VENV/bin/python" -m pip uninstall --quiet --yes torchaudio torchcodec
  # There is no CPU build of torchvision, which vLLM imports: its Python code is enough once the
  # operators it asks for are declared, in every process (see torchvision_operators.py).
  SITE=$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  cp tests/vllm/torchvision_operators.py "$SITE/torchvision_operators.py"
  echo "import torchvision_operators" > "$SITE/torchvision_operators.pth"
  touch "$STAMP"
fi

export VLLM_PYTHON="$PWD/$VENV/bin/python"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} HF_HUB_OFFLINE=1
exec .venv/bin/python -m pytest tests/vllm --timeout 900 "$@"
