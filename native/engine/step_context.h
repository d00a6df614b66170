// The contexts that an operator is given, over a step of a plan.
#pragma once

#include <string>
#include <vector>

#include "engine/evaluate.h"
#include "engine/op.h"
#include "engine/plan.h"
#include "engine/program.h"

namespace octavo {

const PlanAttribute* find_attribute(const Plan& plan, const PlanStep& step, const char* name, AttributeKind kind);
std::string describe_step(const Plan& plan, const PlanStep& step);

// Tensor of slot i of a step, or -1 where absent.
inline int32_t slot(const std::vector<int32_t>& tensors, int i) {
  return i >= 0 && static_cast<size_t>(i) < tensors.size() ? tensors[static_cast<size_t>(i)] : -1;
}

class StepBindContext final : public BindContext {
 public:
  // shapes: by tensor of the plan. Sizes of outputs that the step provides are -1 where not known yet.
  StepBindContext(const Plan& plan, const PlanStep& step, const Sizes& sizes, const std::vector<Shape>& shapes,
                  int threads)
      : plan_(plan), step_(step), sizes_(sizes), shapes_(shapes), threads_(threads) {}

  bool has_input(int i) const override { return slot(step_.inputs, i) >= 0; }
  const Shape& in(int i) const override { return shape(slot(step_.inputs, i)); }
  const Shape& out(int i) const override { return shape(slot(step_.outputs, i)); }
  DType in_type(int i) const override { return type(slot(step_.inputs, i)); }
  DType out_type(int i) const override { return type(slot(step_.outputs, i)); }
  std::vector<int64_t> integers(const char* name) const override;
  int threads() const override { return threads_; }
  void scratch(size_t shared_bytes, size_t bytes_per_thread) override {
    shared_bytes_ = shared_bytes;
    thread_bytes_ = bytes_per_thread;
  }
  Status error(Code code, const std::string& what) const override;

  // Status of all integers() so far: kShape where one overflowed.
  const Status& attributes_status() const { return status_; }
  size_t shared_bytes() const { return shared_bytes_; }
  size_t thread_bytes() const { return thread_bytes_; }

 private:
  const Shape& shape(int32_t tensor) const;
  DType type(int32_t tensor) const {
    return tensor < 0 ? DType::kFloat32 : plan_.tensors[static_cast<size_t>(tensor)].dtype;
  }

  const Plan& plan_;
  const PlanStep& step_;
  const Sizes& sizes_;
  const std::vector<Shape>& shapes_;
  const int threads_;
  size_t shared_bytes_ = 0, thread_bytes_ = 0;
  mutable Status status_;
};

// Receives the outputs of If and Loop, and has the states of their plans.
class Provider {
 public:
  virtual ~Provider() = default;
  virtual Status provide(int32_t tensor, const Shape& shape, const void* data) = 0;
  virtual std::shared_ptr<StateStore> states() const { return nullptr; }
};

class StepRunContext final : public RunContext {
 public:
  // storage: by root tensor. thread_stride: bytes from one thread's scratch to the next.
  StepRunContext(const Plan& plan, const PlanStep& step, void* const* storage, const int32_t* roots, uint8_t* shared,
                 uint8_t* per_thread, size_t thread_stride, ThreadPool& pool, const std::atomic<bool>& cancelled,
                 Provider* provider)
      : plan_(plan),
        step_(step),
        storage_(storage),
        roots_(roots),
        shared_(shared),
        per_thread_(per_thread),
        thread_stride_(thread_stride),
        pool_(pool),
        cancelled_(cancelled),
        provider_(provider) {}

  const void* input(int i) const override { return at(slot(step_.inputs, i)); }
  void* output(int i) const override { return at(slot(step_.outputs, i)); }
  void* shared_scratch() const override { return shared_; }
  void* thread_scratch(int thread) const override { return per_thread_ + static_cast<size_t>(thread) * thread_stride_; }
  ThreadPool& pool() const override { return pool_; }
  const std::atomic<bool>& cancelled() const override { return cancelled_; }
  Status error(Code code, const std::string& what) const override;
  Status provide_output(int i, const Shape& shape, const void* data) override;
  std::shared_ptr<StateStore> states() const override { return provider_ == nullptr ? nullptr : provider_->states(); }

 private:
  void* at(int32_t tensor) const { return tensor < 0 ? nullptr : storage_[roots_[tensor]]; }

  const Plan& plan_;
  const PlanStep& step_;
  void* const* storage_;
  const int32_t* roots_;
  uint8_t* shared_;
  uint8_t* per_thread_;
  size_t thread_stride_;
  ThreadPool& pool_;
  const std::atomic<bool>& cancelled_;
  Provider* provider_;
};

}  // namespace octavo
