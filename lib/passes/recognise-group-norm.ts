/**
 * Normalization of groups of channels, as PyTorch exports it, with the affine part after it:
 *
 *     Reshape(InstanceNormalization(Reshape(x, [N, G, ...]), 1, 0), [N, C, H, W]) * scale + bias
 *       =>  GroupNormalization(x, scale, bias) {num_groups=G}
 *
 * also with LayerNormalization over the last axis of [N, G, K] in the middle.
 */
import { sameDim } from '../graph/expr.js'
import { floatAttribute, type Graph, intAttribute, type Node } from '../graph/graph.js'
import { GraphEditor } from '../graph/rewrite.js'
import { floatsOf, tensorFromNumbers } from '../graph/tensor.js'
import { type Inference, inferGraph } from '../ops/core/infer.js'
import type { PassContext } from './pass.js'
import { producedBy } from './product.js'
import { alongAxis, spreadOf } from './spread.js'

export function recogniseGroupNorm(graph: Graph, { overrides, partial }: PassContext): Graph {
  if (!graph.nodes.some(isNorm)) return graph
  const editor = new GraphEditor(graph)
  const { types } = inferGraph(graph, { overrides, partial })
  for (const { name } of editor.nodes()) {
    const node = editor.node(name)
    const found = node?.opType === 'Reshape' && node.domain === '' ? groupsOf(editor, types, node) : undefined
    if (node && found) replace(editor, types, node, found)
  }
  return editor.finish()
}

function isNorm(node: Node): boolean {
  return (
    node.domain === '' && /^(Instance|Layer)Normalization$/.test(node.opType) && node.outputs.length === 1
  )
}

interface Groups {
  readonly x: string
  readonly groups: number
  readonly epsilon: number
}

/** What the Reshape back to [N, C, ...] ends; undefined: something else. */
function groupsOf(editor: GraphEditor, types: Inference['types'], back: Node): Groups | undefined {
  const norm = editor.producer(back.inputs[0] ?? '')
  if (!norm || !isNorm(norm) || editor.soleReader(back.inputs[0] as string) === undefined) return undefined
  const there = producedBy(editor, norm.inputs[0], 'Reshape')
  const x = there?.inputs[0] ?? ''
  const [from, inner, to] = [x, norm.inputs[0], back.outputs[0]].map((name) => types.get(name ?? '')?.shape)
  if (!from || !inner || !to || from.length < 3 || from.length !== to.length || inner.length < 3)
    return undefined
  if (!from.every((d, i) => sameDim(d, to[i] as typeof d)) || !sameDim(from[0] as number, inner[0] as number))
    return undefined
  const [groups, channels] = [inner[1], from[1]]
  if (typeof groups !== 'number' || typeof channels !== 'number' || channels % groups !== 0) return undefined
  const isWhole =
    norm.opType === 'InstanceNormalization' ||
    (inner.length === 3 && [-1, 2].includes(intAttribute(norm, 'axis', -1)))
  const all = (name: string | undefined, value: number) => {
    const constant = editor.constant(name ?? '')
    return constant?.dtype === 'float32' && floatsOf(constant).every((v) => v === value)
  }
  const isPlain = all(norm.inputs[1], 1) && ((norm.inputs[2] ?? '') === '' || all(norm.inputs[2], 0))
  return isWhole && isPlain ? { x, groups, epsilon: floatAttribute(norm, 'epsilon', 1e-5) } : undefined
}

/** The last of the Reshape and the Mul and the Add that alone read what comes before them. */
function replace(
  editor: GraphEditor,
  types: Inference['types'],
  back: Node,
  { x, groups, epsilon }: Groups,
): void {
  const shape = types.get(x)?.shape
  const channels = shape?.[1] as number
  const nodes = [back]
  const vectors: Float32Array[] = [new Float32Array(channels).fill(1), new Float32Array(channels)]
  for (const [i, opType] of ['Mul', 'Add'].entries()) {
    const output = nodes.at(-1)?.outputs[0] as string
    const next = editor.soleReader(output)
    const other = next?.inputs.find((name) => name !== output) ?? ''
    const spread =
      next?.opType === opType && next.domain === '' ? spreadOf(editor.constant(other), shape) : undefined
    const vector = spread && alongAxis(spread, 1, channels)
    if (!next || !vector) continue
    vectors[i] = vector
    nodes.push(next)
  }
  const last = nodes.at(-1) as Node
  const inputs = vectors.map((values, i) =>
    editor.addConstant(
      `${last.name}:${i === 0 ? 'scale' : 'bias'}`,
      tensorFromNumbers('float32', [channels], values),
    ),
  )
  for (const node of nodes) if (node !== last) editor.remove(node)
  editor.update({
    ...{
      name: last.name,
      opType: 'GroupNormalization',
      domain: '',
      inputs: [x, ...inputs],
      outputs: last.outputs,
    },
    attributes: { epsilon: { kind: 'float', value: epsilon }, num_groups: { kind: 'int', value: groups } },
    origin: nodes.flatMap((node) => node.origin ?? [node.name]),
  })
}
