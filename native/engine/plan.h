// A plan in memory, and its decoder. The words are written by lib/plan/encode.ts:
//
//   plan     = length (words after this one), then
//              strings, expressions, symbols, tensors, inputs, outputs, steps        each: count, then the entries
//   file     = magic, version, plan
//   string   = bytes of UTF-8, then ceil(bytes / 4) words, little endian
//   expression = kind, a, b      constant: low and high half of an int64; symbol: its index;
//                                others: indices of earlier expressions
//   symbol   = name (string), source kind, a, b      see SymbolSource
//   tensor   = name (string), dtype, kind, of (alias), buffer (constant; state: its first value) or -1, rank,
//              dims (expressions)
//   inputs, outputs = tensor indices
//   step     = op (string), label (string: nodes of the model), inputs (count, tensor indices or -1),
//              outputs (count, tensor indices or -1), attributes (count, entries)
//   attribute = name (string), kind, count, values: expressions | float32 bits | strings | one plan
//
// States keep their bytes from run to run (engine/state_store.h). Steps see the value that a state had when the run
// began, up to the one step that writes it; a step after that one reads it where its integer attribute reads_updated
// lists the position of that input. A step may write a state that it reads if its operator does so in place
// (Op::writes_over). A state of a nested plan is there alone: it gathers over all that the plan runs.
//
// A nested plan has strings, symbols and tensors of its own; buffers are those of the outer plan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/status.h"
#include "engine/tensor.h"

namespace octavo {

constexpr int32_t kPlanMagic = 0x5654434F;  // "OCTV"
constexpr int32_t kPlanVersion = 2;
constexpr int kMaxPlanDepth = 32;

enum class ExprKind : int32_t { kConstant, kSymbol, kAdd, kMul, kFloorDiv, kMod, kMin, kMax };

struct Expr {
  ExprKind kind = ExprKind::kConstant;
  int32_t a = 0, b = 0;  // symbol, or operands (smaller than this expression's own index)
  int64_t value = 0;     // of a constant
};

enum class SourceKind : int32_t {
  kInput,  // a size of an input
  kData,   // element b of integer tensor a
  kDim,    // size b of tensor a, which its step provides while running
  kOuter,  // of a nested plan: entry a of the step's attribute `symbols`
};

struct PlanSymbol {
  int32_t name = 0;
  SourceKind source = SourceKind::kInput;
  int32_t a = 0, b = 0;
};

enum class TensorKind : int32_t { kConstant, kScratch, kInput, kOutput, kState, kAlias, kProvided };

struct PlanTensor {
  int32_t name = 0;
  DType dtype = DType::kFloat32;
  TensorKind kind = TensorKind::kScratch;
  int32_t of = -1;      // alias
  int32_t buffer = -1;  // constant; state: its first value, or -1 for zeros
  std::vector<int32_t> dims;
};

struct Plan;

enum class AttributeKind : int32_t { kInts, kFloats, kTexts, kPlan };

struct PlanAttribute {
  int32_t name = 0;
  AttributeKind kind = AttributeKind::kInts;
  std::vector<int32_t> values;  // kInts: expressions; kTexts: strings
  std::vector<float> floats;
  std::shared_ptr<const Plan> plan;
};

struct PlanStep {
  int32_t op = 0, label = 0;
  std::vector<int32_t> inputs, outputs;  // -1: absent
  std::vector<PlanAttribute> attributes;
};

struct Plan {
  std::vector<std::string> strings;
  std::vector<Expr> expressions;
  std::vector<PlanSymbol> symbols;
  std::vector<PlanTensor> tensors;
  std::vector<int32_t> inputs, outputs;
  std::vector<PlanStep> steps;

  const std::string& tensor_name(int32_t i) const {
    return strings[static_cast<size_t>(tensors[static_cast<size_t>(i)].name)];
  }
  // The tensor that owns the storage: follows aliases.
  int32_t root(int32_t i) const {
    while (tensors[static_cast<size_t>(i)].kind == TensorKind::kAlias) i = tensors[static_cast<size_t>(i)].of;
    return i;
  }
};

// Bytes of a constant: memory of the caller of load, or a part of a file that the caller keeps open.
struct Buffer {
  const uint8_t* data = nullptr;
  size_t size = 0;
  int file = -1;
  uint64_t offset = 0;
};

// Decodes and checks all that can be checked without sizes: every index, rank and kind, that aliases end, that each
// tensor has one producer, before its first use, and that symbols are read from tensors of the right kind.
Status decode_plan(const int32_t* words, size_t count, size_t buffers, std::shared_ptr<const Plan>* plan);

}  // namespace octavo
