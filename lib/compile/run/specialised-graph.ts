/** A graph as it is for one set of feeds: their sizes, and the elements of those small inputs that decide how it is compiled. */
import { OctavoError } from '../../errors.js'
import { type Dim, dimKey } from '../../graph/expr.js'
import type { ConstantTensor, Graph, TensorType } from '../../graph/graph.js'
import type { EngineTensor } from './engine.js'

export type Feeds = Readonly<Record<string, EngineTensor>>

/** An input whose elements are compiled in may not be larger: beyond, it is data that changes with every run. */
const MAX_ELEMENTS = 4096

/** Whether the elements of an input may be compiled in. */
export function canFix(feeds: Feeds, name: string): boolean {
  return (feeds[name]?.dims.reduce((a, b) => a * b, 1) ?? 0) <= MAX_ELEMENTS
}

/** The graph with the sizes of its feeds, and the feeds of `fixed` inputs as constants. */
export function specialised(
  graph: Graph,
  fixed: ReadonlySet<string>,
  feeds: Feeds,
  given: Readonly<Record<string, number>> = {},
): { readonly graph: Graph; readonly overrides: Readonly<Record<string, number>> } {
  const types = new Map<string, TensorType>(graph.types)
  const constants = new Map<string, ConstantTensor>(graph.constants)
  const overrides: Record<string, number> = { ...given }
  for (const name of graph.inputs) {
    const { dtype, dims, data } = feedNamed(feeds, name)
    for (const [axis, d] of graph.types.get(name)?.shape?.entries() ?? []) {
      setSize(overrides, d, dims[axis] as number, name, axis)
    }
    types.set(name, { dtype, shape: dims })
    if (fixed.has(name)) constants.set(name, { dtype, dims, data })
  }
  const inputs = graph.inputs.filter((name) => !fixed.has(name))
  return { graph: { ...graph, inputs, types, constants }, overrides }
}

function setSize(sizes: Record<string, number>, d: Dim, size: number, input: string, axis: number): void {
  const known = typeof d === 'number' ? d : sizes[dimKey(d)]
  if (known === undefined) sizes[dimKey(d)] = size
  else if (known !== size) {
    throw new OctavoError(
      'ERR_SHAPE_MISMATCH',
      `Got invalid dimensions for input: ${input} for the following indices\n index: ${axis} Got: ${size} Expected: ${known}`,
      { tensor: input },
    )
  }
}

export function feedNamed(feeds: Feeds, name: string): EngineTensor {
  const feed = feeds[name]
  if (feed) return feed
  throw new OctavoError('ERR_MISSING_INPUT', `input '${name}' is missing in 'feeds'.`, { tensor: name })
}
