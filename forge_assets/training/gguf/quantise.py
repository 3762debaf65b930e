"""Write a GGUF file with its weights in fewer bits, by the kernels of llama.cpp (`ggml_quantize_chunk`).

Which tensor gets which type is llama.cpp's own rule for Q8_0 and Q4_K_M (`llama-quant.cpp`): matrices only; the output
layer, and the value and down projections of every layer where errors hurt most, get more bits; rows whose length is no
multiple of a super-block of 256 fall back to types with blocks of 32.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from gguf import GGMLQuantizationType, GGUFReader, ReaderTensor

Quantised = Literal["q8_0", "q4_k_m"]

_FALLBACK = {"Q4_K": "Q5_0", "Q6_K": "Q8_0"}
_KEPT = "ffn_gate_inp", "attn_sinks", "token_types", "pos_embd"
"""Parts of the names of small tensors that decide much."""


def quantise(source: Path, target: Path, to: Quantised) -> None:
    """Write `source`, a file of f16 or f32 weights, as `target`.

    Raises:
        ValueError: the kernels give another size than the file's format asks for.
    """
    import gguf

    reader = gguf.GGUFReader(source)
    architecture = str(_value(reader, "general.architecture"))
    writer = gguf.GGUFWriter(target, architecture)
    kind = gguf.LlamaFileType.MOSTLY_Q8_0 if to == "q8_0" else gguf.LlamaFileType.MOSTLY_Q4_K_M
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name in ("general.architecture", "general.file_type"):
            continue
        value_type = field.types[0]
        sub_type = field.types[-1] if value_type == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), value_type, sub_type)
    writer.add_file_type(kind)
    layers = int(_value(reader, f"{architecture}.block_count"))
    names = {tensor.name for tensor in reader.tensors}
    kinds = [_kind(tensor, to, layers, tied="output.weight" not in names) for tensor in reader.tensors]
    for tensor, wanted in zip(reader.tensors, kinds, strict=True):
        shape, size, dtype = tensor.data.shape, tensor.n_bytes, tensor.data.dtype
        if wanted is not None:
            block, stored = gguf.GGML_QUANT_SIZES[wanted]
            shape, dtype = (*shape[:-1], shape[-1] // block * stored), np.dtype(np.uint8)
            size = int(np.prod(shape))
        writer.add_tensor_info(tensor.name, shape, dtype, size, wanted if wanted is not None else _raw(tensor))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor, wanted in zip(reader.tensors, kinds, strict=True):
        writer.write_tensor_data(tensor.data if wanted is None else _rows(tensor.data, wanted))
    writer.close()


def _value(reader: GGUFReader, name: str) -> Any:
    field = reader.get_field(name)
    if field is None:
        raise ValueError(f"the file has no {name}: it is no model of language")
    return field.contents()


def _raw(tensor: ReaderTensor) -> GGMLQuantizationType | None:
    """The type of a tensor that is left as it is, where its array's own type does not say it."""
    return tensor.tensor_type if tensor.data.dtype == np.uint8 else None


def _kind(tensor: ReaderTensor, to: Quantised, layers: int, tied: bool) -> GGMLQuantizationType | None:
    """The type that a tensor gets; None: it stays as it is."""
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    name, data = tensor.name, tensor.data
    if data.ndim < 2 or data.dtype == np.uint8 or not name.endswith(".weight") or any(k in name for k in _KEPT):
        return None
    if to == "q8_0":
        chosen = "Q8_0"
    elif name == "output.weight" or (tied and name == "token_embd.weight"):
        chosen = "Q6_K"
    elif any(part in name for part in ("attn_v.", "ffn_down")):
        chosen = "Q6_K" if _more_bits(int(name.split(".")[1]), layers) else "Q4_K"
    else:
        chosen = "Q4_K"
    if data.shape[-1] % GGML_QUANT_SIZES[GGMLQuantizationType[chosen]][0]:
        chosen = _FALLBACK.get(chosen, "F16")
    wanted = GGMLQuantizationType[chosen]
    return wanted if chosen != "F16" and data.shape[-1] % GGML_QUANT_SIZES[wanted][0] == 0 else None


def _more_bits(layer: int, layers: int) -> bool:
    """The first and last eighth of the layers, and every third between."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def _rows(data: np.ndarray[Any, Any], wanted: GGMLQuantizationType) -> np.ndarray[Any, Any]:
    """Rows of weights in a quantised type, as bytes; one matrix at a time where there are several (experts)."""
    from gguf import GGML_QUANT_SIZES

    block, stored = GGML_QUANT_SIZES[wanted]
    width = data.shape[-1]
    given = data.reshape(-1, data.shape[-2], width)
    done = np.empty((len(given), data.shape[-2], width // block * stored), np.uint8)
    for i, matrix in enumerate(given):
        rows = np.ascontiguousarray(matrix, dtype=np.float32)
        size = _kernel()(int(wanted), rows.ctypes.data, done[i].ctypes.data, 0, len(rows), width, None)
        if size != done[i].nbytes:
            raise ValueError(f"{wanted.name}: the kernel wrote {size} bytes in place of {done[i].nbytes}")
    return done.reshape(*data.shape[:-1], -1)


@cache
def _kernel() -> Any:
    import xllamacpp

    library = next(Path(xllamacpp.__file__).parent.glob("xllamacpp*.so"))
    function = ctypes.CDLL(str(library)).ggml_quantize_chunk
    function.restype = ctypes.c_size_t
    function.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int64] * 3, ctypes.c_void_p]
    return function
