// The formats: options of quantize, whether they need samples, and the names of the models that they are for, where not for all.
export const FORMATS = [
  { name: 'float' },
  { name: 'int8', samples: true, options: { preset: 'int8' } },
  { name: 'int8-dynamic', options: { preset: 'int8-dynamic' } },
  {
    name: 'int8-dynamic, tensor',
    options: { preset: 'int8-dynamic', activations: { granularity: 'tensor' } },
  },
  { name: 'int8-weights', options: { preset: 'int8-weights' } },
  { name: 'int4-weights', options: { preset: 'int4-weights' } },
  { name: 'int4-weights, float activations', options: { preset: 'int4-weights', activations: 'float' } },
  { name: 'int4-weights, nbits', options: { preset: 'int4-weights', file: 'nbits' } },
  {
    name: 'int4 asymmetric',
    options: { weights: { type: 'int4', group: 32, symmetric: false }, activations: 'block' },
  },
  { name: 'smallest', options: { preset: 'smallest' } },
  { name: 'int2-weights', options: { preset: 'int2-weights' } },
  { name: 'a8w4', samples: true, options: { preset: 'a8w4' } },
  { name: 'a16w8', samples: true, options: { preset: 'a16w8' } },
  { name: 'w1', samples: true, options: { weights: { type: 'w1' } }, models: /w1a1/ },
]
