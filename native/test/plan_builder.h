// Writes plans as words (engine/plan.h), for tests of the engine.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "engine/pool.h"

namespace octavo::test {

// For plans that are loaded where threads are no matter.
inline ThreadPool& one_thread() {
  static PoolView pool(1);
  return pool;
}

class PlanBuilder {
 public:
  using Words = std::vector<int32_t>;

  int string(const std::string& text) {
    strings_.push_back(text);
    return static_cast<int>(strings_.size()) - 1;
  }
  int expression(ExprKind kind, int a, int b) {
    expressions_.insert(expressions_.end(), {static_cast<int32_t>(kind), a, b});
    return static_cast<int>(expressions_.size() / 3) - 1;
  }
  int constant(int64_t value) {
    return expression(ExprKind::kConstant, static_cast<int32_t>(value), static_cast<int32_t>(value >> 32));
  }
  // The expression of a new symbol.
  int symbol(const std::string& name, SourceKind source, int a = 0, int b = 0) {
    symbols_.insert(symbols_.end(), {string(name), static_cast<int32_t>(source), a, b});
    return expression(ExprKind::kSymbol, symbol_count_++, 0);
  }
  int tensor(const std::string& name, DType type, TensorKind kind, const std::vector<int>& dims, int refers_to = -1) {
    tensors_.insert(tensors_.end(), {string(name), static_cast<int32_t>(type), static_cast<int32_t>(kind), refers_to,
                                     static_cast<int32_t>(dims.size())});
    tensors_.insert(tensors_.end(), dims.begin(), dims.end());
    const int index = tensor_count_++;
    if (kind == TensorKind::kInput) inputs_.push_back(index);
    return index;
  }
  void output(int tensor) { outputs_.push_back(tensor); }
  // Attributes of the step follow.
  void step(const std::string& op, const Words& inputs, const Words& outputs) {
    end_step();
    ++step_count_;
    const int name = string(op);
    steps_.insert(steps_.end(), {name, name});
    append(steps_, inputs);
    append(steps_, outputs);
  }
  void integers(const std::string& name, const Words& expressions) {
    attributes_.insert(attributes_.end(), {string(name), static_cast<int32_t>(AttributeKind::kInts)});
    append(attributes_, expressions);
    ++attribute_count_;
  }
  void text(const std::string& name, const std::string& value) {
    attributes_.insert(attributes_.end(),
                       {string(name), static_cast<int32_t>(AttributeKind::kTexts), 1, string(value)});
    ++attribute_count_;
  }
  void plan(const std::string& name, PlanBuilder& nested) {
    attributes_.insert(attributes_.end(), {string(name), static_cast<int32_t>(AttributeKind::kPlan), 1});
    const Words words = nested.body();
    attributes_.insert(attributes_.end(), words.begin(), words.end());
    ++attribute_count_;
  }

  // The plan with its length in front.
  Words body() {
    end_step();
    Words words = {static_cast<int32_t>(strings_.size())};
    for (const std::string& text : strings_) {
      words.push_back(static_cast<int32_t>(text.size()));
      const size_t at = words.size();
      words.resize(at + (text.size() + 3) / 4);
      std::memcpy(words.data() + at, text.data(), text.size());
    }
    table(words, static_cast<int32_t>(expressions_.size() / 3), expressions_);
    table(words, symbol_count_, symbols_);
    table(words, tensor_count_, tensors_);
    append(words, inputs_);
    append(words, outputs_);
    table(words, step_count_, steps_);
    words.insert(words.begin(), static_cast<int32_t>(words.size()));
    return words;
  }
  Words words() {
    Words all = {kPlanMagic, kPlanVersion};
    const Words rest = body();
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
  }

 private:
  static void append(Words& words, const Words& list) { table(words, static_cast<int32_t>(list.size()), list); }
  static void table(Words& words, int32_t count, const Words& entries) {
    words.push_back(count);
    words.insert(words.end(), entries.begin(), entries.end());
  }
  void end_step() {
    if (step_count_ > ended_) table(steps_, attribute_count_, attributes_);
    ended_ = step_count_;
    attributes_.clear();
    attribute_count_ = 0;
  }

  std::vector<std::string> strings_;
  Words expressions_, symbols_, tensors_, inputs_, outputs_, steps_, attributes_;
  int32_t symbol_count_ = 0, tensor_count_ = 0, step_count_ = 0, attribute_count_ = 0, ended_ = 0;
};

}  // namespace octavo::test
