/** Upsample and the early forms of Resize. */
import { type Node, stringAttribute } from '../../graph/graph.js'
import { numbersOf } from '../../graph/tensor.js'
import type { Upgrade, UpgradeContext } from './context.js'
import { scalesInput } from './inputs.js'

/**
 * Upsample, and Resize before opset 11: asymmetric coordinates. The nearest pixel was left to the reader; as in
 * onnxruntime (and the vectors of ONNX for opset 10) it is the floor when enlarging and the ceiling when shrinking.
 */
export const upsampleToResize: Upgrade = (node, context) => {
  const scales = scalesInput(node, context)
  const mode = stringAttribute(node, 'mode', 'nearest')
  const attributes: Record<string, Node['attributes'][string]> = {
    mode: { kind: 'string', value: mode === 'bilinear' || mode === 'trilinear' ? 'linear' : mode },
    coordinate_transformation_mode: { kind: 'string', value: 'asymmetric' },
  }
  if (mode === 'nearest') attributes.nearest_mode = { kind: 'string', value: nearestMode(scales, context) }
  return [{ ...node, opType: 'Resize', inputs: [node.inputs[0] ?? '', '', scales], attributes }]
}

function nearestMode(scales: string, context: UpgradeContext): string {
  const constant = context.constantOf(scales)
  if (constant === undefined || constant.dtype === 'string') return 'floor'
  const values = [...numbersOf(constant)]
  return values.some((v) => v < 1) && values.every((v) => v <= 1) ? 'ceil' : 'floor'
}

/** Resize 11 and later: inputs that are empty constants are absent ones. */
export const resizeInputs: Upgrade = (node, context) => {
  const inputs = node.inputs.map((name, i) => {
    const constant = i > 0 && name !== '' ? context.constantOf(name) : undefined
    return constant?.dims.length === 1 && constant.dims[0] === 0 ? '' : name
  })
  while (inputs[inputs.length - 1] === '') inputs.pop()
  return [{ ...node, inputs }]
}
