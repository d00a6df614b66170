/**
 * A model message as bytes, tensors copied once: the encoder of the protobuf library copies what is nested at every
 * level, which holds the event loop for tens of milliseconds with a large model. Parts of a message may follow each
 * other in any order (Protocol Buffers, Encoding: "Last One Wins" and field order), so the large ones go last.
 */
import { create, toBinary } from '@bufbuild/protobuf'
import {
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from 'onnx-buf'

/** Field numbers of onnx.proto. */
const FIELD = { modelGraph: 7, graphInitializer: 5, tensorRawData: 9 } as const
const LENGTH_DELIMITED = 2

/** The pieces of the message, in order. */
export function modelChunks(model: ModelProto): Uint8Array[] {
  const { graph } = model
  if (!graph) return [toBinary(ModelProtoSchema, model)]
  const tensors = graph.initializer.flatMap((t) => field(FIELD.graphInitializer, tensorChunks(t)))
  const rest = toBinary(GraphProtoSchema, create(GraphProtoSchema, { ...graph, initializer: [] }))
  const head = toBinary(ModelProtoSchema, create(ModelProtoSchema, { ...model, graph: undefined }))
  return [head, ...field(FIELD.modelGraph, [rest, ...tensors])]
}

function tensorChunks(tensor: TensorProto): Uint8Array[] {
  if (tensor.rawData.length === 0) return [toBinary(TensorProtoSchema, tensor)]
  const head = toBinary(
    TensorProtoSchema,
    create(TensorProtoSchema, { ...tensor, rawData: new Uint8Array(0) }),
  )
  return [head, ...field(FIELD.tensorRawData, [tensor.rawData])]
}

/** A field of bytes: tag, length, content. */
function field(number: number, content: readonly Uint8Array[]): Uint8Array[] {
  return [
    Uint8Array.from([...varint((number << 3) | LENGTH_DELIMITED), ...varint(lengthOf(content))]),
    ...content,
  ]
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return [...bytes, rest]
}

export function lengthOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
}

export function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}
