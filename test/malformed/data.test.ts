/** Feeds that are well formed and yet impossible, or that crash the processor when taken literally. */
import { describe } from 'vitest'
import { float, int, node } from '../helpers/model.js'
import { type Attempt, constant, type Feed, feed, gives, type Rejected, rejects } from './attempt.js'

const INT_MIN = -(2 ** 31)
const LONG_MIN = -(2n ** 63n)
const CODE = /^ERR_(RUN|SHAPE_MISMATCH|LIMIT|MODEL_INVALID|OUT_OF_RANGE)$/

const ints = (...data: number[]) => feed('int32', [data.length], data)
const longs = (...data: (number | bigint)[]) => feed('int64', [data.length], data, ['n'])

function pair(opType: string, a: Feed, b: Feed, attributes: Parameters<typeof node>[3] = []): Attempt {
  return {
    nodes: [node(opType, ['a', 'b'], ['y'], attributes, 'culprit')],
    feeds: { a, b },
    output: a.type,
  }
}

// A Reshape is a view, which no step computes: its errors name the value.
const bad = (what: string, attempt: Attempt, message = /culprit|\bx\b/): Rejected => [
  what,
  attempt,
  CODE,
  message,
]

describe('integer division', () => {
  gives([
    ['int32 minimum by -1 wraps', pair('Div', ints(INT_MIN), ints(-1)), [INT_MIN]],
    ['int64 minimum by -1 wraps', pair('Div', longs(LONG_MIN), longs(-1)), [LONG_MIN]],
    ['int32 minimum modulo -1', pair('Mod', ints(INT_MIN), ints(-1)), [0]],
    ['int64 minimum modulo -1', pair('Mod', longs(LONG_MIN), longs(-1)), [0n]],
    ['int32 minimum modulo -1, as C does', pair('Mod', ints(INT_MIN), ints(-1), [int('fmod', 1)]), [0]],
    ['int64 minimum modulo -1, as C does', pair('Mod', longs(LONG_MIN), longs(-1), [int('fmod', 1)]), [0n]],
    [
      'the absolute value of the minimum wraps',
      {
        nodes: [node('Abs', ['a'], ['y'])],
        feeds: { a: ints(INT_MIN) },
        output: 'int32',
      },
      [INT_MIN],
    ],
  ])
  gives([
    ['int32 by 0 is 0', pair('Div', ints(7), ints(0)), [0]],
    ['int64 by 0 is 0', pair('Div', longs(7), longs(0)), [0n]],
    ['uint8 by 0 is 0', pair('Div', feed('uint8', [1], [7]), feed('uint8', [1], [0])), [0]],
    ['int8 modulo 0 is 0', pair('Mod', feed('int8', [1], [7]), feed('int8', [1], [0])), [0]],
    ['int32 modulo 0 is 0', pair('Mod', ints(7), ints(0)), [0]],
    ['int64 modulo 0, as C does, is 0', pair('Mod', longs(7), longs(0), [int('fmod', 1)]), [0n]],
  ])
})

describe('shifts', () => {
  const shift = (by: number, direction: string): Attempt =>
    pair('BitShift', feed('uint8', [1], [255]), feed('uint8', [1], [by]), [
      { name: 'direction', type: 3, s: new TextEncoder().encode(direction) },
    ])
  gives([
    ['left by all bits', shift(8, 'LEFT'), [0]],
    ['left by more than there are', shift(200, 'LEFT'), [0]],
    ['right by more than there are', shift(255, 'RIGHT'), [0]],
  ])
})

const table = feed('float32', [3, 2], [0, 1, 2, 3, 4, 5])

/** `opType(table, indices)`: indices are fed. */
function indexed(opType: string, indices: Feed, attributes: Parameters<typeof node>[3] = []): Attempt {
  return {
    nodes: [node(opType, ['t', 'i'], ['y'], attributes, 'culprit')],
    feeds: { t: table, i: indices },
  }
}

function scattered(opType: string, indices: Feed, updates: Feed): Attempt {
  return {
    nodes: [node(opType, ['t', 'i', 'u'], ['y'], [], 'culprit')],
    feeds: { t: table, i: indices, u: updates },
  }
}

const at = (dims: number[], ...data: (number | bigint)[]) => feed('int64', dims, data)

describe('indices', () => {
  const one = feed('float32', [1, 1], [9])
  const row = feed('float32', [1, 2], [9, 9])
  rejects([
    bad('Gather past the end', indexed('Gather', at([1], 3))),
    bad('Gather before the beginning', indexed('Gather', at([1], -4))),
    bad('Gather at 2^62', indexed('Gather', at([1], 2n ** 62n))),
    bad('Gather at the minimum', indexed('Gather', at([1], LONG_MIN))),
    bad('GatherElements past the end', indexed('GatherElements', at([1, 2], 0, 3))),
    bad('GatherElements before the beginning', indexed('GatherElements', at([1, 2], 0, -4))),
    bad('GatherND past the end', indexed('GatherND', at([1, 2], 0, 2))),
    bad('GatherND at the minimum', indexed('GatherND', at([1, 2], 0, LONG_MIN))),
    bad('GatherND of more axes than there are', indexed('GatherND', at([1, 3], 0, 0, 0))),
    bad('ScatterElements past the end', scattered('ScatterElements', at([1, 1], 3), one)),
    bad('ScatterElements at the minimum', scattered('ScatterElements', at([1, 1], LONG_MIN), one)),
    bad('ScatterND past the end', scattered('ScatterND', at([1, 1], 3), row)),
    bad('ScatterND with updates of another shape', scattered('ScatterND', at([1, 1], 1), one)),
    bad('MaxUnpool past the end', {
      nodes: [
        node('MaxUnpool', ['x', 'i'], ['y'], [{ name: 'kernel_shape', type: 7, ints: [2n, 2n] }], 'culprit'),
      ],
      feeds: { x: feed('float32', [1, 1, 1, 1], [1]), i: at([1, 1, 1, 1], 99) },
    }),
  ])
  gives([
    [
      'OneHot out of range is all off',
      {
        nodes: [node('OneHot', ['i', 'd', 'v'], ['y'])],
        feeds: { i: at([1], 99) },
        initializers: [constant('d', 'int64', [], [2]), constant('v', 'float32', [2], [0, 1])],
      },
      [0, 0],
    ],
  ])
})

/** An operator whose output has the sizes that are fed. */
const sized = (opType: string, inputs: string[], feeds: Record<string, Feed>): Attempt => ({
  nodes: [node(opType, inputs, ['y'], [], 'culprit')],
  feeds,
})

describe('sizes that come with the data', () => {
  const x = feed('float32', [2, 3], [1, 2, 3, 4, 5, 6])
  const scalar = (value: number) => feed('float32', [], [value])
  rejects([
    bad('ConstantOfShape of 8 GiB', sized('ConstantOfShape', ['s'], { s: longs(2048, 1024, 1024) })),
    bad(
      'ConstantOfShape that overflows',
      sized('ConstantOfShape', ['s'], { s: longs(2n ** 62n, 2n ** 62n) }),
    ),
    bad('ConstantOfShape of a negative size', sized('ConstantOfShape', ['s'], { s: longs(-1) })),
    bad('Reshape to another count', sized('Reshape', ['x', 's'], { x, s: longs(4, 2) })),
    bad('Reshape with -1 twice', sized('Reshape', ['x', 's'], { x, s: longs(-1, -1) })),
    bad('Reshape to 2^62 twice', sized('Reshape', ['x', 's'], { x, s: longs(2n ** 62n, 4) })),
    bad('Expand to what does not broadcast', sized('Expand', ['x', 's'], { x, s: longs(2, 4) })),
    bad('Expand to 8 GiB', sized('Expand', ['x', 's'], { x, s: longs(2 ** 30, 2, 3) })),
    bad('Tile by a negative number', sized('Tile', ['x', 'r'], { x, r: longs(-1, 1) })),
    bad('Tile by 2^62', sized('Tile', ['x', 'r'], { x, r: longs(2n ** 62n, 2) })),
    bad('Pad by 2^62', sized('Pad', ['x', 'p'], { x, p: longs(2n ** 62n, 0, 0, 0) })),
    bad('Pad that cuts more than there is', sized('Pad', ['x', 'p'], { x, p: longs(-2, 0, -2, 0) })),
    bad('Range with step 0', sized('Range', ['a', 'b', 'c'], { a: scalar(0), b: scalar(9), c: scalar(0) })),
    bad(
      'Range with step NaN',
      sized('Range', ['a', 'b', 'c'], { a: scalar(0), b: scalar(9), c: scalar(NaN) }),
    ),
    bad(
      'Range without end',
      sized('Range', ['a', 'b', 'c'], { a: scalar(0), b: scalar(1e30), c: scalar(1) }),
    ),
    bad('TopK of more than there are', sized('TopK', ['x', 'k'], { x, k: longs(9) })),
    bad('TopK of -1', sized('TopK', ['x', 'k'], { x, k: longs(-1) })),
    bad('Split that does not add up', {
      nodes: [node('Split', ['x', 's'], ['y', 'z'], [], 'culprit')],
      feeds: { x, s: longs(1, 2) },
    }),
    bad('Split of a negative size', {
      nodes: [node('Split', ['x', 's'], ['y', 'z'], [], 'culprit')],
      feeds: { x, s: longs(3, -1) },
    }),
    bad('OneHot of 2^40 classes', {
      nodes: [node('OneHot', ['i', 'd', 'v'], ['y'], [], 'culprit')],
      feeds: { i: longs(0), d: feed('int64', [], [2n ** 40n]), v: feed('float32', [2], [0, 1]) },
    }),
  ])
  const slice = (start: bigint | number, end: bigint | number, step: bigint | number): Attempt =>
    sized('Slice', ['x', 's', 'e', 'a', 't'], {
      x,
      s: longs(start),
      e: longs(end),
      a: longs(1),
      t: longs(step),
    })
  rejects([
    bad('Slice with step 0', slice(0, 2, 0)),
    bad('Slice with the smallest step', slice(2, LONG_MIN, LONG_MIN)),
    bad('Slice with extreme bounds backwards', slice(2n ** 63n - 1n, LONG_MIN, -1)),
  ])
  gives([
    ['Slice with bounds far outside', slice(-(2n ** 62n), 2n ** 62n, 1), [1, 2, 3, 4, 5, 6]],
    ['Slice with an extreme step', slice(0, 3, 2n ** 63n - 1n), [1, 4]],
  ])
})

describe('scales that come with the data', () => {
  const image = feed('float32', [1, 1, 2, 2], [1, 2, 3, 4])
  const resize = (...scales: number[]): Attempt => ({
    nodes: [node('Resize', ['x', '', 's'], ['y'], [], 'culprit')],
    feeds: { x: image, s: feed('float32', [4], scales) },
  })
  rejects([
    bad('Resize by 0', resize(1, 1, 0, 1)),
    bad('Resize by a negative number', resize(1, 1, -2, 1)),
    bad('Resize by NaN', resize(1, 1, NaN, 1)),
    bad('Resize by infinity', resize(1, 1, Infinity, 1)),
    bad('Resize by 10^18', resize(1, 1, 1e18, 1e18)),
  ])
})

describe('floats without a number', () => {
  const casts = (type: 'int32' | 'uint8' | 'bool', number: number): Attempt => ({
    nodes: [node('Cast', ['x'], ['y'], [int('to', { int32: 6, uint8: 2, bool: 9 }[type])])],
    feeds: { x: feed('float32', [1], [number]) },
    output: type,
  })
  gives([
    ['NaN is true', casts('bool', NaN), [1]],
    [
      'NaN sorts somewhere in TopK',
      {
        nodes: [node('TopK', ['x', 'k'], ['v', 'i']), node('Size', ['i'], ['y'])],
        feeds: { x: feed('float32', [3], [NaN, 1, NaN]) },
        initializers: [constant('k', 'int64', [1], [2])],
        output: 'int64',
      },
      [2n],
    ],
    [
      'a leaky slope of infinity',
      {
        nodes: [node('LeakyRelu', ['x'], ['y'], [float('alpha', Number.POSITIVE_INFINITY)])],
        feeds: { x: feed('float32', [2], [-1, 1]) },
      },
      [-Infinity, 1],
    ],
  ])
  describe('become integers without a trap', () => {
    for (const number of [NaN, Infinity, -Infinity, 1e30, -1e30]) {
      gives([
        [
          `${number} as uint8 stays within its type`,
          {
            nodes: [
              node('Cast', ['x'], ['c'], [int('to', 2)]),
              node('Cast', ['c'], ['f'], [int('to', 1)]),
              node('Clip', ['f', 'low', 'high'], ['g']),
              node('Equal', ['f', 'g'], ['y']),
            ],
            feeds: { x: feed('float32', [1], [number]) },
            initializers: [constant('low', 'float32', [], [0]), constant('high', 'float32', [], [255])],
            output: 'bool',
          },
          [1],
        ],
      ])
    }
  })
})

describe('nothing', () => {
  const none = feed('float32', [0, 3], [], ['n', 3])
  gives([
    ['Relu of nothing', { nodes: [node('Relu', ['x'], ['y'])], feeds: { x: none } }, []],
    [
      'MatMul of nothing',
      {
        nodes: [node('MatMul', ['x', 'w'], ['y'])],
        feeds: { x: none },
        initializers: [constant('w', 'float32', [3, 2], [1, 2, 3, 4, 5, 6])],
      },
      [],
    ],
    [
      'the sum of nothing',
      {
        nodes: [node('ReduceSum', ['x', 'a'], ['y'], [int('keepdims', 0)])],
        feeds: { x: none },
        initializers: [constant('a', 'int64', [1], [0])],
      },
      [0, 0, 0],
    ],
  ])
  rejects([
    bad('ArgMax over nothing', {
      nodes: [node('ArgMax', ['x'], ['y'], [int('axis', 0)], 'culprit')],
      feeds: { x: none },
      output: 'int64',
    }),
  ])
})
