"""The peers of a pipeline benchmark: one plain network, run in every way that its users have."""

import io

import pytest
import torch
from compiled import compiled

PEERS = ("eager", "compile", "max-autotune", "onnxruntime")


def peer(name, plain, inputs):
    """The plain network as a callable of ``inputs``.

    Args:
        name: one of :data:`PEERS`.
        plain: a module in eval mode.
        inputs: tensors to specialise it on.
    """
    if name == "eager":
        return plain
    if name == "compile":
        return compiled(plain)
    if name == "max-autotune":
        torch._dynamo.reset()
        return torch.compile(plain, dynamic=False, fullgraph=True, mode="max-autotune")
    return _onnxruntime(plain, inputs)


def _onnxruntime(plain, inputs):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is in the extra onnx")
    pytest.importorskip("onnxscript", reason="onnxscript is in the extra onnx")
    file = io.BytesIO()
    with torch.inference_mode(False):
        copies = tuple(tensor.clone() for tensor in inputs)
        torch.onnx.export(plain, copies, dynamo=True, verbose=False).save(file)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]

    def run(*tensors):
        feeds = {name: tensor.numpy() for name, tensor in zip(names, tensors, strict=True)}
        return torch.from_numpy(session.run(None, feeds)[0])

    return run
