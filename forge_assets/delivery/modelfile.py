"""Write the Modelfile that Ollama makes a model from (https://docs.ollama.com/modelfile).

Instructions used: FROM, TEMPLATE, PARAMETER, SYSTEM, LICENSE. ADAPTER is never written: the adapter is merged.
"""

from __future__ import annotations

from forge_assets.delivery.deployment import Deployment


def modelfile(made: Deployment, stops: tuple[str, ...], template: str) -> str:
    """Write the Modelfile of a deployment's served file.

    Args:
        stops: texts that end an answer, where the template does not end it by itself.
        template: how a conversation is put to the model, in Ollama's own template language.
    """
    lines = [
        f"# {made.name}: `ollama create {made.domain} -f Modelfile` in this folder",
        f"FROM ./{made.files[made.served].name}",
        f"TEMPLATE {_quoted(template)}",
        "PARAMETER temperature 0",
        f"PARAMETER num_ctx {made.context}",
        f"PARAMETER num_predict {made.max_new_tokens}",
        *(f"PARAMETER stop {_quoted(stop)}" for stop in stops),
        f"SYSTEM {_quoted(made.system)}",
        f"LICENSE {_quoted(made.licence)}",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A value of one line in quotes, one of several or with a quote in three; Ollama knows no escapes."""
    return f'"""{text}"""' if "\n" in text or '"' in text else f'"{text}"'
