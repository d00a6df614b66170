// Generated from lib/plan/steps/ by scripts/gen-steps.mjs.
// clang-format off
// Positions of the inputs (kX, kXScale, kXZp) and outputs (kYOut) of every step: step::QConv::kResidual.
#pragma once

namespace octavo::step {

struct QConv {
  enum Input : int { kX, kXScale, kXZp, kW, kWScale, kWZp, kYScale, kYZp, kBias, kResidual, kResidualScale, kResidualZp, kSumScale, kSumZp, kTable };
  enum Output : int { kYOut };
};

struct QConvTranspose {
  enum Input : int { kX, kXScale, kXZp, kW, kWScale, kWZp, kYScale, kYZp, kBias, kResidual, kResidualScale, kResidualZp, kSumScale, kSumZp, kTable };
  enum Output : int { kYOut };
};

struct QMatMul {
  enum Input : int { kA, kAScale, kAZp, kB, kBScale, kBZp, kYScale, kYZp, kBias, kResidual, kResidualScale, kResidualZp, kSumScale, kSumZp, kTable };
  enum Output : int { kYOut };
};

struct BlockMatMul {
  enum Input : int { kA, kB, kScale, kZeroPoint, kBias, kTable };
  enum Output : int { kYOut };
};

struct QBinary {
  enum Input : int { kA, kAScale, kAZp, kB, kBScale, kBZp, kYScale, kYZp };
  enum Output : int { kYOut };
};

struct QUnary {
  enum Input : int { kX, kXScale, kXZp, kYScale, kYZp };
  enum Output : int { kYOut };
};

struct QPool {
  enum Input : int { kX, kXScale, kXZp, kYScale, kYZp };
  enum Output : int { kYOut };
};

struct QReduceMean {
  enum Input : int { kX, kXScale, kXZp, kYScale, kYZp };
  enum Output : int { kYOut };
};

struct QReduceExtreme {
  enum Input : int { kX, kXScale, kXZp, kYScale, kYZp };
  enum Output : int { kYOut };
};

struct QConcat {
  enum Input : int { kYScale, kYZp, kX, kXScale, kXZp };
  enum Output : int { kYOut };
};

struct QSoftmax {
  enum Input : int { kX, kXScale, kXZp, kYScale, kYZp };
  enum Output : int { kYOut };
};

struct QResize {
  enum Input : int { kX, kXScale, kXZp, kYScale, kYZp };
  enum Output : int { kYOut };
};

struct QTable {
  enum Input : int { kXScale, kXZp, kYScale, kYZp };
  enum Output : int { kYOut };
};

struct FlipSign {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct QuantizeLinear {
  enum Input : int { kX, kYScale, kYZp };
  enum Output : int { kYOut };
};

struct DequantizeLinear {
  enum Input : int { kX, kXScale, kXZp };
  enum Output : int { kYOut };
};

struct GatherBlocks {
  enum Input : int { kX, kScale, kZeroPoint, kIndices };
  enum Output : int { kYOut };
};

struct DynamicQuantizeLinear {
  enum Input : int { kX };
  enum Output : int { kYOut, kScaleOut, kZeroPointOut };
};

struct QuantizeRows {
  enum Input : int { kX };
  enum Output : int { kYOut, kScaleOut, kZeroPointOut };
};

struct Conv {
  enum Input : int { kX, kW, kBias, kResidual };
  enum Output : int { kYOut };
};

struct Patches {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct ConvTranspose {
  enum Input : int { kX, kW, kBias };
  enum Output : int { kYOut };
};

struct MatMul {
  enum Input : int { kA, kB, kBias };
  enum Output : int { kYOut };
};

struct Unary {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct Binary {
  enum Input : int { kA, kB };
  enum Output : int { kYOut };
};

struct Compare {
  enum Input : int { kA, kB };
  enum Output : int { kYOut };
};

struct Where {
  enum Input : int { kCondition, kA, kB };
  enum Output : int { kYOut };
};

struct Cast {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct Clip {
  enum Input : int { kX, kMin, kMax };
  enum Output : int { kYOut };
};

struct Reduce {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct ArgReduce {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct Cumulative {
  enum Input : int { kX, kAxis };
  enum Output : int { kYOut };
};

struct TopK {
  enum Input : int { kX };
  enum Output : int { kValuesOut, kIndicesOut };
};

struct Softmax {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct LRN {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct LayerNorm {
  enum Input : int { kX, kScale, kBias };
  enum Output : int { kYOut, kMeanOut, kInverseDeviationOut };
};

struct InstanceNorm {
  enum Input : int { kX, kScale, kBias };
  enum Output : int { kYOut };
};

struct BatchNorm {
  enum Input : int { kX, kScale, kBias, kMean, kVariance };
  enum Output : int { kYOut };
};

struct Recurrent {
  enum Input : int { kX, kR, kB, kLengths, kH0, kC0, kP };
  enum Output : int { kYOut, kHOut, kCOut };
};

struct QRecurrent {
  enum Input : int { kX, kR, kRScale, kRZp, kB, kLengths, kH0, kC0, kP };
  enum Output : int { kYOut, kHOut, kCOut };
};

struct Rotary {
  enum Input : int { kX, kCos, kSin, kPositions };
  enum Output : int { kYOut };
};

struct Append {
  enum Input : int { kPast, kX, kStarts };
  enum Output : int { kYOut };
};

struct Attention {
  enum Input : int { kQ, kK, kV, kBias, kStarts, kLengths, kSinks, kKScales, kVScales };
  enum Output : int { kYOut };
};

struct Pool {
  enum Input : int { kX };
  enum Output : int { kYOut, kIndicesOut };
};

struct Resize {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct GridSample {
  enum Input : int { kX, kGrid };
  enum Output : int { kYOut };
};

struct Copy {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct Transpose {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct Concat {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct Slice {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct Split {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct Pad {
  enum Input : int { kX, kValue };
  enum Output : int { kYOut };
};

struct Gather {
  enum Input : int { kX, kIndices };
  enum Output : int { kYOut };
};

struct GatherElements {
  enum Input : int { kX, kIndices };
  enum Output : int { kYOut };
};

struct GatherND {
  enum Input : int { kX, kIndices };
  enum Output : int { kYOut };
};

struct ScatterElements {
  enum Input : int { kX, kIndices, kUpdates };
  enum Output : int { kYOut };
};

struct ScatterND {
  enum Input : int { kX, kIndices, kUpdates };
  enum Output : int { kYOut };
};

struct Expand {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct Tile {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct Reverse {
  enum Input : int { kX, kLengths };
  enum Output : int { kYOut };
};

struct Trilu {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct Fill {
  enum Input : int { kValue };
  enum Output : int { kYOut };
};

struct Range {
  enum Input : int { kStart, kDelta };
  enum Output : int { kYOut };
};

struct Values {
  enum Output : int { kYOut };
};

struct NonZeroCount {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct NonZero {
  enum Input : int { kX };
  enum Output : int { kYOut };
};

struct OneHot {
  enum Input : int { kIndices, kValues };
  enum Output : int { kYOut };
};

struct EyeLike {
  enum Output : int { kYOut };
};

struct If {
  enum Input : int { kCondition, kCaptures };
  enum Output : int { kYOut };
};

struct Loop {
  enum Input : int { kTripCount, kCondition, kValues };
  enum Output : int { kYOut };
};

struct ObserveMoments {
  enum Input : int { kX };
  enum Output : int { kStateOut };
};

struct ObserveHistogram {
  enum Input : int { kX };
  enum Output : int { kStateOut };
};

struct ObserveExtremes {
  enum Input : int { kX, kMomentum };
  enum Output : int { kStateOut };
};

struct ObserveChannelExtremes {
  enum Input : int { kX };
  enum Output : int { kStateOut };
};

struct ObserveChannelSums {
  enum Input : int { kX };
  enum Output : int { kStateOut };
};

struct ObserveGram {
  enum Input : int { kX };
  enum Output : int { kStateOut };
};

struct ObserveSamples {
  enum Input : int { kX };
  enum Output : int { kStateOut };
};

struct WeightReach {
  enum Input : int { kX, kLevels };
  enum Output : int { kReachOut };
};

struct WeightLevels {
  enum Input : int { kX, kScales, kBounds };
  enum Output : int { kYOut };
};

struct WeightBlocks {
  enum Input : int { kX, kBounds };
  enum Output : int { kScalesOut, kZeroPointsOut, kYOut };
};

}  // namespace octavo::step
