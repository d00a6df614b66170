/** Types that the file declares against those inferred. */
import { OctavoError } from '../../errors.js'
import type { TensorType } from '../../graph/graph.js'
import { formatShape } from './helpers.js'
import type { InferContext } from './opdef.js'

/** Throws where the file contradicts what its operators compute; sizes that differ only in being symbols are no contradiction. */
export function checkDeclared(
  context: InferContext,
  name: string,
  inferred: TensorType,
  declared: TensorType,
): void {
  if (inferred.dtype !== declared.dtype) contradiction(context, name, inferred.dtype, declared.dtype)
  const own = inferred.shape
  const other = declared.shape
  if (own === undefined || other === undefined) return
  const clash =
    own.length !== other.length ||
    own.some((d, i) => typeof d === 'number' && typeof other[i] === 'number' && d !== other[i])
  if (clash) contradiction(context, name, formatShape(own), formatShape(other))
}

function contradiction(context: InferContext, name: string, inferred: string, declared: string): never {
  const { name: node, opType } = context.node
  throw new OctavoError(
    'ERR_MODEL_INVALID',
    `value "${name}": the model declares ${declared}, but ${opType} node "${node}" makes ${inferred}`,
    { node, opType, tensor: name },
  )
}
