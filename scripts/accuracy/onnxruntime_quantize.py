"""Quantizes MODEL with onnxruntime.quantization, after the preprocessing that its documentation asks for.

usage: onnxruntime_quantize.py MODEL FOLDER OUT     FOLDER holds samples.bin and samples.json: samples, each a list of
{ name, type, dims } whose bytes follow one another in samples.bin, and settings, arguments of quantize_static that differ from
its defaults; types by their names in QuantType
"""
import json
import os
import sys

import numpy
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


class Samples(CalibrationDataReader):
    def __init__(self, folder):
        with open(os.path.join(folder, "samples.json")) as file:
            spec = json.load(file)
        self.settings = spec["settings"]
        self.file = open(os.path.join(folder, "samples.bin"), "rb")
        self.samples = iter(spec["samples"])

    def get_next(self):
        tensors = next(self.samples, None)
        return None if tensors is None else {t["name"]: self.read(t) for t in tensors}

    def read(self, tensor):
        count = int(numpy.prod(tensor["dims"], dtype=numpy.int64))
        return numpy.fromfile(self.file, dtype=tensor["type"], count=count).reshape(tensor["dims"])


model, folder, out = sys.argv[1:]
prepared = os.path.join(folder, "prepared.onnx")
try:
    quant_pre_process(model, prepared)
except Exception:  # Symbolic shape inference does not know every operator.
    quant_pre_process(model, prepared, skip_symbolic_shape=True)
samples = Samples(folder)
settings = {key: QuantType[value] if key.endswith("_type") else value for key, value in samples.settings.items()}
quantize_static(prepared, out, samples, **settings)
