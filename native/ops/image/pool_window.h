// The windows of Pool and QPool over [N, spatial..., C], one to three spatial axes.
#pragma once

#include <algorithm>

#include "ops/support/op_support.h"

namespace octavo::ops {

struct PoolAttributes {
  std::vector<int64_t> kernel, strides, dilations;
  bool count_include_pad = false;

  Status load(const LoadContext& c) {
    kernel = c.integers("kernel");
    strides = c.integers("strides");
    dilations = c.integers("dilations");
    count_include_pad = c.integer("count_include_pad", 0) != 0;
    if (kernel.empty() || kernel.size() > 3)
      return c.error(Code::kUnsupported, "expected 1 to 3 spatial axes, got " + std::to_string(kernel.size()));
    if (strides.empty()) strides.assign(kernel.size(), 1);
    if (dilations.empty()) dilations.assign(kernel.size(), 1);
    if (strides.size() != kernel.size() || dilations.size() != kernel.size())
      return c.error(Code::kInvalidPlan, "kernel, strides and dilations differ in length");
    for (size_t i = 0; i < kernel.size(); ++i)
      for (int64_t v : {kernel[i], strides[i], dilations[i]})
        if (v < 1 || v > (1 << 20))
          return c.error(Code::kInvalidPlan,
                         "kernel, strides and dilations are expected in [1, 2^20], got " + std::to_string(v));
    return Status::Ok();
  }
};

// Always three axes: missing ones come first, of size 1.
struct PoolWindow {
  int64_t batch = 0, channels = 0, taps = 1;  // taps: of a window that lies inside
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, dilation[3] = {1, 1, 1};
  int64_t pad_begin[3] = {}, pad_end[3] = {};
  bool count_include_pad = false;

  Status plan(const PoolAttributes& a, BindContext& c) {
    const Shape &x = c.in(0), &y = c.out(0);
    const int spatial = static_cast<int>(a.kernel.size());
    std::vector<int64_t> pads = c.integers("pads");
    if (pads.empty()) pads.assign(2 * a.kernel.size(), 0);
    if (x.rank != spatial + 2 || pads.size() != 2 * a.kernel.size())
      return c.error(Code::kShape, "expected [N, " + std::to_string(spatial) +
                                       " spatial axes, C] and as many pads, got " + dims_text(x));
    batch = x[0];
    channels = x[x.rank - 1];
    count_include_pad = a.count_include_pad;
    Shape expected = x;
    for (int i = 0; i < spatial; ++i) {
      const int axis = 3 - spatial + i;
      const size_t k = static_cast<size_t>(i);
      in[axis] = x[1 + i];
      out[axis] = y.rank == x.rank ? y[1 + i] : 0;
      kernel[axis] = a.kernel[k];
      stride[axis] = a.strides[k];
      dilation[axis] = a.dilations[k];
      pad_begin[axis] = pads[k];
      pad_end[axis] = pads[k + a.kernel.size()];
      if (pad_begin[axis] < 0 || pad_end[axis] < 0 || pad_begin[axis] > (1 << 20) || pad_end[axis] > (1 << 20))
        return c.error(Code::kShape, "expected pads in [0, 2^20], got " + std::to_string(pad_begin[axis]) + " and " +
                                         std::to_string(pad_end[axis]));
      if (taps > (1 << 22) / kernel[axis]) return c.error(Code::kUnsupported, "a window of more than 2^22 elements");
      taps *= kernel[axis];
      // Every window starts inside of the padded input; how the size is rounded is the compiler's choice.
      if (out[axis] > 0 && (out[axis] - 1) * stride[axis] >= in[axis] + pad_begin[axis] + pad_end[axis])
        return c.error(Code::kShape, "the output " + dims_text(y) + " reaches beyond the input " + dims_text(x));
      expected.dims[1 + i] = out[axis];
    }
    return expect_shape(c, "output", expected, y);
  }

  int64_t rows() const { return batch * out[0] * out[1]; }
  int64_t pixels() const { return in[0] * in[1] * in[2]; }

  // Most windows are not dilated: no division for each of their pixels.
  static int64_t divide(int64_t a, int64_t b) { return b == 1 ? a : a / b; }

  struct Range {
    int64_t origin, first, last;
  };  // taps [first, last) of an axis lie inside; tap k is at origin + k * dilation
  Range range(int axis, int64_t o) const {
    Range r;
    r.origin = o * stride[axis] - pad_begin[axis];
    r.first = r.origin < 0 ? divide(-r.origin + dilation[axis] - 1, dilation[axis]) : 0;
    r.last = r.origin >= in[axis] ? 0 : divide(in[axis] - 1 - r.origin, dilation[axis]) + 1;
    if (r.last > kernel[axis]) r.last = kernel[axis];
    if (r.first > r.last) r.first = r.last;
    return r;
  }
  // Taps of an axis that lie inside of the padded input.
  int64_t padded(int axis, int64_t o) const {
    const int64_t room = in[axis] + pad_end[axis] - (o * stride[axis] - pad_begin[axis]);
    const int64_t n = room <= 0 ? 0 : divide(room - 1, dilation[axis]) + 1;
    return n < kernel[axis] ? n : kernel[axis];
  }

  // For one output row (index < rows()): f(output pixel, ranges of the three axes, divisor of an average).
  template <class F>
  void for_each_pixel(int64_t row, F f) const {
    const int64_t o1 = row % out[1], o0 = row / out[1] % out[0];
    Range r[3] = {range(0, o0), range(1, o1), {}};
    const int64_t padded01 = padded(0, o0) * padded(1, o1);
    for (int64_t o2 = 0; o2 < out[2]; ++o2) {
      r[2] = range(2, o2);
      const int64_t inside = (r[0].last - r[0].first) * (r[1].last - r[1].first) * (r[2].last - r[2].first);
      f(row * out[2] + o2, static_cast<const Range*>(r), inside, count_include_pad ? padded01 * padded(2, o2) : inside);
    }
  }
  // f(pixel index within the image, count) for runs of taps inside, dilation[2] pixels apart, in row-major order. Lines
  // that are covered from end to end make one run.
  template <class F>
  void for_each_run(const Range* r, F f) const {
    const int64_t across = r[2].last - r[2].first, down = r[1].last - r[1].first;
    const bool whole = across == in[2] && dilation[2] == 1 && dilation[1] == 1;
    const int64_t runs = whole ? std::min<int64_t>(down, 1) : down, count = whole ? across * down : across;
    for (int64_t k0 = r[0].first; k0 < r[0].last; ++k0)
      for (int64_t k1 = r[1].first; k1 < r[1].first + runs; ++k1) {
        const int64_t line = ((r[0].origin + k0 * dilation[0]) * in[1] + r[1].origin + k1 * dilation[1]) * in[2];
        if (count > 0) f(line + r[2].origin + r[2].first * dilation[2], count);
      }
  }
  // f(pixel index within the image) for every tap inside, in row-major order.
  template <class F>
  void for_each_tap(const Range* r, F f) const {
    for_each_run(r, [&](int64_t first, int64_t count) {
      for (int64_t k = 0; k < count; ++k) f(first + k * dilation[2]);
    });
  }
};

}  // namespace octavo::ops
