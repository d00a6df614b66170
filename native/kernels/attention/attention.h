// The parts of attention: scores of queries and keys, their softmax, sums of values. Keys and values are rows of
// float32 or, of a quantized past, of int8 whose scales the softmax takes. Every kernel gives these bits; all in
// float32, fma is rounded once:
//   dots:    element i of a product goes to accumulator i mod 16 by fma; then 0+8, 1+9, ...; 0+4, ...; 0+2, 1+3; 0+1
//   tile:    s = 0; for every element in order: s = fma(q, k, s)
//   softmax: s = score * scale * key scale; s = cap * tanh(s / cap); s = s + bias; e = exp(s - max s), the largest of
//   all
//            and of the sink; the sum of e has the 16 accumulators of kernels/rows, then the sink is added
//   mix:     for every key in order: y = fma(e, v, y); y is divided by the sum at the end
// Up to kReadSlack bytes past the end of rows may be read.
#pragma once

#include <cstdint>

#include "cpu/isa_id.h"

namespace octavo {

constexpr int64_t kAttentionRows = 4;   // queries at once
constexpr int64_t kAttentionKeys = 64;  // keys of a packed block

// Queries q[r][0 .. size) of rows r < rows, at most kAttentionRows; scores[r] is where that of the first key goes. A
// vector of 16 may be written from any score on.
struct AttentionQueries {
  int64_t rows;
  int64_t size;
  const float* const* q;
  float* const* scores;
};

// Keys or values j < count, at rows + j * stride.
struct AttentionKeys {
  const void* rows;
  int64_t stride;  // elements
  int64_t count;
};

struct AttentionSoftmax {
  float scale;
  float cap;                  // 0: none
  const float* bias;          // of the first key; nullptr: none
  const float* sink;          // a score without a value; nullptr: none
  const float* key_scales;    // of int8 keys; nullptr: none
  const float* value_scales;  // of int8 values, which the weights take; nullptr: none
};

// y[r][0 .. size) of rows r < rows, at most kAttentionRows; weights[r] is that of the first value.
struct AttentionMix {
  int64_t rows;
  int64_t size;
  const float* const* weights;
  float* const* y;
  bool first;  // y is written; else added to
};

// Of keys and values of one element type.
struct AttentionLoops {
  void (*dots)(const AttentionQueries& queries, const AttentionKeys& keys);
  // packed[i * kAttentionKeys + j] is element i of key j < keys.count; zero from there to kAttentionKeys.
  void (*pack)(const AttentionKeys& keys, int64_t size, float* packed);
  void (*mix)(const AttentionMix& mix, const AttentionKeys& values);
};

struct AttentionKernel {
  Isa isa;
  const char* name;
  AttentionLoops float32, int8;
  // Scores of kAttentionKeys packed keys.
  void (*tile)(const AttentionQueries& queries, const float* packed);
  // Turns n scores (n > 0) into weights e; gives their sum, 0 where every score is -inf: the weights are 0 then.
  float (*softmax)(const AttentionSoftmax& softmax, float* scores, int64_t n);
  // y[0 .. n) /= sum
  void (*divide)(float* y, int64_t n, float sum);
};

const AttentionKernel& attention_kernel();  // the best for this machine

}  // namespace octavo
