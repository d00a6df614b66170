// Convolution and its transpose by the definition, in double: channels last, up to three spatial axes.
#pragma once

#include <cstdint>
#include <vector>

namespace octavo::test {

struct ConvCase {
  int64_t batch, channels, filters, group;
  std::vector<int64_t> in, kernel, strides, pads, dilations;  // pads: begins, then ends
  std::vector<int64_t> extra;                                 // output_padding of the transpose; empty: 0

  std::vector<int64_t> out(bool transposed) const {
    std::vector<int64_t> sizes;
    for (size_t i = 0; i < in.size(); ++i) {
      const int64_t extent = dilations[i] * (kernel[i] - 1) + 1, pad = pads[i] + pads[in.size() + i];
      sizes.push_back(transposed ? (in[i] - 1) * strides[i] + extent - pad + (extra.empty() ? 0 : extra[i])
                                 : (in[i] + pad - extent) / strides[i] + 1);
    }
    return sizes;
  }
};

inline int64_t product(const std::vector<int64_t>& v) {
  int64_t n = 1;
  for (int64_t d : v) n *= d;
  return n;
}

inline std::vector<int64_t> unravel(int64_t index, const std::vector<int64_t>& sizes) {
  std::vector<int64_t> at(sizes.size());
  for (size_t i = sizes.size(); i-- > 0; index /= sizes[i]) at[i] = index % sizes[i];
  return at;
}

// x [N, in..., C]; w as ONNX has it; returns [N, out..., M]. Scatters for the transpose, gathers otherwise.
inline std::vector<double> reference_conv(const ConvCase& c, bool transposed, const std::vector<float>& x,
                                          const std::vector<float>& w, const std::vector<float>& bias) {
  const std::vector<int64_t> out = c.out(transposed), small = transposed ? c.in : out, large = transposed ? out : c.in;
  const int64_t cg = c.channels / c.group, mg = c.filters / c.group, taps = product(c.kernel);
  std::vector<double> y(static_cast<size_t>(c.batch * product(out) * c.filters));
  for (size_t i = 0; i < y.size(); ++i) y[i] = bias.empty() ? 0.0 : bias[i % static_cast<size_t>(c.filters)];
  // Pixel s of the smaller tensor meets pixel l = s * stride + k * dilation - pad of the larger one under tap k.
  for (int64_t n = 0; n < c.batch; ++n)
    for (int64_t s = 0; s < product(small); ++s)
      for (int64_t k = 0; k < taps; ++k) {
        const std::vector<int64_t> sp = unravel(s, small), kp = unravel(k, c.kernel);
        int64_t l = 0;
        bool inside = true;
        for (size_t i = 0; i < small.size(); ++i) {
          const int64_t p = sp[i] * c.strides[i] + kp[i] * c.dilations[i] - c.pads[i];
          inside = inside && p >= 0 && p < large[i];
          l = l * large[i] + p;
        }
        if (!inside) continue;
        const int64_t ip = transposed ? s : l, op = transposed ? l : s;
        for (int64_t g = 0; g < c.group; ++g)
          for (int64_t m = 0; m < mg; ++m)
            for (int64_t ch = 0; ch < cg; ++ch) {
              const int64_t wi = transposed ? ((g * cg + ch) * mg + m) * taps + k : ((g * mg + m) * cg + ch) * taps + k;
              y[static_cast<size_t>((n * product(out) + op) * c.filters + g * mg + m)] +=
                  static_cast<double>(x[static_cast<size_t>((n * product(c.in) + ip) * c.channels + g * cg + ch)]) *
                  w[static_cast<size_t>(wi)];
            }
      }
  return y;
}

}  // namespace octavo::test
