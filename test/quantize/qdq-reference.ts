/** A QDQ graph evaluated node by node as ONNX defines it, in float64 where ONNX leaves it open: for the operators of the test nets. */
import { type Graph, intsAttribute, type Node } from '../../lib/graph/graph.js'
import { numbersOf } from '../../lib/graph/tensor.js'

export interface Values {
  readonly dims: readonly number[]
  readonly data: ArrayLike<number>
}

/** All values of the graph by name. */
export function evaluate(graph: Graph, feeds: Readonly<Record<string, Values>>): Map<string, Values> {
  const values = new Map<string, Values>(Object.entries(feeds))
  for (const [name, tensor] of graph.constants)
    values.set(name, { dims: tensor.dims, data: numbersOf(tensor) })
  const dtypes = new Map([...graph.constants].map(([name, { dtype }]) => [name, dtype as string]))
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => values.get(name) as Values)
    values.set(node.outputs[0] as string, operate(node, inputs, dtypes.get(node.inputs[2] ?? '') ?? 'uint8'))
  }
  return values
}

function operate(node: Node, inputs: readonly Values[], zeroPointType: string): Values {
  const [x, y, z] = inputs as [Values, Values, Values]
  const each = (f: (v: number, i: number) => number): Values => ({
    dims: x.dims,
    data: Float64Array.from(x.data, f),
  })
  switch (node.opType) {
    case 'QuantizeLinear':
      return each((v) => quantize(v, y.data[0] as number, z.data[0] as number, zeroPointType))
    case 'DequantizeLinear':
      return dequantize(node, x, y, z)
    case 'Clip':
      return each((v) => Math.min(z?.data[0] ?? Infinity, Math.max(y?.data[0] ?? -Infinity, v)))
    case 'Relu':
      return each((v) => Math.max(0, v))
    case 'Sigmoid':
      return each((v) => 1 / (1 + Math.exp(-v)))
    case 'HardSwish':
      return each((v) => v * Math.min(1, Math.max(0, v / 6 + 0.5)))
    case 'Add':
      return broadcast(x, y, (a, b) => a + b)
    case 'Mul':
      return broadcast(x, y, (a, b) => a * b)
    case 'Transpose':
      return transposeLast(x)
    case 'GlobalAveragePool':
      return average(x)
    case 'Flatten':
      return { dims: [x.dims[0] as number, x.data.length / (x.dims[0] as number)], data: x.data }
    case 'Gemm':
      return gemm(x, y, z)
    case 'Conv':
      return convolve(x, y, z, (intsAttribute(node, 'pads') ?? [0, 0, 0, 0])[0] as number)
    default:
      throw new Error(`no reference for ${node.opType}`)
  }
}

function quantize(v: number, scale: number, zeroPoint: number, dtype: string): number {
  const [least, most] = dtype === 'int8' ? [-128, 127] : [0, 255]
  const level = Math.fround(Math.fround(v) / scale)
  const floor = Math.floor(level)
  const rest = level - floor
  const even = floor % 2 === 0 ? floor : floor + 1
  const rounded = rest === 0.5 ? even : Math.round(level)
  return Math.min(most, Math.max(least, rounded + zeroPoint))
}

function dequantize(node: Node, x: Values, scale: Values, zeroPoint: Values): Values {
  const attribute = node.attributes.axis
  const axis = attribute?.kind === 'int' ? attribute.value : 1
  const inner = x.dims.slice(axis + 1).reduce((n, d) => n * d, 1)
  const at = (i: number) => (scale.data.length === 1 ? 0 : Math.floor(i / inner) % scale.data.length)
  const data = Float64Array.from(x.data, (q, i) =>
    Math.fround((q - (zeroPoint.data[at(i)] as number)) * (scale.data[at(i)] as number)),
  )
  return { dims: x.dims, data }
}

/** b: of the shape of a, or [1, c, 1, 1]. */
function broadcast(a: Values, b: Values, f: (a: number, b: number) => number): Values {
  const [large, small] = a.data.length >= b.data.length ? [a, b] : [b, a]
  const inner = large.data.length / ((large.dims[0] as number) * (large.dims[1] as number))
  const at = (i: number) =>
    small.data.length === large.data.length ? i : Math.floor(i / inner) % small.data.length
  return {
    dims: large.dims,
    data: Float64Array.from(large.data, (v, i) => f(v, small.data[at(i)] as number)),
  }
}

function transposeLast(x: Values): Values {
  const [n, c, h, w] = x.dims as [number, number, number, number]
  const data = Float64Array.from({ length: x.data.length }, (_, i) => {
    const [outer, column, row] = [Math.floor(i / (h * w)), Math.floor(i / h) % w, i % h]
    return x.data[outer * h * w + row * w + column] as number
  })
  return { dims: [n, c, w, h], data }
}

function average(x: Values): Values {
  const [n, c, h, w] = x.dims as [number, number, number, number]
  const data = Float64Array.from({ length: n * c }, (_, i) => {
    let sum = 0
    for (let k = 0; k < h * w; ++k) sum += x.data[i * h * w + k] as number
    return sum / (h * w)
  })
  return { dims: [n, c, 1, 1], data }
}

function gemm(x: Values, w: Values, b: Values): Values {
  const [m, k] = x.dims as [number, number]
  const n = w.dims[1] as number
  const data = Float64Array.from({ length: m * n }, (_, i) => {
    let sum = b.data[i % n] as number
    for (let j = 0; j < k; ++j) {
      sum += (x.data[Math.floor(i / n) * k + j] as number) * (w.data[j * n + (i % n)] as number)
    }
    return sum
  })
  return { dims: [m, n], data }
}

function convolve(x: Values, w: Values, b: Values, pad: number): Values {
  const [, c, h, width] = x.dims as [number, number, number, number]
  const [o, , kh, kw] = w.dims as [number, number, number, number]
  const data = new Float64Array(o * h * width)
  for (let i = 0; i < data.length; ++i) {
    const [channel, row, column] = [Math.floor(i / (h * width)), Math.floor(i / width) % h, i % width]
    let sum = b.data[channel] as number
    for (let j = 0; j < c * kh * kw; ++j) {
      const [from, dy, dx] = [Math.floor(j / (kh * kw)), (Math.floor(j / kw) % kh) - pad, (j % kw) - pad]
      const [y, z] = [row + dy, column + dx]
      if (y < 0 || z < 0 || y >= h || z >= width) continue
      sum += (x.data[(from * h + y) * width + z] as number) * (w.data[channel * c * kh * kw + j] as number)
    }
    data[i] = sum
  }
  return { dims: [1, o, h, width], data }
}
