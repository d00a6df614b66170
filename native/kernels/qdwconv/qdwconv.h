// Depthwise convolution: every channel has its own filter.
//
//   acc[p][c] = bias[c] + sum over taps t of  rows[p * taps + t][c] * w(t, c)      int32, wrapping
//
// Activations are uint8 or int8, weights int16: an 8-bit weight less any zero point is exact. Zero points of the
// activations are folded into the bias; rows outside of the image point at a row of zero points.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/requantize/requantize.h"

namespace octavo {

// Channels are padded to this in weights, bias and multiplier.
constexpr size_t kQDwChannels = 16;
// Bytes that may be read past the channels of a row.
constexpr size_t kQDwOverRead = 16;

struct QDwTile {
  const uint8_t* const* rows;  // [pixels][taps]; taps is even, a row too many has weights of zero
  size_t pixels;
  size_t taps;
  size_t channels;
  size_t padded;               // channels, rounded up to kQDwChannels
  const int16_t* weights;      // [taps / 2][padded][2]: two taps of a channel lie together
  const int32_t* bias;         // [padded]
  const float* multiplier;     // [padded]; not with to_int32
  Requantize requantize;
  bool to_int32;               // int32 instead of bytes
  void* c;                     // pixel p starts at c + p * c_stride; channels elements of it are written
  size_t c_stride;             // bytes
};

using QDwFunction = void (*)(const QDwTile& tile);

struct QDwKernel {
  const char* isa;
  const char* name;
  QDwFunction s8;  // int8 activations
  QDwFunction u8;
};

const QDwKernel* qdwconv_kernels(size_t* count);
const QDwKernel& choose_qdwconv();

#define OCTAVO_KERNEL(isa, symbol)        \
  void symbol##_s8(const QDwTile& tile);  \
  void symbol##_u8(const QDwTile& tile);
#include "kernels/qdwconv/kernels.inc"
#undef OCTAVO_KERNEL

}  // namespace octavo
