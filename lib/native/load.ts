/** Finds and loads the addon, once, when it is first needed; a failure says what was looked for and how to fix it. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fs } from '../builtins.js'
import { OctavoError } from '../errors.js'
import type { Binding } from './binding.js'
import { candidates, elfMachine, type Host, host, prebuilt, prebuiltNames } from './candidates.js'
import { wrapErrors } from './errors.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

let loaded: { readonly binding: Binding; readonly path: string } | undefined

/** The addon. Throws an OctavoError (ERR_NATIVE_LOAD) that explains itself. */
export function binding(): Binding {
  loaded ??= load()
  return loaded.binding
}

/** The file that was loaded. */
export function bindingPath(): string {
  loaded ??= load()
  return loaded.path
}

function load(): { binding: Binding; path: string } {
  const machine = host()
  const attempts: string[] = []
  const forced = process.env.OCTAVO_BINARY
  for (const path of candidates(root, machine, forced)) {
    if (!fs.existsSync(path)) {
      attempts.push(`${path}: not there`)
      continue
    }
    try {
      // As require() does, without what it resolves, looks up and wraps: 1 ms.
      const module = { exports: {} }
      process.dlopen(module, path)
      return { binding: wrapErrors(module.exports as Binding), path }
    } catch (error) {
      if ((error as { nativeCode?: string }).nativeCode === 'kUnsupported') {
        throw new OctavoError('ERR_NATIVE_LOAD', (error as Error).message, { cause: error })
      }
      attempts.push(`${path}: ${reason(path, error, machine)}`)
    }
  }
  if (!forced && prebuilt(root, machine).length === 0) attempts.push(nothingFits())
  throw new OctavoError('ERR_NATIVE_LOAD', explain(machine, attempts))
}

function reason(path: string, error: unknown, machine: Host): string {
  const built = elfMachine(path)
  if (built !== '' && built !== machine.arch) return `built for ${built}`
  const message = error instanceof Error ? error.message : String(error)
  const needed = /version `(GLIBC(?:XX)?_[\d.]+)' not found/.exec(message)
  return needed ? `needs ${needed[1]}, this system is older` : message
}

function nothingFits(): string {
  const names = prebuiltNames(root)
  return `${join(root, 'prebuilds')}: no file for this system${names.length > 0 ? `, only ${names.join(', ')}` : ''}`
}

function explain(machine: Host, attempts: readonly string[]): string {
  const libc = machine.libc === '' ? '' : `, ${machine.libc} ${machine.libcVersion}`
  return [
    `Octavo's native part could not be loaded on ${machine.platform}-${machine.arch}${libc}, Node ${process.version}. Looked for:`,
    ...attempts.map((line) => `  ${line}`),
    'Prebuilt files are for Linux on x64, arm64 and arm (ARMv7), with glibc 2.28 or newer. To fix this:',
    "  - reinstall the package on this machine (node_modules copied from another platform lacks this one's file);",
    '  - on an older or another system, build it: `npm install node-addon-api@8`, then `npx node-gyp rebuild -C node_modules/octavo` (needs a C++17 compiler, make and Python 3);',
    '  - or set OCTAVO_BINARY to the path of an octavo.node built for this machine.',
  ].join('\n')
}
