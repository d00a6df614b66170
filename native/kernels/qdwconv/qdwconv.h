// Depthwise convolution over a run of output pixels of one row: every channel has its own filter.
//
//   acc[p][c] = bias[c] + sum over taps (y, x) of  column(y, first + p * stride + x * dilation)[c] * w(y, x, c) int32,
//   wrapping
//
// column(y, i) is channels of row y; outside of [0, columns) it is `zeros`. Zero points of the activations are folded
// into the bias. Weights are int16, so that an 8-bit weight less any zero point is exact; most kernels take only those
// of 8 bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa_id.h"
#include "kernels/requantize/requantize.h"

namespace octavo {

// Channels are padded to this in bias and multiplier.
constexpr size_t kQDwChannels = 16;
// Bytes that may be read past the channels of a column.
constexpr size_t kQDwOverRead = 16;
// Pixels whose taps a kernel may list at a time.
constexpr size_t kQDwListed = 8;

// What the layout of the packed weights depends on. Steps down the image are the caller's: it names the rows.
struct QDwWindow {
  size_t height = 1, width = 1;     // of the kernel
  size_t stride = 1, dilation = 1;  // along a row

  size_t taps() const { return height * width; }
  // Square windows of 3 and 5, which kernels roll along a row: a column is read once for all pixels that it is a tap
  // of.
  bool rolls() const { return height == width && (width == 3 || width == 5) && stride <= 2 && dilation == 1; }
};

struct QDwTile {
  QDwWindow window;
  const uint8_t* const*
      rows;  // [window.height + out_rows - 1]: column 0 of each row, of which the next lies `channels` bytes further
  const uint8_t* zeros;  // a column of zero points
  ptrdiff_t first;       // column of the first tap of the first pixel
  size_t columns;        // of the rows
  size_t pixels;
  size_t channels;
  const void* weights;      // of the kernel's own pack
  const int32_t* bias;      // [channels, padded]
  const float* multiplier;  // [channels, padded]; not with to_int32
  Requantize requantize;
  bool to_int32;            // int32 instead of bytes
  void* c;                  // pixel p starts at c + p * c_stride; channels elements of it are written
  size_t c_stride;          // bytes
  size_t out_rows = 1;      // up to qdwconv_rows: the window of the second begins at rows[1]
  size_t c_row_stride = 0;  // bytes
  const uint8_t** list;     // scratch: kQDwListed * (taps rounded up to 4) pointers
};

using QDwFunction = void (*)(const QDwTile& tile);
// weights: [taps][channels]; out: qdwconv_packed_bytes.
using QDwPack = void (*)(const QDwWindow& window, const int16_t* weights, size_t channels, void* out);

struct QDwKernel {
  Isa isa;
  const char* name;
  int low, high;  // the weights it takes
  size_t weight_bytes;
  size_t rows;  // of outputs, at most, that it makes of a square window of 3 or 5 in one call
  QDwPack pack;
  QDwFunction s8;  // int8 activations
  QDwFunction u8;
};

// Best first.
const QDwKernel* qdwconv_kernels(size_t* count);
// The best for weights from `low` to `high`.
const QDwKernel& choose_qdwconv(int low, int high);
// Rows of outputs that a call may make.
size_t qdwconv_rows(const QDwKernel& kernel, const QDwWindow& window);
// False: overflow.
[[nodiscard]] bool qdwconv_packed_bytes(const QDwKernel& kernel, const QDwWindow& window, size_t channels,
                                        size_t* bytes);

#define OCTAVO_KERNEL(isa, symbol, low, high, bytes, rows)                                         \
  void symbol##_pack(const QDwWindow& window, const int16_t* weights, size_t channels, void* out); \
  void symbol##_s8(const QDwTile& tile);                                                           \
  void symbol##_u8(const QDwTile& tile);
#include "kernels/qdwconv/kernels.inc"
#undef OCTAVO_KERNEL

}  // namespace octavo
