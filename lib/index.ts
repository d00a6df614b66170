/**
 * Octavo: quantize ONNX models, and run them on integer kernels. `InferenceSession`, `Tensor` and `env` are the surface
 * of onnxruntime-node; `quantize`, `compare`, `explain` and `inspect` are Octavo's own.
 *
 * @example
 * ```ts
 * import { InferenceSession, Tensor } from 'octavo'
 *
 * const session = await InferenceSession.create('model.int8.onnx')
 * const results = await session.run({ input: new Tensor('float32', new Float32Array(8), [1, 8]) })
 * console.log(results)
 * ```
 */

export { type ErrorCode, OctavoError } from './errors.js'
export type {
  DecodeOptions,
  EncodedText,
  GeneratedToken,
  GenerateOptions,
  TextTokenizer,
} from './generate/index.js'
export type {
  ActivationSettings,
  ActivationType,
  DataSource,
  Levels,
  NodePattern,
  Pattern,
  PatternOption,
  PatternSource,
  PresetName,
  Progress,
  QuantizationCheck,
  QuantizationReport,
  QuantizedType,
  QuantizedValueReport,
  QuantizedWeightsReport,
  QuantizeOptions,
  QuantizeResult,
  Recipe,
  RecipeOptions,
  Rule,
  RuleMatch,
  RuleOptions,
  WeightSettings,
  WeightType,
} from './quantize/index.js'
export type {
  CompareOptions,
  Comparison,
  LayerComparison,
  OutputComparison,
} from './report/compare.js'
export type { ExplainedNode, ExplainOptions, Explanation } from './report/explain.js'
export type {
  InspectedQuantization,
  InspectedValue,
  Inspection,
  InspectOptions,
} from './report/inspect.js'
export type { InspectedWeights } from './report/weights.js'
export type { Feeds, Fetches } from './session/arguments.js'
export {
  listSupportedBackends,
  registerBackend,
  type SupportedBackend,
  TRACE,
  TRACE_EVENT_BEGIN,
  TRACE_EVENT_END,
  TRACE_FUNC_BEGIN,
  TRACE_FUNC_END,
} from './session/backend.js'
export { type Env, env, version } from './session/env.js'
export type { ExecutionProvider, ExternalData, SessionOptions } from './session/options.js'
export type { ValueMetadata } from './session/session.js'
export { InferenceSession } from './session/session.js'
export { Tensor } from './session/tensor.js'
export type { TensorData, TensorType } from './session/tensor-types.js'
export type {
  Backend,
  InferenceSessionFactory,
  NonTensorType,
  OnnxModelOptions,
  OnnxValue,
  OnnxValueDataLocation,
  TensorConstructor,
  TensorFactory,
  TypedTensor,
} from './session/types.js'
export { compare, explain, generate, inspect, quantize } from './tools.js'
