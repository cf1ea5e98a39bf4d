"""Chat models behind one protocol: served (``openai_chat``) or in this process (``qwen3_vl``)."""
