"""Quantizes MODEL with onnxruntime.quantization, after the preprocessing that its documentation asks for.

usage: onnxruntime_quantize.py MODEL FOLDER OUT     FOLDER holds samples.bin (float32) and samples.json: input, dims and
settings, arguments of quantize_static that differ from its defaults; types by their names in QuantType
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
        self.input = spec["input"]
        self.dims = iter(spec["dims"])

    def get_next(self):
        dims = next(self.dims, None)
        if dims is None:
            return None
        values = numpy.fromfile(self.file, dtype=numpy.float32, count=int(numpy.prod(dims)))
        return {self.input: values.reshape(dims)}


model, folder, out = sys.argv[1:]
prepared = os.path.join(folder, "prepared.onnx")
try:
    quant_pre_process(model, prepared)
except Exception:  # Symbolic shape inference does not know every operator.
    quant_pre_process(model, prepared, skip_symbolic_shape=True)
samples = Samples(folder)
settings = {key: QuantType[value] if key.endswith("_type") else value for key, value in samples.settings.items()}
quantize_static(prepared, out, samples, **settings)
