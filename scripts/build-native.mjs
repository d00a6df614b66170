// Builds build/Release/octavo.node, and the C++ tests where CMake is. Downloads nothing: Node-API headers come from npm
// packages (CMake), or from beside the node binary (node-gyp).
//
//   node scripts/build-native.mjs [--no-tests] [--gyp]
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, renameSync, utimesSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'

const root = new URL('..', import.meta.url).pathname
const output = join(root, 'build', 'Release', 'octavo.node')
const wantsTests = !process.argv.includes('--no-tests')

if (process.argv.includes('--gyp') || !has('cmake')) buildWithGyp()
else buildWithCMake()

function buildWithCMake() {
  const folder = join(root, 'build', 'native')
  const generator = has('ninja') ? ['-G', 'Ninja'] : []
  const launcher = has('ccache') ? ['-DCMAKE_CXX_COMPILER_LAUNCHER=ccache'] : []
  const configured = existsSync(join(folder, 'CMakeCache.txt')) ? [] : [...generator, ...launcher]
  run('cmake', ['-S', join(root, 'native'), '-B', folder, '-DCMAKE_BUILD_TYPE=Release', ...configured])
  const targets = wantsTests ? ['octavo', 'octavo_tests'] : ['octavo']
  run('cmake', ['--build', folder, '--target', ...targets, '--parallel', String(availableParallelism())])
  install(join(folder, 'octavo.node'))
}

function buildWithGyp() {
  const nodeGyp = join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js')
  const prefix = dirname(dirname(process.execPath))
  const headers = existsSync(join(prefix, 'include', 'node', 'node_api.h'))
  if (!has('make') || !(has('python3') || has('python'))) {
    fail(
      'Building the addon needs CMake, or make and Python 3. On Debian: apt-get install cmake g++ (or: make python3 g++).',
    )
  }
  if (!headers)
    console.error(
      `octavo: no headers in ${prefix}/include/node; node-gyp will look for them in its own cache.`,
    )
  run(process.execPath, [
    nodeGyp,
    'rebuild',
    ...(headers ? [`--nodedir=${prefix}`] : []),
    `--jobs=${availableParallelism()}`,
  ])
  if (!existsSync(output)) fail(`node-gyp ended without ${output}`)
}

/** Copied beside its place and renamed: a process that has the old addon loaded keeps it. */
function install(built) {
  mkdirSync(dirname(output), { recursive: true })
  copyFileSync(built, `${output}.new`)
  const now = new Date()
  utimesSync(`${output}.new`, now, now)
  renameSync(`${output}.new`, output)
}

function has(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) fail(`${command} ${args.join(' ')}: ${error?.message ?? `exit code ${status}`}`)
}

function fail(message) {
  console.error(`octavo: ${message}`)
  process.exit(1)
}
