/** Files that the user named: a failure says which, and why, without the words of the operating system. */
import { readFile } from 'node:fs/promises'
import { OctavoError } from '../errors.js'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'it may not be read',
}

/** The bytes of a file; ERR_IO where it cannot be read. */
export async function readBytes(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const reason = REASONS[cause.code ?? ''] ?? cause.message
    throw new OctavoError('ERR_IO', `Cannot read '${path}': ${reason}.`, { cause })
  })
}

/** The text of a file in UTF-8; ERR_IO where it cannot be read. */
export async function readText(path: string): Promise<string> {
  return (await readBytes(path)).toString('utf8')
}
