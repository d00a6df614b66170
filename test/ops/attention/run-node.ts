/** One node whose inputs are all fed, in Octavo or in onnxruntime. */
import { float16ToNumber, numberToFloat16 } from '../../../lib/graph/float16.js'
import { InferenceSession, Tensor } from '../../../lib/index.js'
import { type AttributeInit, modelBytes, node, value } from '../../helpers/model.js'
import { reference } from '../../models/reference.js'

const ELEMENT = { float32: 1, int32: 6, int64: 7, bool: 9, float16: 10 } as const

export interface Fed {
  readonly type: keyof typeof ELEMENT
  readonly dims: readonly number[]
  readonly data: ArrayLike<number>
  /** Sizes that the model leaves open. */
  readonly symbols?: readonly (string | number)[]
}

export const fed = (
  type: Fed['type'],
  dims: readonly number[],
  data: ArrayLike<number>,
  symbols?: Fed['symbols'],
): Fed => ({ type, dims, data, symbols })

export interface OneNode {
  readonly opType: string
  readonly domain?: string
  readonly opset?: number
  readonly attributes: readonly AttributeInit[]
  /** By position; undefined: absent. */
  readonly inputs: readonly (Fed | undefined)[]
  /** Element types of the outputs; undefined: absent. */
  readonly outputs: readonly ('float32' | 'float16' | undefined)[]
}

function nodeModel({ opType, domain = 'com.microsoft', opset, attributes, outputs, ...rest }: OneNode) {
  const inputs = Array.from(rest.inputs)
  const present = inputs.flatMap((input, i) => (input ? [{ input, name: `in${i}` }] : []))
  return modelBytes(
    {
      name: 'g',
      input: present.map(({ input, name }) => value(name, input.symbols ?? input.dims, ELEMENT[input.type])),
      output: outputs.flatMap((type, i) => (type ? [value(`out${i}`, undefined, ELEMENT[type])] : [])),
      node: [
        node(
          opType,
          inputs.map((input, i) => (input ? `in${i}` : '')),
          outputs.map((type, i) => (type ? `out${i}` : '')),
          [...attributes],
          'it',
          domain,
        ),
      ],
    },
    opset ?? 21,
    {
      opsetImport: [
        { domain: '', version: BigInt(opset ?? 21) },
        { domain: 'com.microsoft', version: 1n },
      ],
    },
  )
}

export interface Made {
  readonly dims: readonly number[]
  readonly data: Float32Array
}

export const hasPeer = reference !== undefined

export async function runNode(one: OneNode, by: 'octavo' | 'peer' = 'octavo'): Promise<(Made | undefined)[]> {
  const Api =
    by === 'octavo'
      ? { InferenceSession, Tensor }
      : (reference as never as typeof import('../../../lib/index.js'))
  const session = await Api.InferenceSession.create(nodeModel(one), { logSeverityLevel: 4 })
  try {
    const feeds = Object.fromEntries(
      one.inputs.flatMap((input, i) => (input ? [[`in${i}`, tensorOf(Api.Tensor, input)]] : [])),
    )
    const results = await session.run(feeds)
    return one.outputs.map((type, i) => {
      const result = results[`out${i}`]
      if (!type || !result) return undefined
      const data =
        type === 'float16'
          ? Float32Array.from(result.data as unknown as Uint16Array, float16ToNumber)
          : (result.data as Float32Array)
      return { dims: [...result.dims], data }
    })
  } finally {
    await session.release()
  }
}

function tensorOf(Class: typeof Tensor, { type, dims, data }: Fed): Tensor {
  switch (type) {
    case 'float16':
      return new Class('float16', Uint16Array.from(data, numberToFloat16) as never, dims)
    case 'int64':
      return new Class('int64', BigInt64Array.from(Array.from(data, BigInt)), dims)
    case 'int32':
      return new Class('int32', Int32Array.from(data), dims)
    case 'bool':
      return new Class('bool', Uint8Array.from(data), dims)
    default:
      return new Class('float32', Float32Array.from(data), dims)
  }
}

/** The largest difference, beside the largest number expected. */
export function distance(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return Number.POSITIVE_INFINITY
  let [largest, difference] = [1e-6, 0]
  for (let i = 0; i < want.length; i++) {
    const apart = Math.abs((got[i] as number) - (want[i] as number))
    if (!(apart <= difference)) difference = apart
    largest = Math.max(largest, Math.abs(want[i] as number))
  }
  return difference / largest
}
