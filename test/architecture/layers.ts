/** The order of the rooms, lowest first: a file uses its own room and those below, never one beside or above it. */

/** Files beside the folders of lib/ that everything may use. */
const BASE = ['builtins', 'errors', 'event-loop', 'files', 'record']

export const LIB: readonly (readonly string[])[] = [
  ['base'],
  ['graph'],
  ['native', 'onnx'],
  ['plan'],
  ['ops'],
  ['passes', 'statistics'],
  ['compile'],
  ['calibrate', 'session'],
  ['data'],
  ['quantize', 'report', 'generate'],
  ['tools'],
  ['index'],
  ['register', 'cli'],
]

/** addon and ops meet in engine: `op.h` is what an operator is, `ops/registry.cc` gives the list of them. */
export const NATIVE: readonly (readonly string[])[] = [
  ['simd', 'cpu'],
  ['kernels', 'engine'],
  ['ops', 'addon'],
]

/** The order as docs/architecture.md states it, from the top. */
export function orderText(layers: readonly (readonly string[])[]): string {
  const rooms = (layer: readonly string[]) => (layer.length === 1 ? layer.join() : `{${layer.join(', ')}}`)
  return [...layers].reverse().map(rooms).join(' -> ')
}

/** The room of a file of lib/ or native/: its folder, or its own name where it lies beside the folders. */
export function roomOf(file: string): string {
  const [, first = '', second] = file.split('/')
  if (second !== undefined) return first
  const name = first.replace(/\.\w+$/, '')
  return BASE.includes(name) ? 'base' : name
}
