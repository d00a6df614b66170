// Activations of recurrent cells, by their ONNX names.
#pragma once

#include <string>
#include <vector>

#include "kernels/math/math.h"

namespace octavo::ops {

struct CellActivation {
  VectorFunction function = VectorFunction::kSigmoid;
  float parameters[2] = {0.0f, 0.0f};

  void operator()(const float* x, float* y, int64_t n) const { math_kernels().apply(function, x, y, n, parameters); }
};

// `alpha` and `beta`: the lists of the node, from which the activations that take parameters consume in turn,
// `*used_alpha` and
// `*used_beta` so far; ONNX's defaults past their end. False: no such activation.
bool parse_cell_activation(const std::string& name, const std::vector<float>& alpha, const std::vector<float>& beta,
                           size_t* used_alpha, size_t* used_beta, CellActivation* activation);

}  // namespace octavo::ops
