// What must hold of a decoded plan before anything relies on it.
#pragma once

#include "engine/plan.h"

namespace octavo {

// Indices of tensors, strings and expressions are in range already (the decoder saw to it).
Status check_plan(const Plan& plan, bool nested);

}  // namespace octavo
