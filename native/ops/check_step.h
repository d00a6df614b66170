// Checks a step against the table of steps: how many inputs and outputs it has, which of them must be there, element
// types and ranks. Operators need not look at these again.
#pragma once

#include "engine/op.h"

namespace octavo {

Status check_step(const LoadContext& context);

}  // namespace octavo
