/** A bad model, or bad data for a good one, through the public API: what it ends with. */
import { expect, test } from 'vitest'
import { InferenceSession, type SessionOptions, Tensor, type TensorType } from '../../lib/index.js'
import { type GraphInit, modelBytes, type NodeInit, value } from '../helpers/model.js'

/** ONNX numbers of the element types that the tables use. */
const TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float64: 11 } as const

export type TypeName = keyof typeof TYPES
export type Elements = readonly (number | bigint)[]

/** An input: its type, what the model says of its sizes, and what is fed. */
export interface Feed {
  readonly type: TypeName
  readonly declared?: readonly (number | string)[]
  readonly dims: readonly number[]
  readonly data: Elements
}

export interface Attempt {
  readonly nodes: NodeInit[]
  readonly feeds?: Readonly<Record<string, Feed>>
  readonly initializers?: NonNullable<Exclude<GraphInit, { $typeName: string }>['initializer']>
  /** Type of the output `y`. */
  readonly output?: TypeName
  readonly opset?: number
  readonly options?: SessionOptions
}

export const feed = (
  type: TypeName,
  dims: readonly number[],
  data: Elements,
  declared?: Feed['declared'],
): Feed => ({
  type,
  dims,
  data,
  declared,
})

const ARRAYS = {
  float32: Float32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int32: Int32Array,
  float64: Float64Array,
  bool: Uint8Array,
}

function tensorOf({ type, dims, data }: Feed): Tensor {
  const array = type === 'int64' ? BigInt64Array.from(data.map(BigInt)) : ARRAYS[type].from(data.map(Number))
  return new Tensor(type as TensorType, array, [...dims])
}

/** A constant; `data` is stored as raw bytes. */
export function constant(name: string, type: TypeName, dims: readonly number[], data: Elements) {
  const { buffer } =
    type === 'int64' ? BigInt64Array.from(data.map(BigInt)) : ARRAYS[type].from(data.map(Number))
  return { name, dataType: TYPES[type], dims: dims.map(BigInt), rawData: new Uint8Array(buffer) }
}

export function bytesOf({
  nodes,
  feeds = {},
  initializers,
  output = 'float32',
  opset = 21,
}: Attempt): Uint8Array {
  const inputs = Object.entries(feeds).map(([name, f]) => value(name, f.declared ?? f.dims, TYPES[f.type]))
  const graph = { name: 'g', input: inputs, output: [value('y', undefined, TYPES[output])] }
  return modelBytes({ ...graph, node: nodes, initializer: initializers } as GraphInit, opset)
}

/** Creates a session, runs it, and gives the elements of `y`; sessions never outlive this. */
export async function attempt(
  what: Attempt,
): Promise<{ dims: readonly number[]; data: (number | bigint)[] }> {
  const session = await InferenceSession.create(bytesOf(what), { intraOpNumThreads: 1, ...what.options })
  try {
    const feeds = Object.entries(what.feeds ?? {}).map(([name, f]): [string, Tensor] => [name, tensorOf(f)])
    const y = (await session.run(Object.fromEntries(feeds))).y as Tensor
    return { dims: y.dims, data: [...(y.data as Iterable<number | bigint>)] }
  } finally {
    await session.release()
  }
}

/** What is wrong, the attempt, the code, what the message must name. */
export type Rejected = readonly [string, Attempt, string | RegExp, RegExp]

export function rejects(cases: readonly Rejected[]): void {
  test.each(cases)('%s', async (_what, what, code, message) => {
    const error = (await attempt(what).catch((e: unknown) => e)) as Error & { code?: string }
    expect(error, 'expected an error, got an output').toBeInstanceOf(Error)
    expect(error.message).toMatch(message)
    expect(error.code).toMatch(code)
  })
}

/** What is odd, the attempt, the elements that it is documented to give. */
export type Accepted = readonly [string, Attempt, Elements]

export function gives(cases: readonly Accepted[]): void {
  test.each(cases)('%s', async (_what, what, elements) => {
    expect((await attempt(what)).data).toEqual(elements)
  })
}
