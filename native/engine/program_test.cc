#include "engine/program.h"

#include "engine/execution.h"
#include "engine/pool.h"
#include "test/check.h"
#include "test/plan_builder.h"

namespace octavo {
namespace {

using test::PlanBuilder;

const std::atomic<bool> kNever{false};

Limits small_limits() {
  Limits limits;
  limits.max_tensor_bytes = 1 << 20;
  limits.max_loop_iterations = 1000;
  return limits;
}

Status load(const std::vector<int32_t>& words, const std::vector<Buffer>& buffers,
            std::unique_ptr<Execution>* execution) {
  std::shared_ptr<const Program> program;
  int step = 0;
  OCTAVO_RETURN_IF_ERROR(
      Program::load(words.data(), words.size(), buffers, small_limits(), test::one_thread(), kNever, &program, &step));
  *execution = std::make_unique<Execution>(std::move(program));
  return (*execution)->prepare();
}

struct Input {
  TensorView view;
  Memory memory;
  template <class T>
  Input(const std::vector<int64_t>& dims, const std::vector<T>& values, DType type) {
    EXPECT(memory.allocate(values.size() * sizeof(T)));
    if (!values.empty()) std::memcpy(memory.data(), values.data(), values.size() * sizeof(T));
    view.dtype = type;
    view.shape.rank = static_cast<int>(dims.size());
    for (size_t d = 0; d < dims.size(); ++d) view.shape.dims[d] = dims[d];
    view.data = memory.data();
  }
};

std::vector<TensorView> views(const std::vector<Input>& inputs) {
  std::vector<TensorView> result;
  for (const Input& input : inputs) result.push_back(input.view);
  return result;
}

// y[n + n] = concat(x[n], x)
PlanBuilder concat_plan() {
  PlanBuilder b;
  const int n = b.symbol("n", SourceKind::kInput);
  const int x = b.tensor("x", DType::kFloat32, TensorKind::kInput, {n});
  const int y = b.tensor("y", DType::kFloat32, TensorKind::kOutput, {b.expression(ExprKind::kAdd, n, n)});
  b.output(y);
  b.step("Concat", {x, x}, {y});
  b.integers("axis", {b.constant(0)});
  return b;
}

// i, c, v[m] -> c, concat(v, x), x: m grows by the n of the outer x[n], x is scanned.
PlanBuilder loop_body() {
  PlanBuilder b;
  const int n = b.symbol("n", SourceKind::kOuter, 0);
  const int m = b.symbol("m", SourceKind::kInput);
  b.tensor("i", DType::kInt64, TensorKind::kInput, {});
  const int c = b.tensor("c", DType::kBool, TensorKind::kInput, {});
  const int v = b.tensor("v", DType::kFloat32, TensorKind::kInput, {m});
  const int x = b.tensor("x", DType::kFloat32, TensorKind::kInput, {n});
  const int more = b.tensor("more", DType::kFloat32, TensorKind::kOutput, {b.expression(ExprKind::kAdd, m, n)});
  const int scan = b.tensor("scan", DType::kFloat32, TensorKind::kOutput, {n});
  b.output(c);
  b.output(more);
  b.output(scan);
  b.step("Concat", {v, x}, {more});
  b.integers("axis", {b.constant(0)});
  b.step("Copy", {x}, {scan});
  return b;
}

// trips, x[n] -> the carried value after the loop, concatenated with itself (sizes known only after the loop)
PlanBuilder loop_plan() {
  PlanBuilder b;
  const int n = b.symbol("n", SourceKind::kInput);
  const int trips = b.tensor("trips", DType::kInt64, TensorKind::kInput, {});
  const int x = b.tensor("x", DType::kFloat32, TensorKind::kInput, {n});
  const int m = b.symbol("m", SourceKind::kDim, 2, 0);
  const int t = b.symbol("t", SourceKind::kDim, 3, 0);
  const int v = b.tensor("v", DType::kFloat32, TensorKind::kProvided, {m});
  const int scan = b.tensor("scan", DType::kFloat32, TensorKind::kProvided, {t, n});
  const int y = b.tensor("y", DType::kFloat32, TensorKind::kOutput, {b.expression(ExprKind::kAdd, m, m)});
  b.output(y);
  b.output(scan);
  PlanBuilder body = loop_body();
  b.step("Loop", {trips, -1, x, x}, {v, scan});
  b.integers("carried", {b.constant(1)});
  b.integers("symbols", {n});
  b.plan("body", body);
  b.step("Concat", {v, v}, {y});
  b.integers("axis", {b.constant(0)});
  return b;
}

// A branch that gives x once or twice.
PlanBuilder branch(bool twice) {
  PlanBuilder b;
  const int n = b.symbol("n", SourceKind::kInput);
  const int x = b.tensor("x", DType::kFloat32, TensorKind::kInput, {n});
  const int y = b.tensor("y", DType::kFloat32, TensorKind::kOutput, {twice ? b.expression(ExprKind::kAdd, n, n) : n});
  b.output(y);
  if (twice) {
    b.step("Concat", {x, x}, {y});
    b.integers("axis", {b.constant(0)});
  } else {
    b.step("Copy", {x}, {y});
  }
  return b;
}

// condition, k[1], x[n] -> fill of size k[0] from the branch's first element
PlanBuilder if_plan() {
  PlanBuilder b;
  const int n = b.symbol("n", SourceKind::kInput);
  const int condition = b.tensor("condition", DType::kBool, TensorKind::kInput, {});
  const int k = b.tensor("k", DType::kInt64, TensorKind::kInput, {b.constant(1)});
  const int x = b.tensor("x", DType::kFloat32, TensorKind::kInput, {n});
  const int m = b.symbol("m", SourceKind::kDim, 3, 0);
  const int size = b.symbol("size", SourceKind::kData, 1, 0);
  const int v = b.tensor("v", DType::kFloat32, TensorKind::kProvided, {m});
  const int y = b.tensor("y", DType::kFloat32, TensorKind::kOutput, {size, m});
  (void)k;
  b.output(y);
  PlanBuilder then_branch = branch(true), else_branch = branch(false);
  b.step("If", {condition, x}, {v});
  b.plan("then", then_branch);
  b.plan("else", else_branch);
  b.step("Expand", {v}, {y});
  return b;
}

std::vector<float> floats(const TensorView& view) {
  const float* data = static_cast<const float*>(view.data);
  return std::vector<float>(data, data + view.shape.elements());
}

}  // namespace

TEST(program_runs_with_many_sizes) {
  PlanBuilder b = concat_plan();
  std::unique_ptr<Execution> execution;
  EXPECT_OK(load(b.words(), {}, &execution));
  if (!execution) return;
  PoolView pool(2);
  for (int round = 0; round < 3; ++round)
    for (int64_t n = 0; n < 20; ++n) {
      std::vector<float> values;
      for (int64_t i = 0; i < n; ++i) values.push_back(static_cast<float>(i + round));
      std::vector<Input> inputs;
      inputs.emplace_back(std::vector<int64_t>{n}, values, DType::kFloat32);
      EXPECT_OK(execution->run(views(inputs), {}, pool, kNever));
      EXPECT_EQ(execution->output(0).shape[0], 2 * n);
      values.insert(values.end(), values.begin(), values.begin() + n);
      EXPECT(floats(execution->output(0)) == values);
    }
}

TEST(program_loop_grows_a_carried_value) {
  PlanBuilder b = loop_plan();
  std::unique_ptr<Execution> execution;
  EXPECT_OK(load(b.words(), {}, &execution));
  if (!execution) return;
  PoolView pool(1);
  for (int64_t trips : {0, 1, 5, 2}) {
    std::vector<Input> inputs;
    inputs.emplace_back(std::vector<int64_t>{}, std::vector<int64_t>{trips}, DType::kInt64);
    inputs.emplace_back(std::vector<int64_t>{2}, std::vector<float>{1, 2}, DType::kFloat32);
    EXPECT_OK(execution->run(views(inputs), {}, pool, kNever));
    EXPECT_EQ(execution->output(0).shape[0], 4 * (trips + 1));
    EXPECT_EQ(execution->output(1).shape[0], trips);
    EXPECT_EQ(execution->output(1).shape[1], 2);
    for (int64_t i = 0; i < 4 * (trips + 1); ++i)
      EXPECT_EQ(floats(execution->output(0))[static_cast<size_t>(i)], static_cast<float>(1 + i % 2));
  }
  std::vector<Input> inputs;
  inputs.emplace_back(std::vector<int64_t>{}, std::vector<int64_t>{1001}, DType::kInt64);
  inputs.emplace_back(std::vector<int64_t>{0}, std::vector<float>{}, DType::kFloat32);
  EXPECT_CODE(execution->run(views(inputs), {}, pool, kNever), Code::kLimit);
}

TEST(program_if_and_sizes_from_data) {
  PlanBuilder b = if_plan();
  std::unique_ptr<Execution> execution;
  EXPECT_OK(load(b.words(), {}, &execution));
  if (!execution) return;
  PoolView pool(1);
  for (int condition = 0; condition < 2; ++condition)
    for (int64_t size : {3, 1, -1, 0}) {
      std::vector<Input> inputs;
      inputs.emplace_back(std::vector<int64_t>{}, std::vector<uint8_t>{static_cast<uint8_t>(condition)}, DType::kBool);
      inputs.emplace_back(std::vector<int64_t>{1}, std::vector<int64_t>{size}, DType::kInt64);
      inputs.emplace_back(std::vector<int64_t>{3}, std::vector<float>{7, 8, 9}, DType::kFloat32);
      const Status status = execution->run(views(inputs), {}, pool, kNever);
      if (size < 0) {
        EXPECT_CODE(status, Code::kShape);
        continue;
      }
      EXPECT_OK(status);
      EXPECT_EQ(execution->output(0).shape[0], size);
      EXPECT_EQ(execution->output(0).shape[1], condition ? 6 : 3);
      if (size > 0) EXPECT_EQ(floats(execution->output(0)).back(), 9.0f);
    }
}

// Whatever the words are, load refuses them or the run ends well. Under ASan and UBSan this is a fuzzer with a seed.
TEST(program_survives_malformed_words) {
  const std::vector<int32_t> interesting = {-1, 0, 1, 2,  3,   4,          5,
                                            7,  8, 9, 16, 255, 0x7fffffff, static_cast<int32_t>(0x80000000)};
  PlanBuilder plans[] = {concat_plan(), loop_plan(), if_plan()};
  test::Random random(20);
  PoolView pool(1);
  int ran = 0, refused = 0;
  for (int p = 0; p < 3; ++p) {
    const std::vector<int32_t> words = plans[p].words();
    for (int round = 0; round < 6000; ++round) {
      std::vector<int32_t> changed = words;
      const int64_t changes = random.between(1, 3);
      for (int64_t c = 0; c < changes; ++c) {
        int32_t& word = changed[static_cast<size_t>(random.between(2, static_cast<int64_t>(words.size()) - 1))];
        word = random.between(0, 3) == 0
                   ? static_cast<int32_t>(word + random.between(-2, 2))
                   : interesting[static_cast<size_t>(random.between(0, static_cast<int64_t>(interesting.size()) - 1))];
      }
      if (random.between(0, 9) == 0)
        changed.resize(static_cast<size_t>(random.between(0, static_cast<int64_t>(changed.size()))));
      std::unique_ptr<Execution> execution;
      if (!load(changed, {}, &execution).ok()) {
        ++refused;
        continue;
      }
      std::vector<Input> inputs;
      if (p == 1) inputs.emplace_back(std::vector<int64_t>{}, std::vector<int64_t>{3}, DType::kInt64);
      if (p == 2) inputs.emplace_back(std::vector<int64_t>{}, std::vector<uint8_t>{1}, DType::kBool);
      if (p == 2) inputs.emplace_back(std::vector<int64_t>{1}, std::vector<int64_t>{2}, DType::kInt64);
      inputs.emplace_back(std::vector<int64_t>{3}, std::vector<float>{1, 2, 3}, DType::kFloat32);
      if (execution->run(views(inputs), {}, pool, kNever).ok()) ++ran;
      else ++refused;
    }
  }
  EXPECT(ran > 100);
  EXPECT(refused > 1000);
}

}  // namespace octavo
