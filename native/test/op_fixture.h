// Runs one operator outside of a plan, over given tensors and attributes.
//
//   OpFixture f("QConv");
//   f.constant<int8_t>({4, 8, 3, 3}, weights).absent() ...   inputs in order
//   f.output<uint8_t>({1, 5, 5, 4});
//   f.set_integers("strides", {1, 1});
//   EXPECT_OK(f.run());
//   const uint8_t* y = f.out<uint8_t>(0);
#pragma once

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cpu/tuning.h"
#include "engine/op.h"
#include "engine/packed_store.h"
#include "test/check.h"

namespace octavo::test {

template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::kFloat32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::kFloat64;
}
template <>
constexpr DType dtype_of<uint8_t>() {
  return DType::kUint8;
}
template <>
constexpr DType dtype_of<int8_t>() {
  return DType::kInt8;
}
template <>
constexpr DType dtype_of<uint16_t>() {
  return DType::kUint16;
}
template <>
constexpr DType dtype_of<int16_t>() {
  return DType::kInt16;
}
template <>
constexpr DType dtype_of<uint32_t>() {
  return DType::kUint32;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::kInt32;
}
template <>
constexpr DType dtype_of<uint64_t>() {
  return DType::kUint64;
}
template <>
constexpr DType dtype_of<int64_t>() {
  return DType::kInt64;
}
template <>
constexpr DType dtype_of<bool>() {
  return DType::kBool;
}

// A pool that runs tasks on the calling thread under the indices of `threads` threads in turn, last task first,
// so that an operator whose result depends on order or thread shows itself.
class FakePool final : public ThreadPool {
 public:
  explicit FakePool(int threads) : threads_(threads) {}
  int threads() const override { return threads_; }
  void run(int64_t tasks, Task fn, void* context) override {
    for (int64_t i = tasks - 1; i >= 0; --i) fn(context, i, static_cast<int>(i % threads_));
  }

 private:
  int threads_;
};

// Memory with guard bytes before and poison after: 64-byte aligned, the slack filled with `poison`.
class Guarded {
 public:
  explicit Guarded(size_t bytes, uint8_t poison = 0x80)
      : bytes_(bytes), poison_(poison), memory_(bytes + 3 * kReadSlack + 64) {
    std::memset(memory_.data(), poison, memory_.size());
  }
  uint8_t* data() {
    const uintptr_t address = reinterpret_cast<uintptr_t>(memory_.data()) + kReadSlack;
    return memory_.data() + ((address + 63) / 64 * 64 - reinterpret_cast<uintptr_t>(memory_.data()));
  }
  size_t size() const { return bytes_; }
  // True while nobody wrote outside of [data, data + size).
  bool intact() {
    const uint8_t* begin = memory_.data();
    const uint8_t* end = begin + memory_.size();
    for (const uint8_t* p = begin; p < data(); ++p)
      if (*p != poison_) return false;
    for (const uint8_t* p = data() + bytes_; p < end; ++p)
      if (*p != poison_) return false;
    return true;
  }

 private:
  size_t bytes_;
  uint8_t poison_;
  std::vector<uint8_t> memory_;
};

class OpFixture {
 public:
  explicit OpFixture(std::string op) : op_(std::move(op)) {}

  // Inputs, in order. `constant` ones are visible at load.
  OpFixture& input(DType type, const std::vector<int64_t>& dims, const void* data, size_t bytes,
                   bool constant = false) {
    Slot slot = make(type, dims, bytes);
    if (bytes != 0) std::memcpy(slot.memory->data(), data, bytes);
    slot.spec.constant = constant;
    if (constant) {
      slot.spec.shape = slot.shape;
      slot.spec.data = slot.memory->data();
      slot.spec.byte_length = bytes;
    }
    slot.spec.name = "input" + std::to_string(inputs_.size());
    inputs_.push_back(std::move(slot));
    return *this;
  }
  template <class T>
  OpFixture& input(const std::vector<int64_t>& dims, const std::vector<T>& values) {
    return input(dtype_of<T>(), dims, values.data(), values.size() * sizeof(T));
  }
  template <class T>
  OpFixture& constant(const std::vector<int64_t>& dims, const std::vector<T>& values) {
    return input(dtype_of<T>(), dims, values.data(), values.size() * sizeof(T), true);
  }
  template <class T>
  OpFixture& scalar(T value) {
    return constant<T>({}, std::vector<T>{value});
  }
  OpFixture& absent() {
    inputs_.emplace_back();
    return *this;
  }

  OpFixture& output(DType type, const std::vector<int64_t>& dims) {
    int64_t n = 1;
    for (int64_t d : dims) n *= d;
    Slot slot = make(type, dims, (static_cast<size_t>(n) * static_cast<size_t>(bit_width(type)) + 7) / 8);
    slot.spec.name = "output" + std::to_string(outputs_.size());
    outputs_.push_back(std::move(slot));
    return *this;
  }
  template <class T>
  OpFixture& output(const std::vector<int64_t>& dims) {
    return output(dtype_of<T>(), dims);
  }
  OpFixture& absent_output() {
    outputs_.emplace_back();
    return *this;
  }

  OpFixture& set_integers(const std::string& name, std::vector<int64_t> values) {
    integers_[name] = std::move(values);
    return *this;
  }
  OpFixture& set_integer(const std::string& name, int64_t value) { return set_integers(name, {value}); }
  OpFixture& set_numbers(const std::string& name, std::vector<float> values) {
    numbers_[name] = std::move(values);
    return *this;
  }
  OpFixture& set_number(const std::string& name, float value) { return set_numbers(name, {value}); }
  OpFixture& set_texts(const std::string& name, std::vector<std::string> values) {
    texts_[name] = std::move(values);
    return *this;
  }
  OpFixture& set_text(const std::string& name, const std::string& value) { return set_texts(name, {value}); }
  OpFixture& set_threads(int threads) {
    threads_ = threads;
    return *this;
  }

  // Load, bind and run. After a failure, the status says where.
  Status run() {
    OCTAVO_RETURN_IF_ERROR(load());
    OCTAVO_RETURN_IF_ERROR(bind());
    return run_bound();
  }
  Status load() {
    const OpFactory factory = find_op(op_);
    if (factory == nullptr) return Status::Error(Code::kUnsupported, "no operator " + op_);
    return factory(Load(*this), &loaded_);
  }
  Status bind() {
    shared_bytes_ = thread_bytes_ = 0;
    Bind context(*this);
    return loaded_->bind(context, &bound_);
  }
  Status run_bound() {
    FakePool pool(threads_);
    Guarded shared(shared_bytes_);
    std::vector<std::unique_ptr<Guarded>> per_thread;
    for (int i = 0; i < threads_; ++i) per_thread.push_back(std::make_unique<Guarded>(thread_bytes_));
    Run context(*this, pool, shared, per_thread);
    const Status status = bound_->run(context);
    if (!shared.intact()) return Status::Error(Code::kInvalidPlan, op_ + " wrote outside of its shared scratch");
    for (auto& memory : per_thread)
      if (!memory->intact()) return Status::Error(Code::kInvalidPlan, op_ + " wrote outside of its thread scratch");
    for (Slot& slot : outputs_)
      if (slot.memory && !slot.memory->intact())
        return Status::Error(Code::kInvalidPlan, op_ + " wrote outside of " + slot.spec.name);
    return status;
  }
  template <class T>
  const T* out(int i) {
    return reinterpret_cast<const T*>(outputs_[static_cast<size_t>(i)].memory->data());
  }
  template <class T>
  std::vector<T> values(int i) {
    Slot& slot = outputs_[static_cast<size_t>(i)];
    return std::vector<T>(out<T>(i), out<T>(i) + slot.memory->size() / sizeof(T));
  }
  size_t packed_bytes() const { return loaded_ ? loaded_->packed_bytes() : 0; }
  std::string kernel() const { return loaded_ ? loaded_->kernel() : std::string(); }

 private:
  struct Slot {
    TensorSpec spec;
    Shape shape;
    std::unique_ptr<Guarded> memory;  // null: absent
  };
  static Slot make(DType type, const std::vector<int64_t>& dims, size_t bytes) {
    Slot slot;
    slot.spec.dtype = type;
    slot.spec.rank = slot.shape.rank = static_cast<int>(dims.size());
    for (size_t i = 0; i < dims.size(); ++i) slot.shape.dims[i] = dims[i];
    slot.memory = std::make_unique<Guarded>(bytes);
    return slot;
  }
  static const Slot* at(const std::vector<Slot>& slots, int i) {
    return i >= 0 && static_cast<size_t>(i) < slots.size() && slots[static_cast<size_t>(i)].memory
               ? &slots[static_cast<size_t>(i)]
               : nullptr;
  }
  std::vector<int64_t> integers_of(const char* name) const {
    const auto found = integers_.find(name);
    return found == integers_.end() ? std::vector<int64_t>() : found->second;
  }
  Status error(Code code, const std::string& what) const { return Status::Error(code, op_ + ": " + what); }

  class Load final : public LoadContext {
   public:
    explicit Load(const OpFixture& f) : f_(f) {}
    const std::string& op() const override { return f_.op_; }
    int inputs() const override { return static_cast<int>(f_.inputs_.size()); }
    int outputs() const override { return static_cast<int>(f_.outputs_.size()); }
    const TensorSpec* input(int i) const override {
      const Slot* s = at(f_.inputs_, i);
      return s ? &s->spec : nullptr;
    }
    const TensorSpec& output(int i) const override { return f_.outputs_[static_cast<size_t>(i)].spec; }
    bool has(const char* name) const override {
      return f_.integers_.count(name) + f_.numbers_.count(name) + f_.texts_.count(name) > 0;
    }
    int64_t integer(const char* name, int64_t fallback) const override {
      const auto v = f_.integers_of(name);
      return v.empty() ? fallback : v[0];
    }
    std::vector<int64_t> integers(const char* name) const override { return f_.integers_of(name); }
    float number(const char* name, float fallback) const override {
      const auto v = numbers(name);
      return v.empty() ? fallback : v[0];
    }
    std::vector<float> numbers(const char* name) const override {
      const auto found = f_.numbers_.find(name);
      return found == f_.numbers_.end() ? std::vector<float>() : found->second;
    }
    std::string text(const char* name, const char* fallback) const override {
      const auto v = texts(name);
      return v.empty() ? fallback : v[0];
    }
    std::vector<std::string> texts(const char* name) const override {
      const auto found = f_.texts_.find(name);
      return found == f_.texts_.end() ? std::vector<std::string>() : found->second;
    }
    std::shared_ptr<Program> program(const char*) const override { return nullptr; }
    PackedStore& store() const override { return f_.store_; }
    ThreadPool& pool() const override { return f_.load_pool_; }
    const Tuning& tuning() const override { return octavo::tuning(); }
    Status error(Code code, const std::string& what) const override { return f_.error(code, what); }

   private:
    const OpFixture& f_;
  };

  class Bind final : public BindContext {
   public:
    explicit Bind(OpFixture& f) : f_(f) {}
    bool has_input(int i) const override { return at(f_.inputs_, i) != nullptr; }
    const Shape& in(int i) const override { return at(f_.inputs_, i)->shape; }
    const Shape& out(int i) const override { return at(f_.outputs_, i)->shape; }
    DType in_type(int i) const override { return at(f_.inputs_, i)->spec.dtype; }
    DType out_type(int i) const override { return at(f_.outputs_, i)->spec.dtype; }
    std::vector<int64_t> integers(const char* name) const override { return f_.integers_of(name); }
    int threads() const override { return f_.threads_; }
    void scratch(size_t shared_bytes, size_t bytes_per_thread) override {
      f_.shared_bytes_ = shared_bytes;
      f_.thread_bytes_ = bytes_per_thread;
    }
    Status error(Code code, const std::string& what) const override { return f_.error(code, what); }

   private:
    OpFixture& f_;
  };

  class Run final : public RunContext {
   public:
    Run(OpFixture& f, FakePool& pool, Guarded& shared, std::vector<std::unique_ptr<Guarded>>& per_thread)
        : f_(f), pool_(pool), shared_(shared), per_thread_(per_thread) {}
    const void* input(int i) const override {
      const Slot* s = at(f_.inputs_, i);
      return s ? s->memory->data() : nullptr;
    }
    void* output(int i) const override {
      const Slot* s = at(f_.outputs_, i);
      return s ? s->memory->data() : nullptr;
    }
    void* shared_scratch() const override { return shared_.data(); }
    void* thread_scratch(int thread) const override { return per_thread_[static_cast<size_t>(thread)]->data(); }
    ThreadPool& pool() const override { return pool_; }
    const std::atomic<bool>& cancelled() const override { return cancelled_; }
    Status error(Code code, const std::string& what) const override { return f_.error(code, what); }
    Status provide_output(int, const Shape&, const void*) override {
      return Status::Error(Code::kInvalidPlan, "provide_output outside of a plan");
    }

   private:
    OpFixture& f_;
    FakePool& pool_;
    Guarded& shared_;
    std::vector<std::unique_ptr<Guarded>>& per_thread_;
    std::atomic<bool> cancelled_{false};
  };

  std::string op_;
  std::vector<Slot> inputs_, outputs_;
  std::map<std::string, std::vector<int64_t>> integers_;
  std::map<std::string, std::vector<float>> numbers_;
  std::map<std::string, std::vector<std::string>> texts_;
  int threads_ = 3;
  size_t shared_bytes_ = 0, thread_bytes_ = 0;
  mutable PackedStore store_{0};  // every block by itself, for memory checkers
  mutable FakePool load_pool_{3};
  std::unique_ptr<Op> loaded_;
  std::unique_ptr<Bound> bound_;
};

}  // namespace octavo::test
