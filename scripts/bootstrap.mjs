// Makes a clone ready to run: npm packages, compiled TypeScript, compiled addon. Node built-ins only; does nothing
// where everything is in place and newer than what it is made from.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = new URL('..', import.meta.url).pathname
const at = (...parts) => join(root, ...parts)

if (isStale(at('node_modules', '.package-lock.json'), [at('package.json'), at('package-lock.json')])) {
  step('installing npm packages', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}
const builder = at('scripts', 'build-ts.mjs')
// dist/errors.js is newer than the chunks where tsc alone ran after them.
const compiled = sources(at('lib'), /\.ts$/).concat(at('tsconfig.json'), builder, at('dist', 'errors.js'))
if (isStale(at('dist', 'chunks', 'octavo.js'), compiled)) {
  step('compiling TypeScript', process.execPath, [builder])
}
const addon = at('build', 'Release', 'octavo.node')
if (isStale(addon, sources(at('native'), /\.(cc|h|inc|json|txt)$/).concat(at('binding.gyp')))) {
  step('building the addon (a few minutes the first time)', process.execPath, [
    at('scripts', 'build-native.mjs'),
  ])
}

function step(what, command, args) {
  console.error(`octavo: ${what}`)
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status === 0) return
  console.error(
    `octavo: ${what} failed${error ? `: ${error.message}` : ''}. Command: ${command} ${args.join(' ')}`,
  )
  process.exit(1)
}

/** True when `target` is missing or older than one of the files. */
function isStale(target, files) {
  if (!existsSync(target)) return true
  const made = statSync(target).mtimeMs
  return files.some((file) => existsSync(file) && statSync(file).mtimeMs > made)
}

function sources(folder, pattern) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}
