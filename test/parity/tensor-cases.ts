/** Tensor: constructors, members, and their errors. */
import { type Api, type ParityCase, untyped } from './case.js'

const hasFloat16Array = 'Float16Array' in globalThis

type Arguments = ConstructorParameters<Api['Tensor']> | readonly unknown[]

function made({ Tensor }: Api, ...parameters: Arguments) {
  const construct = Tensor as unknown as new (
    ...parameters: readonly unknown[]
  ) => InstanceType<Api['Tensor']>
  const { type, dims, size, location, data } = new construct(...parameters)
  return {
    type,
    dims: [...dims],
    size,
    location,
    array: data.constructor.name,
    data: Array.from<unknown>(data as ArrayLike<unknown>),
  }
}

function tensor(
  type: string,
  array: string,
  data: readonly unknown[],
  dims = [data.length],
  size = data.length,
) {
  return { type, dims, size, location: 'cpu', array, data }
}

const typed: readonly (readonly [string, ArrayBufferView, readonly unknown[]])[] = [
  ['float32', Float32Array.of(1.5, -2), [1.5, -2]],
  ['float64', Float64Array.of(1.5, -2), [1.5, -2]],
  ['uint8', Uint8Array.of(1, 255), [1, 255]],
  ['int8', Int8Array.of(1, -128), [1, -128]],
  ['uint16', Uint16Array.of(1, 65535), [1, 65535]],
  ['int16', Int16Array.of(1, -32768), [1, -32768]],
  ['uint32', Uint32Array.of(1, 2 ** 32 - 1), [1, 2 ** 32 - 1]],
  ['int32', Int32Array.of(1, -(2 ** 31)), [1, -(2 ** 31)]],
  ['int64', BigInt64Array.of(1n, -2n), [1n, -2n]],
  ['uint64', BigUint64Array.of(1n, 2n), [1n, 2n]],
]

const constructors: readonly ParityCase[] = [
  ...typed.flatMap(([type, array, data]): ParityCase[] => [
    {
      name: `Tensor('${type}', array)`,
      act: (api) => made(api, type, array),
      gives: tensor(type, array.constructor.name, data),
    },
    {
      name: `Tensor(${array.constructor.name}, dims)`,
      act: (api) => made(api, array, [1, 2]),
      gives: tensor(type, array.constructor.name, data, [1, 2]),
    },
  ]),
  {
    name: 'Tensor of a number array',
    act: (api) => made(api, 'float32', [1, 2, 3, 4], [2, 2]),
    gives: tensor('float32', 'Float32Array', [1, 2, 3, 4], [2, 2]),
  },
  {
    name: 'Tensor of int64 of a number array',
    act: (api) => made(api, 'int64', [1, 2]),
    gives: tensor('int64', 'BigInt64Array', [1n, 2n]),
  },
  {
    name: 'Tensor of uint64 of a bigint array',
    act: (api) => made(api, 'uint64', [1n, 2n]),
    gives: tensor('uint64', 'BigUint64Array', [1n, 2n]),
  },
  {
    name: 'Tensor of bool of a boolean array',
    act: (api) => made(api, 'bool', [true, false]),
    gives: tensor('bool', 'Uint8Array', [1, 0]),
  },
  {
    name: 'Tensor of a boolean array alone',
    act: (api) => made(api, [true, false, true]),
    gives: tensor('bool', 'Uint8Array', [1, 0, 1]),
  },
  {
    name: 'Tensor of a string array',
    act: (api) => made(api, ['a', 'b'], [2, 1]),
    gives: tensor('string', 'Array', ['a', 'b'], [2, 1]),
  },
  {
    name: 'Tensor of a clamped array',
    act: (api) => made(api, Uint8ClampedArray.of(1, 2)),
    gives: tensor('uint8', 'Uint8Array', [1, 2]),
  },
  {
    name: "Tensor('float16', Uint16Array)",
    act: (api) => made(api, 'float16', Uint16Array.of(0x3c00)),
    gives: tensor('float16', hasFloat16Array ? 'Float16Array' : 'Uint16Array', [
      hasFloat16Array ? 1 : 0x3c00,
    ]),
  },
  ...['uint4', 'int4'].map((type) => ({
    name: `Tensor('${type}', packed)`,
    act: (api: Api) => made(api, type, Uint8Array.of(0x21, 0x03), [3]),
    gives: tensor(type, 'Uint8Array', [0x21, 0x03], [3], 3),
  })),
  {
    name: 'Tensor with dims []',
    act: (api) => made(api, 'float32', [1], []),
    gives: tensor('float32', 'Float32Array', [1], []),
  },
  {
    name: 'Tensor without elements',
    act: (api) => made(api, 'float32', [], [0, 3]),
    gives: tensor('float32', 'Float32Array', [], [0, 3]),
  },
  {
    name: 'Tensor over pinned memory',
    act: (api) => made(api, { location: 'cpu-pinned', type: 'int8', data: Int8Array.of(1, 2), dims: [2] }),
    gives: { ...tensor('int8', 'Int8Array', [1, 2]), location: 'cpu-pinned' },
  },
]

const members: readonly ParityCase[] = [
  {
    name: 'data is kept, not copied',
    act: ({ Tensor }) => {
      const data = Float32Array.of(1)
      return new Tensor(data).data === data
    },
    gives: true,
  },
  {
    name: 'reshape shares the data',
    act: ({ Tensor }) => {
      const tensor = new Tensor('float32', [1, 2, 3, 4], [2, 2])
      const other = tensor.reshape([4])
      return [other.dims, other.data === tensor.data, tensor.dims]
    },
    gives: [[4], true, [2, 2]],
  },
  {
    name: 'getData',
    act: async ({ Tensor }) => Array.from(await new Tensor('int32', [1, 2]).getData()),
    gives: [1, 2],
  },
  {
    name: 'dispose takes the data away',
    act: ({ Tensor }) => {
      const tensor = new Tensor('int32', [1, 2])
      tensor.dispose()
      return tensor.location
    },
    gives: 'none',
  },
  {
    name: 'getData(true) keeps data that is on the CPU',
    act: async ({ Tensor }) => {
      const tensor = new Tensor('int32', [1, 2])
      await tensor.getData(true)
      return [tensor.location, Array.from(tensor.data)]
    },
    gives: ['cpu', [1, 2]],
  },
  {
    name: 'fromPinnedBuffer',
    act: ({ Tensor }) => {
      const data = Float32Array.of(1, 2)
      const tensor = Tensor.fromPinnedBuffer('float32', data, [1, 2])
      return [tensor.location, tensor.dims, tensor.data === data]
    },
    gives: ['cpu-pinned', [1, 2], true],
  },
]

function fails(
  name: string,
  parameters: readonly unknown[],
  error: typeof Error,
  message: RegExp,
): ParityCase {
  return { name: `Tensor: ${name}`, act: (api) => made(api, ...parameters), throws: [error, message] }
}

const errors: readonly ParityCase[] = [
  fails('unknown type', ['complex', [1]], TypeError, /^Unsupported tensor type: complex\.$/),
  fails(
    'data of another type',
    ['float32', Int8Array.of(1)],
    TypeError,
    /^A float32 tensor's data must be type of/,
  ),
  fails('clamped as int8', ['int8', Uint8ClampedArray.of(1)], TypeError, /must be type of uint8$/),
  fails('string of numbers', ['string', Float32Array.of(1)], TypeError, /must be a string array\.$/),
  fails('empty array', [[]], TypeError, /^Tensor type cannot be inferred from an empty array\.$/),
  fails('array of numbers', [[1, 2]], TypeError, /^Invalid element type of data array: number\.$/),
  fails('array buffer', [new ArrayBuffer(4)], TypeError, /^Unsupported type for tensor data: /),
  fails(
    'uint4 of numbers',
    ['uint4', [1]],
    TypeError,
    /^Creating a uint4 tensor from number array is not supported/,
  ),
  fails(
    'int4 of numbers',
    ['int4', [1]],
    TypeError,
    /^Creating a int4 tensor from number array is not supported/,
  ),
  fails('dims is a number', ['float32', [1], 1], TypeError, /^A tensor's dims must be a number array$/),
  fails('dims of strings', ['float32', [1], ['1']], TypeError, /^dims\[0\] must be an integer, got: 1$/),
  fails(
    'dims of fractions',
    ['float32', [1], [1, 0.5]],
    TypeError,
    /^dims\[1\] must be an integer, got: 0\.5$/,
  ),
  fails(
    'negative dims',
    ['float32', [1], [-1]],
    RangeError,
    /^dims\[0\] must be a non-negative integer, got: -1$/,
  ),
  fails(
    'other size',
    ['float32', [1, 2], [3]],
    Error,
    /^Tensor's size\(3\) does not match data length\(2\)\.$/,
  ),
  fails(
    'pinned of another type',
    [{ location: 'cpu-pinned', type: 'float32', data: Int8Array.of(1), dims: [1] }],
    TypeError,
    /^buffer should be of type Float32Array$/,
  ),
  {
    name: 'Tensor: data after dispose',
    act: ({ Tensor }) => {
      const tensor = new Tensor('int32', [1])
      tensor.dispose()
      return tensor.data
    },
    throws: [Error, /^The tensor is disposed\.$/],
  },
  {
    name: 'Tensor: reshape to another size',
    act: ({ Tensor }) => new Tensor('int32', [1]).reshape(untyped([2])),
    throws: [Error, /^Tensor's size\(2\) does not match data length\(1\)\.$/],
  },
]

export const tensorCases: readonly ParityCase[] = [...constructors, ...members, ...errors]
