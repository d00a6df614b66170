#include "ops/check_step.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace octavo {
namespace {

// A set of element types as bits. The number of uint1 lies beyond the others.
constexpr uint32_t bit(DType type) {
  return type == DType::kUint1 ? uint32_t{1} << 31 : uint32_t{1} << static_cast<uint32_t>(type);
}

struct Slot {
  const char* name;
  uint32_t types;
  int least_rank, most_rank;
  int like;  // the input whose type it has, of the same repetition; -1: none
  bool optional;
};

struct Slots {
  const Slot* slots;
  int count;
  int repeated;  // of these, the last ones that repeat

  int fixed() const { return count - repeated; }
  // Position in the table of the slot that tensor i takes.
  int position(int i) const { return i < fixed() ? i : fixed() + (i - fixed()) % repeated; }
  const Slot& at(int i) const { return slots[position(i)]; }
};

struct Step {
  const char* name;
  Slots inputs, outputs;
};

#include "ops/steps.inc"

const Step* find(const std::string& name) {
  const Step* const end = std::end(kSteps);
  const Step* const found = std::lower_bound(std::begin(kSteps), end, name,
                                             [](const Step& step, const std::string& key) { return step.name < key; });
  return found != end && name == found->name ? found : nullptr;
}

std::string types_text(uint32_t types) {
  std::string text;
  for (int i = 0; i < 32; ++i) {
    const DType type = i == 31 ? DType::kUint1 : static_cast<DType>(i);
    if ((types >> i & 1) != 0) text += (text.empty() ? "" : " or ") + std::string(dtype_name(type));
  }
  return text;
}

std::string expected_text(const Slots& slots) {
  std::string text;
  for (int i = 0; i < slots.count; ++i)
    text += (i == 0 ? "" : ", ") + std::string(slots.slots[i].name) + (slots.slots[i].optional ? "?" : "");
  return text + (slots.repeated > 0 ? "..." : "");
}

// Scales, zero points and indices are what a plan says of other tensors; a type among data is one that has no kernel.
Code code_of(const Slot& slot) {
  const std::string name = slot.name;
  const auto ends = [&](const char* suffix) {
    const size_t length = std::strlen(suffix);
    return name.size() > length && name.compare(name.size() - length, length, suffix) == 0;
  };
  return ends("_scale") || ends("_zp") ? Code::kInvalidPlan : Code::kUnsupported;
}

Status check_count(const LoadContext& c, const Slots& slots, int count, const char* what) {
  const int rest = count - slots.fixed();
  const bool fits = slots.repeated == 0 ? rest <= 0 : rest <= 0 || rest % slots.repeated == 0;
  if (fits) return Status::Ok();
  return c.error(Code::kInvalidPlan,
                 "expected " + std::string(what) + "s " + expected_text(slots) + "; got " + std::to_string(count));
}

// `shift`: how far the repetition of the slot is from the first.
Status check_slot(const LoadContext& c, const Slot& slot, const TensorSpec& tensor, int shift) {
  if ((slot.types & bit(tensor.dtype)) == 0)
    return c.error(code_of(slot), std::string(slot.name) + ": expected " + types_text(slot.types) + ", got " +
                                      dtype_name(tensor.dtype));
  const TensorSpec* like = slot.like < 0 ? nullptr : c.input(slot.like + shift);
  if (like != nullptr && like->dtype != tensor.dtype)
    return c.error(Code::kInvalidPlan, std::string(slot.name) + ": expected " + dtype_name(like->dtype) +
                                           ", the type of input " + std::to_string(slot.like + shift) + ", got " +
                                           dtype_name(tensor.dtype));
  if (tensor.rank < slot.least_rank || tensor.rank > slot.most_rank)
    return c.error(Code::kInvalidPlan,
                   std::string(slot.name) + ": expected " + std::to_string(slot.least_rank) +
                       (slot.least_rank == slot.most_rank ? std::string() : " to " + std::to_string(slot.most_rank)) +
                       " axes, got " + std::to_string(tensor.rank));
  return Status::Ok();
}

}  // namespace

Status check_step(const LoadContext& c) {
  const Step* step = find(c.op());
  if (step == nullptr) return c.error(Code::kUnsupported, "no such step");
  const Slots &inputs = step->inputs, &outputs = step->outputs;
  OCTAVO_RETURN_IF_ERROR(check_count(c, inputs, c.inputs(), "input"));
  OCTAVO_RETURN_IF_ERROR(check_count(c, outputs, c.outputs(), "output"));
  const auto missing = [&](const Slot& slot, const char* what) {
    return c.error(Code::kInvalidPlan, std::string(what) + " " + slot.name + " is missing");
  };
  for (int i = 0; i < std::max(inputs.fixed(), c.inputs()); ++i) {
    const TensorSpec* tensor = c.input(i);
    if (tensor != nullptr) OCTAVO_RETURN_IF_ERROR(check_slot(c, inputs.at(i), *tensor, i - inputs.position(i)));
    else if (!inputs.at(i).optional) return missing(inputs.at(i), "input");
  }
  for (int i = 0; i < std::max(outputs.fixed(), c.outputs()); ++i) {
    const bool present = i < c.outputs() && !c.output(i).name.empty();
    if (present) OCTAVO_RETURN_IF_ERROR(check_slot(c, outputs.at(i), c.output(i), 0));
    else if (!outputs.at(i).optional) return missing(outputs.at(i), "output");
  }
  return Status::Ok();
}

}  // namespace octavo
