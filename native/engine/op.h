// What an operator of the engine is: created once at load (checks, prepacking), bound once per set of
// sizes (bounds, tiles, scratch), run many times (no allocation, no locks, no I/O).
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/status.h"
#include "engine/tensor.h"
#include "engine/thread_pool.h"

namespace octavo {

class PackedStore;  // engine/packed_store.h
struct Tuning;      // cpu/: cache sizes and micro-architecture
class Program;      // engine/program.h: a loaded plan; a nested one for If and Loop
class StateStore;   // engine/state_store.h

// A tensor as an operator sees it at load time.
struct TensorSpec {
  std::string name;
  DType dtype = DType::kFloat32;
  int rank = 0;
  bool constant = false;
  // Of constants only:
  Shape shape;                    // known
  const uint8_t* data = nullptr;  // ONNX layout, little endian, not necessarily aligned to the element type
  size_t byte_length = 0;
};

// Load time: the step of the plan, with constants at hand.
class LoadContext {
 public:
  virtual ~LoadContext() = default;
  virtual const std::string& op() const = 0;
  virtual int inputs() const = 0;
  virtual int outputs() const = 0;
  virtual const TensorSpec* input(int i) const = 0;  // nullptr: absent (or i beyond the inputs)
  virtual const TensorSpec& output(int i) const = 0;

  // Attributes. Integers here must be constants of the plan; those that depend on symbols are read at bind.
  virtual bool has(const char* name) const = 0;
  virtual int64_t integer(const char* name, int64_t fallback) const = 0;
  virtual std::vector<int64_t> integers(const char* name) const = 0;  // empty: absent
  virtual float number(const char* name, float fallback) const = 0;
  virtual std::vector<float> numbers(const char* name) const = 0;
  virtual std::string text(const char* name, const char* fallback) const = 0;
  virtual std::vector<std::string> texts(const char* name) const = 0;
  virtual std::shared_ptr<Program> program(const char* name) const = 0;  // a nested plan; nullptr: absent

  virtual PackedStore& store() const = 0;  // for packed weights; outlives the operator
  virtual ThreadPool& pool() const = 0;    // for packing them
  virtual const Tuning& tuning() const = 0;
  virtual Status error(Code code, const std::string& what) const = 0;  // adds op and node names
};

// Bind time: every size has a value.
class BindContext {
 public:
  virtual ~BindContext() = default;
  virtual bool has_input(int i) const = 0;
  virtual const Shape& in(int i) const = 0;
  virtual const Shape& out(int i) const = 0;
  virtual DType in_type(int i) const = 0;
  virtual DType out_type(int i) const = 0;
  virtual std::vector<int64_t> integers(const char* name) const = 0;  // attribute, evaluated; empty: absent
  virtual int threads() const = 0;                                    // upper bound of thread indices in run
  // Scratch memory for run: one block shared by the step, and one per thread. 64-byte aligned.
  virtual void scratch(size_t shared_bytes, size_t bytes_per_thread) = 0;
  virtual Status error(Code code, const std::string& what) const = 0;
};

// Run time.
class RunContext {
 public:
  virtual ~RunContext() = default;
  virtual const void* input(int i) const = 0;  // nullptr: absent
  virtual void* output(int i) const = 0;
  virtual void* shared_scratch() const = 0;
  virtual void* thread_scratch(int thread) const = 0;
  virtual ThreadPool& pool() const = 0;
  virtual const std::atomic<bool>& cancelled() const = 0;
  virtual Status error(Code code, const std::string& what) const = 0;
  // Control flow only: the sizes of an output that is known after the step ran, and the storage that holds it
  // until the end of the run.
  virtual Status provide_output(int i, const Shape& shape, const void* data) = 0;
  // Control flow only: where the states of the nested plans are; nullptr where they have none.
  virtual std::shared_ptr<StateStore> states() const { return nullptr; }

  template <class T>
  const T* in(int i) const {
    return static_cast<const T*>(input(i));
  }
  template <class T>
  T* out(int i) const {
    return static_cast<T*>(output(i));
  }
};

// An operator with its sizes: immutable while running, one run at a time.
class Bound {
 public:
  virtual ~Bound() = default;
  virtual Status run(RunContext& context) = 0;
};

// An operator with its constants: immutable after load, shared by bindings.
class Op {
 public:
  virtual ~Op() = default;
  virtual Status bind(BindContext& context, std::unique_ptr<Bound>* bound) const = 0;
  // Name of the kernel this step was given, "qgemm_u8s8_14x32c4_x86_avx512vnni", for explain and profile.
  virtual std::string kernel() const { return {}; }
  // False for a constant input that run never reads because the operator keeps a prepacked copy; the engine
  // then drops the original.
  virtual bool reads_constant(int input) const {
    (void)input;
    return true;
  }
  // True if run provides every output (RunContext::provide_output): control flow.
  virtual bool provides_outputs() const { return false; }
  // True if run may write output 0 where this input lies: every element is read before it is written.
  virtual bool writes_over(int input) const {
    (void)input;
    return false;
  }
  // Bytes of prepacked constants, for reports.
  virtual size_t packed_bytes() const { return 0; }
};

using OpFactory = Status (*)(const LoadContext& context, std::unique_ptr<Op>* op);

// ops/registry.cc: built from ops/ops.inc, one line per operator: OCTAVO_OP(QConv, make_qconv).
OpFactory find_op(const std::string& name);

}  // namespace octavo
