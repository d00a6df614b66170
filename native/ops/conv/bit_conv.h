// QConv of signs by signs: counts of bits instead of products of bytes.
#pragma once

#include <memory>

#include "engine/op.h"

namespace octavo {

bool is_bit_conv(const LoadContext& context);
Status make_bit_conv(const LoadContext& context, std::unique_ptr<Op>* op);

}  // namespace octavo
