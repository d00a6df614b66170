/** Bytes to ModelProto. Byte fields of the result are views of the bytes given. */
import { OctavoError } from '../errors.js'
import { decodeModelProto } from './decode.js'
import type { GraphProto, ModelProto } from './messages.js'

const PARSE_FAILED = 'Failed to load model because protobuf parsing failed.'

export function decodeModel(bytes: Uint8Array, where: string): ModelProto & { readonly graph: GraphProto } {
  if (bytes.byteLength === 0) throw parseError(where, 'it is empty')
  let model: ModelProto
  try {
    model = decodeModelProto(bytes)
  } catch (cause) {
    throw parseError(where, cause instanceof Error ? cause.message : String(cause), cause)
  }
  // Many byte strings are a message of unknown fields; an ONNX model has at least a graph.
  const { graph } = model
  if (graph === undefined) throw parseError(where, 'it has no graph')
  return { ...model, graph }
}

function parseError(where: string, reason: string, cause?: unknown): OctavoError {
  return new OctavoError(
    'ERR_MODEL_PARSE',
    `${PARSE_FAILED} Expected an ONNX ModelProto in ${where}: ${reason}`,
    {
      cause,
    },
  )
}

const utf8 = new TextDecoder('utf-8')

export function decodeText(bytes: Uint8Array): string {
  return utf8.decode(bytes)
}
