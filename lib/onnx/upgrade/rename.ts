/** Operators and attribute values that got another name, and defaults that changed. */
import { stringAttribute } from '../../graph/graph.js'
import type { Upgrade } from './context.js'

export const scatterToScatterElements: Upgrade = (node) => [{ ...node, opType: 'ScatterElements' }]

/** GridSample-20 calls its modes what Resize calls them. */
export const gridSampleModes: Upgrade = (node) => {
  const mode = stringAttribute(node, 'mode', 'bilinear')
  const value = mode === 'bilinear' ? 'linear' : mode === 'bicubic' ? 'cubic' : mode
  return [{ ...node, attributes: { ...node.attributes, mode: { kind: 'string', value } } }]
}

/** RoiAlign-10 sampled without the half pixel that 16 has by default. */
export const roiAlignCoordinates: Upgrade = (node) => {
  const attribute = { kind: 'string', value: 'output_half_pixel' } as const
  return [{ ...node, attributes: { coordinate_transformation_mode: attribute, ...node.attributes } }]
}

/** Scan-8 ran over a batch of sequences with lengths of their own; no exporter of today writes it. */
export const scanWithBatch: Upgrade = (_node, context) =>
  context.fail('Scan of opset 8 (with a batch axis) is not supported, expected opset 9 or later')
