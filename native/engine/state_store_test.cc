#include "engine/state_store.h"

#include <pthread.h>

#include "engine/executions.h"
#include "test/check.h"
#include "test/plan_builder.h"

namespace octavo {
namespace {

using test::PlanBuilder;

const std::atomic<bool> kNever{false};

// total[4] += x[4] in place, from the first value of buffer 0 (-1: zeros); y[4] = what total was.
PlanBuilder counting_plan(int first = -1, int size = 4, DType type = DType::kFloat32) {
  PlanBuilder b;
  const int n = b.constant(size);
  const int x = b.tensor("x", type, TensorKind::kInput, {n});
  const int total = b.tensor("total", type, TensorKind::kState, {n}, first);
  const int y = b.tensor("y", type, TensorKind::kOutput, {n});
  b.output(y);
  b.step("Copy", {total}, {y});
  b.step("Binary", {total, x}, {total});
  b.text("fn", "add");
  return b;
}

// y[4] = total[4]
PlanBuilder reading_plan() {
  PlanBuilder b;
  const int n = b.constant(4);
  const int total = b.tensor("total", DType::kFloat32, TensorKind::kState, {n});
  const int y = b.tensor("y", DType::kFloat32, TensorKind::kOutput, {n});
  b.output(y);
  b.step("Copy", {total}, {y});
  return b;
}

Status load(PlanBuilder b, const std::vector<Buffer>& buffers, const std::shared_ptr<StateStore>& store,
            std::unique_ptr<Executions>* executions) {
  const std::vector<int32_t> words = b.words();
  std::shared_ptr<const Program> program;
  int step = 0;
  OCTAVO_RETURN_IF_ERROR(
      Program::load(words.data(), words.size(), buffers, Limits(), test::one_thread(), kNever, &program, &step));
  OCTAVO_RETURN_IF_ERROR(store->adopt(program->plan(), 1 << 20, buffers));
  *executions = std::make_unique<Executions>(std::move(program), store, 1, 3);
  return Status::Ok();
}

std::vector<float> run(Executions& executions, const std::vector<float>& x) {
  Memory memory;
  EXPECT(memory.allocate(x.size() * sizeof(float)));
  if (!x.empty()) std::memcpy(memory.data(), x.data(), x.size() * sizeof(float));
  TensorView view;
  view.shape.rank = 1;
  view.shape.dims[0] = static_cast<int64_t>(x.size());
  view.data = memory.data();
  std::shared_ptr<Lane> lane = executions.take();
  EXPECT(lane != nullptr);
  if (lane == nullptr) return {};
  EXPECT_OK(lane->run(x.empty() ? std::vector<TensorView>() : std::vector<TensorView>{view}, kNever, false));
  const TensorView y = lane->execution()->output(0);
  const float* data = static_cast<const float*>(y.data);
  std::vector<float> result(data, data + y.shape.elements());
  executions.give_back(std::move(lane));
  return result;
}

Status check(PlanBuilder b) {
  std::unique_ptr<Executions> executions;
  return load(std::move(b), {}, std::make_shared<StateStore>(), &executions);
}

using Floats = std::vector<float>;

}  // namespace

TEST(state_has_its_first_value_and_keeps_what_runs_write) {
  const Floats first = {1, 2, 3, 4};
  const std::vector<Buffer> buffers = {{reinterpret_cast<const uint8_t*>(first.data()), 16}};
  const auto store = std::make_shared<StateStore>();
  std::unique_ptr<Executions> executions;
  EXPECT_OK(load(counting_plan(0), buffers, store, &executions));
  if (executions == nullptr) return;
  EXPECT(run(*executions, {1, 1, 1, 1}) == Floats({1, 2, 3, 4}));
  EXPECT(run(*executions, {0, 1, 0, 1}) == Floats({2, 3, 4, 5}));
  EXPECT(run(*executions, {0, 0, 0, 0}) == Floats({2, 4, 4, 6}));
  EXPECT_EQ(store->bytes(), size_t{16});
  EXPECT_EQ(executions->made(), 1);
}

TEST(state_is_shared_by_programs_of_one_store) {
  const auto store = std::make_shared<StateStore>();
  std::unique_ptr<Executions> counting, reading, again;
  EXPECT_OK(load(counting_plan(), {}, store, &counting));
  EXPECT_OK(load(reading_plan(), {}, store, &reading));
  if (counting == nullptr || reading == nullptr) return;
  EXPECT(run(*reading, {}) == Floats({0, 0, 0, 0}));
  run(*counting, {1, 2, 3, 4});
  run(*counting, {1, 2, 3, 4});
  EXPECT(run(*reading, {}) == Floats({2, 4, 6, 8}));
  // What is there keeps its value: a first value is for those that are not.
  const Floats first = {9, 9, 9, 9};
  EXPECT_OK(load(counting_plan(0), {{reinterpret_cast<const uint8_t*>(first.data()), 16}}, store, &again));
  EXPECT(run(*reading, {}) == Floats({2, 4, 6, 8}));
  EXPECT(store->names() == std::vector<std::string>({"total"}));
  // Programs that read may run at once.
  const std::shared_ptr<Lane> a = reading->take(), b = reading->take();
  EXPECT(a != nullptr && b != nullptr);
}

TEST(state_of_another_type_or_size_is_refused) {
  const auto store = std::make_shared<StateStore>();
  std::unique_ptr<Executions> executions;
  EXPECT_OK(load(counting_plan(), {}, store, &executions));
  EXPECT_CODE(load(counting_plan(-1, 5), {}, store, &executions), Code::kShape);
  EXPECT_CODE(load(counting_plan(-1, 4, DType::kInt32), {}, store, &executions), Code::kShape);
  const Floats first = {9, 9, 9};
  EXPECT_CODE(load(counting_plan(0), {{reinterpret_cast<const uint8_t*>(first.data()), 12}},
                   std::make_shared<StateStore>(), &executions),
              Code::kInvalidPlan);
  EXPECT_EQ(store->bytes(), size_t{16});
}

TEST(state_read_after_its_write_is_refused_unless_asked_for) {
  for (const bool asks : {false, true}) {
    PlanBuilder b;
    const int n = b.constant(4);
    const int x = b.tensor("x", DType::kFloat32, TensorKind::kInput, {n});
    const int s = b.tensor("s", DType::kFloat32, TensorKind::kState, {n});
    const int y = b.tensor("y", DType::kFloat32, TensorKind::kOutput, {n});
    b.output(y);
    b.step("Copy", {x}, {s});
    b.step("Copy", {s}, {y});
    if (asks) b.integers("reads_updated", {b.constant(0)});
    const Status status = check(std::move(b));
    if (asks) EXPECT_OK(status);
    else EXPECT_CODE(status, Code::kInvalidPlan);
  }
}

TEST(state_is_written_in_place_only_where_the_operator_does_so) {
  PlanBuilder b;
  const int n = b.constant(4);
  const int s = b.tensor("s", DType::kFloat32, TensorKind::kState, {n, n});
  b.step("Transpose", {s}, {s});
  b.integers("perm", {b.constant(1), b.constant(0)});
  EXPECT_CODE(check(std::move(b)), Code::kInvalidPlan);

  PlanBuilder a;  // through an alias with other sizes: broadcast rows would be read after they are written
  const int four = a.constant(4), one = a.constant(1);
  const int t = a.tensor("t", DType::kFloat32, TensorKind::kState, {one, four});
  const int u = a.tensor("u", DType::kFloat32, TensorKind::kAlias, {four}, t);
  a.step("Binary", {t, u}, {t});
  a.text("fn", "add");
  EXPECT_CODE(check(std::move(a)), Code::kInvalidPlan);
}

TEST(state_may_not_be_given_out_or_be_that_of_two_plans) {
  PlanBuilder b;
  const int n = b.constant(4);
  const int x = b.tensor("x", DType::kFloat32, TensorKind::kInput, {n});
  const int s = b.tensor("s", DType::kFloat32, TensorKind::kState, {n});
  b.output(s);
  b.step("Copy", {x}, {s});
  EXPECT_CODE(check(std::move(b)), Code::kInvalidPlan);

  // Branches may have states that the plan around them does not have.
  for (const bool both : {false, true}) {
    PlanBuilder outer, then_branch = reading_plan(), else_branch = reading_plan();
    const int condition = outer.tensor("condition", DType::kBool, TensorKind::kInput, {});
    const int four = outer.constant(4);
    const int y = outer.tensor("y", DType::kFloat32, TensorKind::kProvided, {four});
    outer.tensor(both ? "total" : "another", DType::kFloat32, TensorKind::kState, {four});
    outer.output(y);
    outer.step("If", {condition}, {y});
    outer.plan("then", then_branch);
    outer.plan("else", else_branch);
    const Status status = check(std::move(outer));
    if (both) EXPECT_CODE(status, Code::kInvalidPlan);
    else EXPECT_OK(status);
  }

  PlanBuilder twice;
  const int m = twice.constant(4);
  twice.tensor("s", DType::kFloat32, TensorKind::kState, {m});
  twice.tensor("s", DType::kFloat32, TensorKind::kState, {m});
  EXPECT_CODE(check(std::move(twice)), Code::kInvalidPlan);
}

TEST(state_gives_sizes_as_they_were_when_the_run_began) {
  // y[k] = 7 with k the state, which the run sets to x.
  PlanBuilder b;
  const int x = b.tensor("x", DType::kInt64, TensorKind::kInput, {b.constant(1)});
  const int s = b.tensor("s", DType::kInt64, TensorKind::kState, {b.constant(1)});
  const int k = b.symbol("k", SourceKind::kData, s, 0);
  const int y = b.tensor("y", DType::kInt64, TensorKind::kOutput, {k});
  b.output(y);
  b.step("Copy", {x}, {s});
  b.step("Expand", {x}, {y});
  const auto store = std::make_shared<StateStore>();
  std::unique_ptr<Executions> executions;
  EXPECT_OK(load(std::move(b), {}, store, &executions));
  if (executions == nullptr) return;
  int64_t before = 0;
  for (int64_t value : {3, 5, 0, 2}) {
    Memory memory;
    EXPECT(memory.allocate(sizeof value));
    std::memcpy(memory.data(), &value, sizeof value);
    TensorView view;
    view.dtype = DType::kInt64;
    view.shape.rank = 1;
    view.shape.dims[0] = 1;
    view.data = memory.data();
    std::shared_ptr<Lane> lane = executions->take();
    EXPECT_OK(lane->run({view}, kNever, false));
    EXPECT_EQ(lane->execution()->output(0).shape[0], before);
    executions->give_back(std::move(lane));
    before = value;
  }
}

namespace {

// A writer sets all elements to one number; no reader may see two.
struct Race {
  std::shared_ptr<StateStore> store;
  std::shared_ptr<Lane> lane;
  bool writes = false;
  int torn = 0;
};

void* race(void* argument) {
  Race& r = *static_cast<Race*>(argument);
  State* const state = r.store->find("total");
  float* const values = reinterpret_cast<float*>(state->memory.data());
  for (int i = 0; i < 300; ++i) {
    if (r.writes) {
      const StateStore::Turn turn(r.store.get(), StateStore::Access::kWrite);
      for (int e = 0; e < 4; ++e) values[e] += 1.0f;
    } else {
      if (!r.lane->run({}, kNever, false).ok()) ++r.torn;
      const TensorView y = r.lane->execution()->output(0);
      const float* read = static_cast<const float*>(y.data);
      for (int e = 1; e < 4; ++e) r.torn += read[e] != read[0];
    }
  }
  return nullptr;
}

}  // namespace

TEST(state_is_never_seen_half_written) {
  const auto store = std::make_shared<StateStore>();
  std::unique_ptr<Executions> reading;
  EXPECT_OK(load(reading_plan(), {}, store, &reading));
  if (reading == nullptr) return;
  Race races[4];
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i) {
    races[i].store = store;
    races[i].writes = i % 2 == 0;
    if (!races[i].writes) races[i].lane = reading->take();
    pthread_create(&threads[i], nullptr, race, &races[i]);
  }
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  for (const Race& r : races) EXPECT_EQ(r.torn, 0);
  EXPECT(run(*reading, {}) == Floats({600, 600, 600, 600}));
}

}  // namespace octavo
