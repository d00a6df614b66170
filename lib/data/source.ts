/**
 * Samples from what a path names: a folder of images (or of .npy/.npz/raw files), one such file, or a JavaScript module.
 * Read one at a time, in the order of their names.
 */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { OctavoError } from '../errors.js'
import { Tensor } from '../session/tensor.js'
import type { TensorType } from '../session/tensor-types.js'
import { IMAGE_FILES, type ImageTarget, readImage } from './images.js'
import { rawTensor, readNpy, readNpz } from './npy.js'
import type { Preprocess } from './preprocess.js'
import { readBytes } from './read-file.js'

/** An input of the model that the samples are for. */
export interface TargetInput extends ImageTarget {
  readonly name: string
}

export interface DataOptions {
  readonly inputs: readonly TargetInput[]
  readonly preprocess: Preprocess
  /** Most samples to give. */
  readonly samples?: number
}

export interface NamedSample {
  /** Path below the folder, or a number for modules: what labels refer to. */
  readonly name: string
  readonly feeds: Readonly<Record<string, Tensor>>
}

const ARRAY_FILES = /\.(npy|npz)$/i
const RAW_FILES = /\.(bin|raw|f32|u8|i8|i32|i64)$/i
const MODULES = /\.[cm]?js$/i

/** Streams samples, again at each call; `count`: how many, where that is known without reading them. */
export interface NamedSamples {
  (): AsyncGenerator<NamedSample>
  readonly count?: number
}

/** Checks that the path holds samples and gives a function that streams them. */
export async function openData(path: string, options: DataOptions): Promise<NamedSamples> {
  const info = await stat(path).catch(() => undefined)
  if (!info) throw missing(path, 'no such file or folder')
  if (info.isFile() && MODULES.test(path)) return openModule(path, options)
  const files = info.isDirectory() ? await filesIn(path) : [path]
  if (files.length === 0) {
    throw missing(
      path,
      'the folder has no images (jpg, png, webp, ...), .npy, .npz or raw files (.bin, .f32, ...)',
    )
  }
  const root = info.isDirectory() ? path : dirname(path)
  const stream = async function* () {
    let given = 0
    for (const file of files) {
      for (const feeds of await readFeeds(file, options)) {
        if (given++ === (options.samples ?? Number.POSITIVE_INFINITY)) return
        yield { name: relative(root, file), feeds }
      }
    }
  }
  const single = files.every((file) => IMAGE_FILES.test(file) || /\.npz$/i.test(file))
  const count = Math.min(files.length, options.samples ?? Number.POSITIVE_INFINITY)
  return single ? Object.assign(stream, { count }) : stream
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(
      (e) => e.isFile() && (IMAGE_FILES.test(e.name) || ARRAY_FILES.test(e.name) || RAW_FILES.test(e.name)),
    )
    .map((e) => join(e.parentPath ?? e.path, e.name))
    .sort()
}

/** The samples of one file: one, or one per row where an array holds a batch of them. */
async function readFeeds(
  file: string,
  { inputs, preprocess }: DataOptions,
): Promise<Record<string, Tensor>[]> {
  const first = inputs[0]
  if (!first) throw missing(file, 'the model has no inputs')
  if (IMAGE_FILES.test(file)) return [{ [only(inputs, file).name]: await readImage(file, preprocess, first) }]
  if (/\.npz$/i.test(file)) return [pickInputs(await readNpz(file), inputs, file)]
  const tensor = /\.npy$/i.test(file) ? await readNpy(file) : await readRaw(file, first)
  const input = inputs.find((i) => basename(file).startsWith(`${i.name}.`)) ?? only(inputs, file)
  return rows(tensor, input).map((t) => ({ [input.name]: t }))
}

function only(inputs: readonly TargetInput[], file: string): TargetInput {
  if (inputs.length === 1) return inputs[0] as TargetInput
  const names = inputs.map((i) => i.name).join(', ')
  throw missing(
    file,
    `the model has ${inputs.length} inputs (${names}): use .npz files with these names, or a module`,
  )
}

function pickInputs(
  arrays: Record<string, Tensor>,
  inputs: readonly TargetInput[],
  file: string,
): Record<string, Tensor> {
  return Object.fromEntries(
    inputs.map(({ name }) => {
      const tensor = arrays[name]
      if (!tensor) throw missing(file, `it has no array '${name}' (it has ${Object.keys(arrays).join(', ')})`)
      return [name, tensor]
    }),
  )
}

/** A raw file takes the type and sizes of the input; one open size follows from its length. */
async function readRaw(file: string, input: TargetInput): Promise<Tensor> {
  const bytes = await readBytes(file)
  const width = { float32: 4, int32: 4, int64: 8, float64: 8, uint8: 1, int8: 1 }[input.type] ?? 0
  const known = input.shape.reduce<number>((p, d) => (typeof d === 'number' ? p * d : p), 1)
  const open = input.shape.filter((d) => typeof d !== 'number').length
  const rest = bytes.length / (known * width)
  if (width === 0 || open > 1 || (open === 1 && !Number.isInteger(rest))) {
    throw missing(
      file,
      `${bytes.length} bytes do not fit ${input.type} of [${input.shape.join(', ')}]; use .npy`,
    )
  }
  const dims = input.shape.map((d) => (typeof d === 'number' ? d : rest))
  return rawTensor(bytes, input.type as TensorType, dims, file)
}

/** Splits a batch into samples of one where the input takes one at a time, and adds a leading axis that is missing. */
function rows(tensor: Tensor, input: TargetInput): Tensor[] {
  const rank = input.shape.length
  if (tensor.dims.length === rank - 1) return [tensor.reshape([1, ...tensor.dims])]
  const [batch = 1, ...rest] = tensor.dims
  const single = input.shape[0] === 1 || typeof input.shape[0] === 'string'
  if (tensor.dims.length !== rank || batch <= 1 || !single) return [tensor]
  const data = tensor.data as Float32Array
  const step = data.length / batch
  return Array.from({ length: batch }, (_, i) => {
    return new Tensor(tensor.type, data.slice(i * step, (i + 1) * step), [1, ...rest])
  })
}

type Samples = Iterable<Record<string, Tensor>> | AsyncIterable<Record<string, Tensor>>

/** A module whose default export (or `data`) is a generator function, sync or async, or an iterable, of feeds. */
async function openModule(path: string, options: DataOptions): Promise<() => AsyncGenerator<NamedSample>> {
  const module = (await import(pathToFileURL(resolve(path)).href).catch((cause: unknown) => {
    throw missing(path, `the module fails when it is loaded: ${messageOf(cause)}`, cause)
  })) as Record<string, unknown>
  const exported = module.default ?? module.data
  if (typeof exported !== 'function' && !isIterable(exported)) {
    throw missing(
      path,
      'it must export (default, or as `data`) an async generator function that yields { [input]: Tensor }',
    )
  }
  return async function* () {
    const samples = (typeof exported === 'function' ? await exported(options) : exported) as Samples
    let i = 0
    for await (const feeds of samples) {
      if (i === (options.samples ?? Number.POSITIVE_INFINITY)) return
      yield { name: String(i++), feeds }
    }
  }
}

function isIterable(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
  )
}

function missing(path: string, why: string, cause?: unknown): OctavoError {
  return new OctavoError('ERR_CALIBRATION_DATA', `No samples in '${path}': ${why}.`, { cause })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
