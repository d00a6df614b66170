/** Octavo: quantize ONNX models, and run them on integer kernels. The first part is the surface of onnxruntime-node. */
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
export { InferenceSession } from './session/session.js'
export { Tensor } from './session/tensor.js'
export { OctavoError, type ErrorCode } from './errors.js'
