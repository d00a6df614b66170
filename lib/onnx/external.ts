/**
 * External data: tensors whose bytes are in other files (onnx.proto, TensorProto.external_data). A location
 * must be a relative path that stays inside the model's folder, links resolved, and name a regular file.
 */
import { constants, type FileHandle, open, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { OctavoError } from '../errors.js'
import { byteLength } from '../graph/dtype.js'
import type { FileRange } from '../graph/graph.js'
import { LARGE } from './file-window.js'
import { type ExternalPayloads, tensorDtype, tensorSizes } from './initializer.js'
import type { TensorProto } from './messages.js'
import type { OpenFiles } from './open-file.js'

/** A file given by the caller: `path` is the location that the model names, `data` its bytes or where they really are. */
export type ExternalDataFile =
  | string
  | {
      /** The location that the model names, as `weights.bin`. */
      readonly path: string
      /** Where the file really is, or its bytes. */
      readonly data: Uint8Array | ArrayBuffer | string
    }

interface Reference {
  readonly location: string
  readonly offset: number
  readonly length: number
}

export async function readExternal(
  tensors: readonly TensorProto[],
  modelPath: string | undefined,
  given: readonly ExternalDataFile[],
  files: OpenFiles | undefined,
  signal?: AbortSignal,
): Promise<ExternalPayloads> {
  const payloads = new Map<TensorProto, Uint8Array | FileRange>()
  const sources = new Map<string, Source>()
  try {
    for (const proto of tensors) {
      signal?.throwIfAborted()
      const what = `External data of tensor "${proto.name}"`
      const reference = referenceOf(proto, what)
      let source = sources.get(reference.location)
      if (source === undefined) {
        source = await openSource(reference.location, modelPath, given, what)
        sources.set(reference.location, source)
        if (source.file) files?.add(source.file)
      }
      payloads.set(proto, await readRange(source, reference, files !== undefined, what))
    }
  } finally {
    if (!files) await Promise.all([...sources.values()].map((source) => source.file?.close()))
  }
  return payloads
}

interface Source {
  readonly bytes?: Uint8Array
  readonly file?: FileHandle
  readonly size: number
}

function referenceOf(proto: TensorProto, what: string): Reference {
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]))
  const location = entries.get('location')
  if (location === undefined || location === '') throw failure(what, 'expected a location, got none')
  const dtype = tensorDtype(proto, what)
  const expected = byteLength(dtype, tensorSizes(proto, dtype, what).elements)
  const offset = natural(entries.get('offset') ?? '0', 'offset', what)
  const length = natural(entries.get('length') ?? String(expected), 'length', what)
  if (length !== expected) {
    throw failure(
      what,
      `${dtype} of [${proto.dims.join(', ')}] has ${expected} bytes, its length says ${length}`,
    )
  }
  return { location, offset, length }
}

function natural(text: string, key: string, what: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw failure(what, `expected ${key} to be a whole number, got "${text}"`)
  return value
}

async function openSource(
  location: string,
  modelPath: string | undefined,
  given: readonly ExternalDataFile[],
  what: string,
): Promise<Source> {
  const match = findGiven(location, given)
  if (match !== undefined) {
    if (typeof match === 'string') return openFile(match, what)
    const bytes = match instanceof Uint8Array ? match : new Uint8Array(match)
    return { bytes, size: bytes.byteLength }
  }
  if (modelPath === undefined) {
    throw failure(what, `the model was given as bytes, so "${location}" must be given in externalData`)
  }
  return openFile(await resolveInside(location, modelPath, what), what)
}

function findGiven(
  location: string,
  given: readonly ExternalDataFile[],
): Uint8Array | ArrayBuffer | string | undefined {
  const wanted = path.posix.normalize(location)
  for (const entry of given) {
    const name = path.posix.normalize(typeof entry === 'string' ? entry : entry.path)
    if (name === wanted) return typeof entry === 'string' ? entry : entry.data
    if (typeof entry === 'string' && path.basename(entry) === wanted) return entry
  }
  return undefined
}

/** The file of a location, where it is inside the folder of the model (or of what the model's path links to). */
async function resolveInside(location: string, modelPath: string, what: string): Promise<string> {
  const outside = () => failure(what, `expected a path inside the model's folder, got "${location}"`)
  if (path.isAbsolute(location) || path.win32.isAbsolute(location) || location.includes('\0')) throw outside()
  const folder = path.dirname(path.resolve(modelPath))
  const resolved = path.resolve(folder, location)
  if (!isInside(folder, resolved)) throw outside()
  let real: string
  try {
    real = await realpath(resolved)
  } catch (cause) {
    throw failure(what, `cannot find "${resolved}"`, cause)
  }
  const folders = [await realpath(folder), path.dirname(await realpath(modelPath))]
  if (!folders.some((allowed) => isInside(allowed, real))) throw outside()
  const status = await stat(real)
  if (status.isFile() && status.nlink > 1) {
    throw failure(
      what,
      `"${location}" is a hard link, which may lead outside of the model's folder; give it in externalData`,
    )
  }
  return real
}

function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file)
  return (
    relative !== '' &&
    relative !== '..' &&
    !relative.startsWith(`..${path.sep}`) &&
    !path.isAbsolute(relative)
  )
}

async function openFile(file: string, what: string): Promise<Source> {
  // Checks before it opens: opening a FIFO would wait for a writer.
  const before = await stat(file).catch((cause: unknown) => {
    throw failure(what, `cannot find "${file}"`, cause)
  })
  if (!before.isFile()) throw failure(what, `"${file}" is not a regular file`)
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
  const handle = await open(file, flags).catch((cause: unknown) => {
    throw failure(what, `cannot open "${file}"`, cause)
  })
  const status = await handle.stat()
  if (status.isFile()) return { file: handle, size: status.size }
  await handle.close()
  throw failure(what, `"${file}" is not a regular file`)
}

async function readRange(
  source: Source,
  { location, offset, length }: Reference,
  staysOpen: boolean,
  what: string,
): Promise<Uint8Array | FileRange> {
  if (offset + length > source.size) {
    throw failure(
      what,
      `expected bytes ${offset} to ${offset + length} of "${location}", which has ${source.size}`,
    )
  }
  if (source.bytes) return source.bytes.subarray(offset, offset + length)
  if (staysOpen && source.file && length >= LARGE) return { fd: source.file.fd, offset, length }
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = (await source.file?.read(
      bytes,
      done,
      Math.min(length - done, 1 << 26),
      offset + done,
    )) ?? {
      bytesRead: 0,
    }
    if (bytesRead === 0) throw failure(what, `"${location}" ended early`)
    done += bytesRead
  }
  return bytes
}

function failure(what: string, message: string, cause?: unknown): OctavoError {
  return new OctavoError('ERR_EXTERNAL_DATA', `${what}: ${message}`, { cause })
}
