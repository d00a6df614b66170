/**
 * Files that are old or new and never between: written beside their place under a unique name, synced, renamed.
 * A process that dies leaves at most one `.name.octavo-*` file, which the next write to the same place removes.
 */
import { randomBytes } from 'node:crypto'
import {
  access,
  constants,
  type FileHandle,
  open,
  readdir,
  realpath,
  rename,
  stat,
  unlink,
} from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { OctavoError } from './errors.js'

const STALE_AFTER_MS = 60 * 60 * 1000

export interface WriteOptions {
  /** Replace a file that exists. */
  readonly force?: boolean
  readonly signal?: AbortSignal
}

/** Fails early, with a reason, where `path` could not be written. */
export async function checkWritable(path: string, { force = false }: WriteOptions = {}): Promise<void> {
  const directory = dirname(await placeOf(path))
  const parent = await stat(directory).catch(() => undefined)
  if (!parent?.isDirectory()) throw io(path, `the folder '${directory}' does not exist`)
  await access(directory, constants.W_OK).catch((cause: unknown) => {
    throw io(path, `the folder '${directory}' is not writable`, cause)
  })
  const existing = await stat(path).catch(() => undefined)
  if (!existing) return
  if (!existing.isFile()) throw io(path, 'it exists and is not a regular file')
  if (!force) throw io(path, 'it exists; pass --force (or { force: true }) to replace it')
}

/** Writes a file atomically, durably, with the mode of the file it replaces. */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string,
  options: WriteOptions = {},
): Promise<void> {
  await checkWritable(path, options)
  const full = await placeOf(path)
  const directory = dirname(full)
  await removeStale(directory, basename(full))
  const temporary = join(
    directory,
    `.${basename(full)}.octavo-${process.pid}-${randomBytes(6).toString('hex')}`,
  )
  const mode = (await stat(full).catch(() => undefined))?.mode
  try {
    options.signal?.throwIfAborted()
    const file = await open(temporary, 'wx', mode === undefined ? 0o666 : mode & 0o777)
    await writeAndSync(file, data)
    options.signal?.throwIfAborted()
    await rename(temporary, full)
  } catch (cause) {
    await unlink(temporary).catch(() => undefined)
    options.signal?.throwIfAborted()
    throw io(path, cause instanceof Error ? cause.message : String(cause), cause)
  }
  await syncDirectory(directory)
}

/** The file itself where `path` is a link to it: the link stays a link. */
export function placeOf(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path))
}

async function writeAndSync(file: FileHandle, data: Uint8Array | string): Promise<void> {
  try {
    await file.writeFile(data)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes the rename itself durable; not every file system lets a folder be synced. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

async function removeStale(directory: string, name: string): Promise<void> {
  const prefix = `.${name}.octavo-`
  const entries = await readdir(directory).catch(() => [])
  for (const entry of entries) {
    if (!entry.startsWith(prefix)) continue
    const path = join(directory, entry)
    const info = await stat(path).catch(() => undefined)
    if (info && (Date.now() - info.mtimeMs > STALE_AFTER_MS || !isAlive(entry.slice(prefix.length)))) {
      await unlink(path).catch(() => undefined)
    }
  }
}

/** Whether the process that named a temporary file (`pid-random`) still runs. */
function isAlive(suffix: string): boolean {
  const pid = Number.parseInt(suffix, 10)
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function io(path: string, reason: string, cause?: unknown): OctavoError {
  return new OctavoError('ERR_IO', `Cannot write '${path}': ${reason}.`, { cause })
}
