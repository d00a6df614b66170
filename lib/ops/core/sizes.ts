/** What inference knows of a small integer value, as a constant. */
import type { ConstantTensor } from '../../graph/graph.js'
import type { Inference } from './infer.js'

/** A small integer tensor whose elements are all known numbers. */
export function constantFromValues(info: Inference, name: string): ConstantTensor | undefined {
  const values = info.values.get(name)
  const type = info.types.get(name)
  if (!values?.every((v): v is number => typeof v === 'number')) return undefined
  if (!type?.shape?.every((d): d is number => typeof d === 'number')) return undefined
  const dims = type.shape as readonly number[]
  const bytes = (a: { buffer: ArrayBufferLike }) => new Uint8Array(a.buffer as ArrayBuffer)
  switch (type.dtype) {
    case 'int64':
      return { dtype: 'int64', dims, data: bytes(BigInt64Array.from(values, (v) => BigInt(v))) }
    case 'int32':
      return { dtype: 'int32', dims, data: bytes(Int32Array.from(values)) }
    case 'bool':
      return { dtype: 'bool', dims, data: Uint8Array.from(values) }
    default:
      return undefined
  }
}
