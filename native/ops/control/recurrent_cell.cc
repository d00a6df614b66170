#include "ops/control/recurrent_cell.h"

namespace octavo::ops {
namespace {

struct Known {
  const char* name;  // lower case: ONNX says that names are matched without case
  VectorFunction function;
  int parameters;
  float alpha, beta;
};

constexpr Known kKnown[] = {
    {"relu", VectorFunction::kRelu, 0, 0, 0},
    {"tanh", VectorFunction::kTanh, 0, 0, 0},
    {"sigmoid", VectorFunction::kSigmoid, 0, 0, 0},
    {"softsign", VectorFunction::kSoftsign, 0, 0, 0},
    {"softplus", VectorFunction::kSoftplus, 0, 0, 0},
    {"affine", VectorFunction::kAffine, 2, 1.0f, 0.0f},
    {"leakyrelu", VectorFunction::kLeakyRelu, 1, 0.01f, 0},
    {"thresholdedrelu", VectorFunction::kThresholdedRelu, 1, 1.0f, 0},
    {"hardsigmoid", VectorFunction::kHardSigmoid, 2, 0.2f, 0.5f},
    {"elu", VectorFunction::kElu, 1, 1.0f, 0},
};

}  // namespace

bool parse_cell_activation(const std::string& name, const std::vector<float>& alpha, const std::vector<float>& beta,
                           size_t* used_alpha, size_t* used_beta, CellActivation* activation) {
  std::string lower = name;
  for (char& ch : lower)
    if (ch >= 'A' && ch <= 'Z') ch = static_cast<char>(ch - 'A' + 'a');
  for (const Known& known : kKnown) {
    if (lower != known.name) continue;
    activation->function = known.function;
    activation->parameters[0] =
        known.parameters > 0 && *used_alpha < alpha.size() ? alpha[(*used_alpha)++] : known.alpha;
    activation->parameters[1] = known.parameters > 1 && *used_beta < beta.size() ? beta[(*used_beta)++] : known.beta;
    return true;
  }
  return false;
}

}  // namespace octavo::ops
