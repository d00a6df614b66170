/** `--input NAME=FILE`: one tensor per input of a model, from .npy, .npz, raw and image files. */
import { IMAGE_FILES, readImage } from '../data/images.js'
import { readNpy, readNpz } from '../data/npy.js'
import { readRaw, type TargetInput } from '../data/source.js'
import { OctavoError } from '../errors.js'
import type { Tensor } from '../session/tensor.js'
import { preprocess } from './data.js'
import { UsageError } from './errors.js'
import { list } from './options.js'

/** Commander's parser of `--input`. */
export const inputList = list

/** Tensors of `NAME=FILE`, or `FILE` where the model has one input or the file is a .npz that names its arrays. */
export async function readInputs(
  assignments: readonly string[],
  inputs: readonly TargetInput[],
  spec: string | undefined,
): Promise<Record<string, Tensor>> {
  const target = await preprocess(spec)
  const feeds: Record<string, Tensor> = {}
  for (const assignment of assignments) {
    const { name, file } = split(assignment, inputs)
    if (/\.npz$/i.test(file)) {
      const arrays = await reading(file, readNpz)
      for (const input of inputs) {
        const tensor = arrays[input.name]
        if (tensor && (name === undefined || name === input.name)) feeds[input.name] = tensor
      }
      continue
    }
    const input = inputs.find((i) => i.name === (name ?? only(inputs, assignment)))
    if (!input) throw unknownInput(name ?? '', inputs)
    const read = async (path: string) => {
      if (IMAGE_FILES.test(path)) return readImage(path, target, input)
      return /\.npy$/i.test(path) ? readNpy(path) : readRaw(path, input)
    }
    feeds[input.name] = withBatch(await reading(file, read), input)
  }
  return feeds
}

/** Names may contain '=' no more than files may: the longest name that the model has wins. */
function split(
  assignment: string,
  inputs: readonly TargetInput[],
): { readonly name: string | undefined; readonly file: string } {
  const known = inputs.find((i) => assignment.startsWith(`${i.name}=`))
  if (known) return { name: known.name, file: assignment.slice(known.name.length + 1) }
  const at = assignment.indexOf('=')
  if (at > 0) throw unknownInput(assignment.slice(0, at), inputs)
  return { name: undefined, file: assignment }
}

function only(inputs: readonly TargetInput[], assignment: string): string {
  if (inputs.length === 1) return (inputs[0] as TargetInput).name
  throw new UsageError(
    `--input ${assignment}: the model has ${inputs.length} inputs, write NAME=FILE with one of ${names(inputs)}.`,
  )
}

function unknownInput(name: string, inputs: readonly TargetInput[]): UsageError {
  return new UsageError(`--input ${name}=...: the model has no such input, it has ${names(inputs)}.`)
}

export function names(inputs: readonly TargetInput[]): string {
  return inputs.map((i) => `'${i.name}'`).join(', ')
}

async function reading<T>(file: string, read: (path: string) => Promise<T>): Promise<T> {
  return read(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.syscall === undefined) throw cause
    throw new OctavoError('ERR_IO', `Cannot read '${file}': ${cause.message}.`, { cause })
  })
}

/** Adds a leading axis of 1 that the array lacks. */
function withBatch(tensor: Tensor, { shape }: TargetInput): Tensor {
  return tensor.dims.length === shape.length - 1 ? tensor.reshape([1, ...tensor.dims]) : tensor
}
