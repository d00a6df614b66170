// Depthwise QConv: every channel has its own filter (group == C == M).
#pragma once

#include <memory>

#include "engine/op.h"

namespace octavo {

bool is_depthwise(const LoadContext& context);
Status make_qdwconv(const LoadContext& context, std::unique_ptr<Op>* op);

}  // namespace octavo
