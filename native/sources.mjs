// Lists sources for binding.gyp, which cannot look for files by itself, and flags that only some compilers take. Paths are
// relative to the package.
//
//   node native/sources.mjs addon            all but the kernels of instruction sets
//   node native/sources.mjs x86_avx2         the kernels of one instruction set
//   node native/sources.mjs targets x64      names of the libraries of an architecture
//   node native/sources.mjs vectorize        what makes GCC vectorize as with -O3; others need not be told
import { execSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const native = new URL('./', import.meta.url)
const { isas } = JSON.parse(readFileSync(new URL('isa.json', native), 'utf8'))
const named = isas.filter((isa) => isa.name !== 'scalar')

function files(folder) {
  return readdirSync(new URL(folder, native))
    .filter((name) => name.endsWith('.cc') && !/(^|_)(test|bench)\.cc$/.test(name))
    .sort()
    .map((name) => `native/${folder}/${name}`)
}

function folders(parent) {
  return readdirSync(new URL(parent, native), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${parent}/${entry.name}`)
    .sort()
}

const kernels = folders('kernels').flatMap(files)
const isIsa = (path) => named.some((isa) => path.endsWith(`/${isa.name}.cc`))

function vectorize() {
  const flag = '-fvect-cost-model=dynamic'
  try {
    execSync(`${process.env.CXX || 'g++'} ${flag} -E -x c++ /dev/null`, { stdio: 'ignore' })
    return [flag]
  } catch {
    return []
  }
}

function list(what, arch) {
  if (what === 'vectorize') return vectorize()
  if (what === 'targets') return named.filter((isa) => isa.arch === arch).map((isa) => `octavo_${isa.name}`)
  if (what !== 'addon') return kernels.filter((path) => path.endsWith(`/${what}.cc`))
  const rest = ['cpu', 'engine', 'ops', ...folders('ops'), 'addon'].flatMap(files).filter((path) => !path.endsWith('/thread_posix.cc'))
  return [...rest, ...kernels.filter((path) => !isIsa(path))]
}

console.log(list(...process.argv.slice(2)).join('\n'))
