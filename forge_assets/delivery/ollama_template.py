"""Write a chat template as Ollama's TEMPLATE (https://docs.ollama.com/modelfile#template), from what it renders.

Ollama looks the file's own chat template up among those that it knows, and puts the bare question to the model where it
finds none. So the template is written out. Its pieces are cut from conversations that the model's own template renders:
it is exact for a system text and a question, whatever the family, and nothing is known about any family here.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any, NoReturn

from jinja2.sandbox import ImmutableSandboxedEnvironment

SYSTEM, QUESTION, ANSWER, NEXT = "\ue000", "\ue001", "\ue002", "\ue003"
"""Stand for the texts of a conversation: characters of the private use area, which no template writes."""


def begins_by_itself(file: Path) -> bool:
    """Whether llama.cpp puts the token for the beginning before a text that is asked, as a GGUF file says."""
    import gguf

    reader = gguf.GGUFReader(file)
    said, vocabulary = (reader.get_field(f"tokenizer.ggml.{name}") for name in ("add_bos_token", "model"))
    if said is not None:
        return bool(said.contents())
    return vocabulary is not None and vocabulary.contents() == "llama"


def ollama_template(folder: Path, begins: bool) -> str:
    """Write the TEMPLATE of a model folder with `chat_template.jinja` and `tokenizer_config.json`.

    Args:
        begins: whether the token for the beginning is put there anyway, see `begins_by_itself`.

    Raises:
        ValueError: the template leaves a text of a conversation out, or moves it, so that pieces cannot say it.
    """
    source = (folder / "chat_template.jinja").read_text("utf-8")
    config = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    special = {name: text for name in ("bos_token", "eos_token") if (text := _text(config.get(name)))}
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals |= {"raise_exception": _refuse, "strftime_now": lambda how: dt.datetime.now().strftime(how)}
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    template = environment.from_string(source)

    def pieces(*texts: str) -> list[str]:
        roles = ("system", "user", "assistant", "user")
        messages = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]
        rendered = template.render(messages=messages, add_generation_prompt=True, **special)
        found, rest = [], rendered
        for text in texts:
            before, there, rest = rest.partition(text)
            if not there or text in rest:
                raise ValueError(f"{folder}/chat_template.jinja does not render every text of a conversation once")
            found.append(before)
        return [*found, rest]

    before, between, opening = pieces(SYSTEM, QUESTION)
    *first, turn, again = pieces(SYSTEM, QUESTION, ANSWER, NEXT)
    if first != [before, between, first[2]] or again != opening:
        raise ValueError(f"{folder}/chat_template.jinja renders a first question otherwise when another follows")
    start = before.removeprefix(special.get("bos_token", "")) if begins else before
    return (
        f"{{{{ if .System }}}}{_plain(start)}{{{{ .System }}}}{_plain(between)}"
        f"{{{{ else }}}}{_plain(turn)}{{{{ end }}}}"
        f"{{{{ .Prompt }}}}{_plain(opening)}{{{{ .Response }}}}"
    )


def _plain(text: str) -> str:
    """Text as Go's templates leave it: theirs begin at two braces."""
    return text.replace("{{", '{{ "{{" }}')


def _text(token: Any) -> str:
    """A special token's text; some files hold it as an object."""
    return str(token["content"]) if isinstance(token, dict) else str(token or "")


def _refuse(why: str) -> NoReturn:
    raise ValueError(f"the chat template refuses a conversation: {why}")
