/** Compiled, never run: the surface stands where that of onnxruntime-common stood. */
import type * as common from 'onnxruntime-common'
import * as octavo from '../../lib/index.js'

export const factory: common.InferenceSessionFactory = octavo.InferenceSession
export const tensor: common.Tensor = new octavo.Tensor('float32', new Float32Array(1), [1])
export const typed: common.TypedTensor<'int64'> = new octavo.Tensor('int64', [1n], [1])
export const backends: { name: string; bundled: boolean }[] = octavo.listSupportedBackends()
export const options: octavo.SessionOptions = {} as common.InferenceSession.SessionOptions
export const level: common.Env['logLevel'] = octavo.env.logLevel

/** Code written against onnxruntime-node, with the types of Octavo. */
export async function program(
  path: string,
  feeds: common.InferenceSession.OnnxValueMapType,
): Promise<number> {
  const options: common.InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
  }
  const session = await octavo.InferenceSession.create(path, options)
  const results: common.InferenceSession.OnnxValueMapType = await session.run(
    feeds as Record<string, octavo.Tensor>,
  )
  const names: readonly string[] = session.inputNames
  const metadata: readonly common.InferenceSession.ValueMetadata[] = session.outputMetadata
  await session.release()
  return names.length + metadata.length + Object.keys(results).length
}

/** The same names of types, used as onnxruntime's are. */
export function names(ort: typeof octavo, backend: common.Backend): octavo.OnnxValue {
  const options: octavo.InferenceSession.SessionOptions = {
    graphOptimizationLevel: 'all',
    executionMode: 'parallel',
  }
  const runOptions: octavo.InferenceSession.RunOptions = { logSeverityLevel: 4 }
  const type: octavo.Tensor.Type = 'float32'
  const data: octavo.Tensor.DataTypeMap['float32'] = new Float32Array(1)
  const made: octavo.TypedTensor<'float32'> = new ort.Tensor(type, data, [1])
  const feeds: octavo.InferenceSession.FeedsType = { x: made }
  const fetches: octavo.InferenceSession.FetchesType = { y: null }
  ort.registerBackend('x', backend, 1)
  return Object.keys({ options, runOptions, feeds, fetches }).length > 0 ? made : new ort.Tensor([true])
}

/** Feeds may be tensors of onnxruntime-common. */
export async function foreign(session: octavo.InferenceSession, x: common.Tensor): Promise<common.Tensor> {
  const results = await session.run({ x })
  return results.y as octavo.Tensor
}

export const tensorClass: octavo.TensorConstructor = octavo.Tensor
export const location: common.OnnxValueDataLocation = 'cpu' satisfies octavo.OnnxValueDataLocation
