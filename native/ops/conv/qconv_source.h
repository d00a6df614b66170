// The weights of an integer convolution as columns of a product.
#pragma once

#include "ops/conv/conv_geometry.h"
#include "ops/product/weight_source.h"

namespace octavo {

// Of constant weights [filters, channels of a group, taps...]: a column for each filter. Checks their bytes and their
// zero points.
Status conv_weights_of(const LoadContext& c, const ProductOperands& operands, const ConvWindow& window,
                       WeightSource* source);

}  // namespace octavo
