// ObserveGram: X^T X in float64, where the rows of X are the vectors along the channel axis; every entry is added up in
// the order of the rows. Rows that hold an infinity or NaN are left out.
#include "ops/observe/frame.h"

namespace octavo {
namespace {

constexpr int64_t kTile = 32;  // entries of a task: kTile * kTile
constexpr int64_t kRows = 64;  // rows that are gathered at once

class Gram final : public Bound {
 public:
  Status prepare(const observe::ChannelAttributes& a, BindContext& c) {
    OCTAVO_RETURN_IF_ERROR(a.view(c, &view_));
    tiles_ = (view_.n + kTile - 1) / kTile;
    // Shared: which rows count. Per thread: the columns of a tile's two sides.
    c.scratch(static_cast<size_t>(rows()), 2 * kRows * kTile * sizeof(double));
    return observe::check_state(c, GramRecord::words(view_.n));
  }

  Status run(RunContext& c) override {
    const float* x = c.in<float>(0);
    const GramRecord record(c.out<double>(0));
    uint8_t* counts = static_cast<uint8_t*>(c.shared_scratch());
    mark_rows(x, counts, record);
    c.pool().for_each(tiles_ * (tiles_ + 1) / 2, [&](int64_t task, int thread) {
      int64_t i = 0;  // tiles on and above the diagonal, line by line
      for (; task >= tiles_ - i; ++i) task -= tiles_ - i;
      add_tile(x, counts, i * kTile, (i + task) * kTile, static_cast<double*>(c.thread_scratch(thread)),
               record.products);
    });
    for (int64_t i = 0; i < view_.n; ++i)
      for (int64_t j = 0; j < i; ++j) record.products[i * view_.n + j] = record.products[j * view_.n + i];
    return Status::Ok();
  }

 private:
  int64_t rows() const { return view_.outer * view_.inner; }
  // The first element of a row; the others are `inner` apart.
  const float* row(const float* x, int64_t r) const { return x + view_.start(r); }

  void mark_rows(const float* x, uint8_t* counts, const GramRecord& record) const {
    for (int64_t r = 0; r < rows(); ++r) {
      int64_t finite = 0;
      for (int64_t i = 0; i < view_.n; ++i) finite += observe::is_finite(row(x, r)[i * view_.inner]) ? 1 : 0;
      counts[r] = finite == view_.n ? 1 : 0;
      *record.count += static_cast<double>(finite);
      *record.nonfinite += static_cast<double>(view_.n - finite);
      *record.rows += counts[r];
    }
  }

  void add_tile(const float* x, const uint8_t* counts, int64_t i0, int64_t j0, double* scratch,
                double* products) const {
    double* left = scratch;
    double* right = scratch + kRows * kTile;
    const int64_t width = view_.n - i0 < kTile ? view_.n - i0 : kTile;
    const int64_t height = view_.n - j0 < kTile ? view_.n - j0 : kTile;
    for (int64_t r = 0; r < rows();) {
      int64_t taken = 0;
      for (; r < rows() && taken < kRows; ++r) {
        if (!counts[r]) continue;
        for (int64_t k = 0; k < width; ++k) left[taken * kTile + k] = row(x, r)[(i0 + k) * view_.inner];
        for (int64_t k = 0; k < height; ++k) right[taken * kTile + k] = row(x, r)[(j0 + k) * view_.inner];
        ++taken;
      }
      for (int64_t i = 0; i < width; ++i) {
        double* line = products + (i0 + i) * view_.n + j0;
        for (int64_t t = 0; t < taken; ++t) {
          const double a = left[t * kTile + i];
          for (int64_t j = 0; j < height; ++j) line[j] += a * right[t * kTile + j];
        }
      }
    }
  }

  int64_t tiles_ = 0;
  ops::AxisView view_;
};

}  // namespace

Status make_observe_gram(const LoadContext& c, std::unique_ptr<Op>* op) {
  return ops::make_op<observe::ChannelAttributes, Gram>(c, op);
}

}  // namespace octavo
