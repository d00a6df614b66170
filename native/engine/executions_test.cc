#include "engine/executions.h"

#include <pthread.h>

#include "test/check.h"
#include "test/plan_builder.h"

namespace octavo {
namespace {

using test::PlanBuilder;

const std::atomic<bool> kNever{false};

// y[n, 96] = x[n, 64] w[64, 96] with a weight of the plan.
std::shared_ptr<const Program> product_program(const std::vector<float>& weights) {
  PlanBuilder b;
  const int n = b.symbol("n", SourceKind::kInput);
  const int k = b.constant(64), m = b.constant(96);
  const int x = b.tensor("x", DType::kFloat32, TensorKind::kInput, {n, k});
  const int w = b.tensor("w", DType::kFloat32, TensorKind::kConstant, {k, m}, 0);
  const int y = b.tensor("y", DType::kFloat32, TensorKind::kOutput, {n, m});
  b.output(y);
  b.step("MatMul", {x, w}, {y});
  const std::vector<int32_t> words = b.words();
  const std::vector<Buffer> buffers = {
      {reinterpret_cast<const uint8_t*>(weights.data()), weights.size() * sizeof(float)}};
  std::shared_ptr<const Program> program;
  int step = 0;
  EXPECT_OK(Program::load(words.data(), words.size(), buffers, Limits(), test::one_thread(), kNever, &program, &step));
  return program;
}

struct Feed {
  Memory memory;
  TensorView view;
  Feed(int64_t rows, int seed) {
    EXPECT(memory.allocate(static_cast<size_t>(rows) * 64 * sizeof(float)));
    float* x = reinterpret_cast<float*>(memory.data());
    for (int64_t i = 0; i < rows * 64; ++i) x[i] = static_cast<float>((i * 7 + seed) % 23) - 11.0f;
    view.shape.rank = 2;
    view.shape.dims[0] = rows;
    view.shape.dims[1] = 64;
    view.data = x;
  }
};

std::vector<float> output_of(const Lane& lane) {
  const TensorView y = lane.execution()->output(0);
  const float* data = static_cast<const float*>(y.data);
  return std::vector<float>(data, data + y.shape.elements());
}

struct Caller {
  std::shared_ptr<Lane> lane;
  int seed = 0;
  std::vector<float> expected;
  int wrong = 0;
};

void* run_many(void* argument) {
  Caller& caller = *static_cast<Caller*>(argument);
  const Feed feed(200, caller.seed);
  for (int i = 0; i < 50; ++i)
    if (!caller.lane->run({feed.view}, kNever, false).ok() || output_of(*caller.lane) != caller.expected)
      ++caller.wrong;
  return nullptr;
}

std::vector<float> some_weights() {
  std::vector<float> weights(64 * 96);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 13) / 8.0f;
  return weights;
}

}  // namespace

TEST(executions_at_once_give_what_they_give_alone) {
  const std::vector<float> weights = some_weights();
  Executions executions(product_program(weights), nullptr, 3, 4);
  Caller callers[4];
  for (int i = 0; i < 4; ++i) {
    callers[i].seed = i;
    callers[i].lane = executions.take();
    EXPECT(callers[i].lane != nullptr);
    if (callers[i].lane == nullptr) return;
    const Feed feed(200, i);
    EXPECT_OK(callers[i].lane->run({feed.view}, kNever, false));
    callers[i].expected = output_of(*callers[i].lane);
  }
  EXPECT(callers[0].expected != callers[1].expected);
  EXPECT(executions.take() == nullptr);
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i) pthread_create(&threads[i], nullptr, run_many, &callers[i]);
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  for (const Caller& caller : callers) EXPECT_EQ(caller.wrong, 0);
}

TEST(executions_are_made_on_demand) {
  const std::vector<float> weights = some_weights();
  Executions executions(product_program(weights), nullptr, 1, 2);
  const Feed feed(10, 0);
  size_t one = 0;
  for (int i = 0; i < 5; ++i) {
    std::shared_ptr<Lane> lane = executions.take();
    EXPECT(lane != nullptr);
    EXPECT_OK(lane->run({feed.view}, kNever, false));
    executions.give_back(std::move(lane));
    EXPECT_EQ(executions.made(), 1);
    if (i == 0) one = executions.arena_bytes();
    EXPECT_EQ(executions.arena_bytes(), one);
  }
  EXPECT(one > 0);
  std::shared_ptr<Lane> first = executions.take(), second = executions.take();
  EXPECT(second != nullptr);
  EXPECT(executions.take() == nullptr);
  EXPECT_OK(second->run({feed.view}, kNever, false));
  executions.give_back(std::move(second));
  executions.give_back(std::move(first));
  EXPECT_EQ(executions.made(), 2);
  EXPECT_EQ(executions.arena_bytes(), 2 * one);
}

TEST(executions_of_a_program_that_writes_states_are_one) {
  PlanBuilder b;
  const int size = b.constant(4);
  const int x = b.tensor("x", DType::kFloat32, TensorKind::kInput, {size});
  const int s = b.tensor("s", DType::kFloat32, TensorKind::kState, {size});
  b.step("Copy", {x}, {s});
  const std::vector<int32_t> words = b.words();
  std::shared_ptr<const Program> program;
  int step = 0;
  EXPECT_OK(Program::load(words.data(), words.size(), {}, Limits(), test::one_thread(), kNever, &program, &step));
  if (program == nullptr) return;
  Executions executions(program, nullptr, 1, 8);
  const std::shared_ptr<Lane> lane = executions.take();
  EXPECT(lane != nullptr);
  EXPECT(executions.take() == nullptr);
}

}  // namespace octavo
