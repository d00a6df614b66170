/** Small models as bytes, also wrong ones: onnx-buf writes whatever it is told. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { type AttributeProtoSchema, AttributeProto_AttributeType as Kind, ModelProtoSchema } from 'onnx-buf'

type ModelInit = Exclude<MessageInitShape<typeof ModelProtoSchema>, { $typeName: string }>
export type GraphInit = NonNullable<ModelInit['graph']>
export type NodeInit = NonNullable<Exclude<GraphInit, { $typeName: string }>['node']>[number]
export type AttributeInit = MessageInitShape<typeof AttributeProtoSchema>

export const FLOAT = 1
export const INT64 = 7

/** A value of float32 (or another type); sizes may be names. */
export function value(name: string, dims?: readonly (number | string)[], elemType = FLOAT) {
  const dim = dims?.map((d) => ({
    value:
      typeof d === 'number'
        ? ({ case: 'dimValue', value: BigInt(d) } as const)
        : ({ case: 'dimParam', value: d } as const),
  }))
  return {
    name,
    type: { value: { case: 'tensorType', value: { elemType, shape: dim && { dim } } } },
  } as const
}

export function node(
  opType: string,
  input: string[],
  output: string[],
  attribute: AttributeInit[] = [],
  name = '',
  domain = '',
) {
  return { opType, input, output, attribute, name, domain }
}

export const int = (name: string, i: number): AttributeInit => ({ name, type: Kind.INT, i: BigInt(i) })
export const ints = (name: string, list: number[]): AttributeInit => ({
  name,
  type: Kind.INTS,
  ints: list.map(BigInt),
})
export const float = (name: string, f: number): AttributeInit => ({ name, type: Kind.FLOAT, f })
export const floats = (name: string, list: number[]): AttributeInit => ({
  name,
  type: Kind.FLOATS,
  floats: list,
})
export const text = (name: string, s: string): AttributeInit => ({
  name,
  type: Kind.STRING,
  s: new TextEncoder().encode(s),
})
export const graph = (name: string, g: AttributeInit['g']): AttributeInit => ({ name, type: Kind.GRAPH, g })

export function floatTensor(name: string, dims: number[], data: number[]) {
  return { name, dataType: FLOAT, dims: dims.map(BigInt), floatData: data }
}

export function modelBytes(graph: GraphInit, opset = 21, rest: ModelInit = {}): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: BigInt(opset) }],
      graph,
      ...rest,
    }),
  )
}
