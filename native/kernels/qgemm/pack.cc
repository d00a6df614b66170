#include "kernels/qgemm/pack.h"

#include <algorithm>
#include <cstring>

#include "kernels/qpack/qpack.h"
#include "kernels/qunpack/qunpack.h"

namespace octavo {

bool make_qgemm_layout(const QGemmKernel& kernel, size_t taps, size_t k, size_t n, QGemmLayout* layout) {
  const size_t nr = static_cast<size_t>(kernel.nr), kr = static_cast<size_t>(kernel.kr);
  if (k > SIZE_MAX - kr || n > SIZE_MAX - nr) return false;
  *layout = {taps, k, n, nr, kr, (n + nr - 1) / nr, 0, kernel.packing};
  size_t bytes = 0;
  if (!kernel.packing->panel_bytes(kernel, taps, k, &layout->panel_bytes)) return false;
  layout->stored_bytes = layout->panel_bytes;
  return !__builtin_mul_overflow(layout->panel_bytes, layout->panels, &bytes) && bytes <= PTRDIFF_MAX &&
         !__builtin_mul_overflow(layout->panels, nr * sizeof(int32_t), &bytes);
}

bool store_in_bits(int bits, QGemmLayout* layout) {
  // The zeros of a panel's columns have to repeat with the blocks.
  if (qunpack_kernels().of(bits) == nullptr || kQUnpackBlock % (layout->nr * layout->kr) != 0) return false;
  layout->bits = bits;
  layout->stored_bytes = qunpack_blocks(layout->panel_bytes) * qunpack_bytes(bits);
  return true;
}

namespace {

// One tap of one panel: columns [first, first + count) of the source.
struct PanelTap {
  const QGemmLayout& layout;
  const QGemmSource& source;
  const uint8_t* data;  // of the first column
  int8_t* out;
  int32_t* sums;

  // Byte by byte: whatever vectors leave, and all of what no vector kernel is for.
  void edge(size_t column_begin, size_t column_end, size_t k_begin, size_t k_end) const {
    const size_t nr = layout.nr, kr = layout.kr;
    const auto put = [&](size_t c, size_t k) {
      const int8_t v = static_cast<int8_t>(data[c * source.n_stride + k * source.k_stride] ^ source.flip);
      out[(k / kr * nr + c) * kr + k % kr] = v;
      sums[c] = static_cast<int32_t>(static_cast<uint32_t>(sums[c]) + static_cast<uint32_t>(v));
    };
    if (source.n_stride == 1)
      for (size_t k = k_begin; k < k_end; ++k)
        for (size_t c = column_begin; c < column_end; ++c) put(c, k);
    else
      for (size_t c = column_begin; c < column_end; ++c)
        for (size_t k = k_begin; k < k_end; ++k) put(c, k);
  }

  // Groups of two without a vector kernel: words of columns of consecutive bytes.
  void pairs(size_t k_begin, size_t k_end, size_t count) const {
    const uint16_t flip = static_cast<uint16_t>(source.flip * 0x0101u);
    for (size_t c = 0; c < count; ++c) {
      const uint8_t* from = data + c * source.n_stride;
      int32_t sum = 0;
      for (size_t k = k_begin; k < k_end; ++k) sum += static_cast<int8_t>(from[k] ^ source.flip);
      sums[c] = static_cast<int32_t>(static_cast<uint32_t>(sums[c]) + static_cast<uint32_t>(sum));
      for (size_t k = k_begin; k < k_end; k += 2) {
        uint16_t word;
        std::memcpy(&word, from + k, sizeof word);
        word = static_cast<uint16_t>(word ^ flip);
        std::memcpy(out + (k * layout.nr) + c * 2, &word, sizeof word);
      }
    }
  }

  // The same of rows of columns side by side.
  void pairs_of_rows(size_t k_begin, size_t k_end, size_t count) const {
    for (size_t k = k_begin; k < k_end; k += 2) {
      const uint8_t *first = data + k * source.k_stride, *second = first + source.k_stride;
      int8_t* to = out + k * layout.nr;
      for (size_t c = 0; c < count; ++c) {
        const int8_t low = static_cast<int8_t>(first[c] ^ source.flip),
                     high = static_cast<int8_t>(second[c] ^ source.flip);
        to[2 * c] = low;
        to[2 * c + 1] = high;
        sums[c] = static_cast<int32_t>(static_cast<uint32_t>(sums[c]) + static_cast<uint32_t>(low + high));
      }
    }
  }

  void pack(size_t count, const QPackKernel* kernel) const {
    // What is written for one piece of all columns stays in the first cache.
    constexpr size_t kPiece = 256;
    size_t columns = 0, depth = 0;
    if (kernel && (source.n_stride == 1 || source.k_stride == 1)) {
      columns = count / kernel->width * kernel->width;
      depth = layout.k / layout.kr * layout.kr;
      for (size_t k = 0; k < depth; k += kPiece) {
        const QPackBlock block = {data + k * source.k_stride,
                                  source.k_stride,
                                  source.n_stride,
                                  std::min(kPiece, depth - k),
                                  columns,
                                  source.flip,
                                  out + k * layout.nr,
                                  layout.nr * layout.kr,
                                  sums};
        (source.k_stride == 1 ? kernel->columns : kernel->rows)(block);
      }
    } else if (layout.kr == 2 && (source.k_stride == 1 || source.n_stride == 1)) {
      columns = count;
      depth = layout.k / 2 * 2;
      for (size_t k = 0; source.k_stride == 1 && k < depth; k += kPiece) pairs(k, std::min(depth, k + kPiece), count);
      if (source.k_stride != 1) pairs_of_rows(0, depth, count);
    }
    edge(0, columns, depth, layout.k);
    edge(columns, count, 0, layout.k);
  }
};

bool panel_bytes(const QGemmKernel& kernel, size_t taps, size_t k, size_t* bytes) {
  const size_t nr = static_cast<size_t>(kernel.nr), kr = static_cast<size_t>(kernel.kr);
  return !__builtin_mul_overflow((k + kr - 1) / kr * kr, nr, bytes) && !__builtin_mul_overflow(*bytes, taps, bytes);
}

void pack_k_groups(const QGemmLayout& l, const QGemmSource& s, size_t first, size_t last, int8_t* packed,
                   int32_t* sums) {
  const QPackKernel* kernel = qpack_kernel(l.kr);
  for (size_t p = first; p < last; ++p) {
    const size_t column = p * l.nr;
    const size_t count = std::min(l.nr, l.n - column);
    int8_t* out = packed + p * l.panel_bytes;
    std::fill_n(sums + column, l.nr, 0);
    // Without depth there is nothing to write, and nowhere: memset does not take a null pointer.
    if (l.panel_bytes > 0 && (count < l.nr || l.k % l.kr != 0)) std::memset(out, 0, l.panel_bytes);
    for (size_t tap = 0; tap < l.taps; ++tap)
      PanelTap{l, s, s.data + column * s.n_stride + tap * s.tap_stride, out + tap * (l.panel_bytes / l.taps),
               sums + column}
          .pack(count, kernel);
  }
}

}  // namespace

const QGemmPacking qgemm_k_groups = {panel_bytes, pack_k_groups, true};

}  // namespace octavo
