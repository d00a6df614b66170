// The stages, in order: what a newcomer runs first, then what needs more tools.
import { readFileSync } from 'node:fs'

const node = process.execPath

/** What the operating system says of this CPU, apart from the probes that are tested. */
function instructionSets() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return ['scalar']
  const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' '))
  const known = { avx2: 'x86_avx2', avx_vnni: 'x86_avxvnni', avx512_vnni: 'x86_avx512vnni' }
  return ['scalar', ...Object.keys(known).flatMap((flag) => (flags.has(flag) ? [known[flag]] : []))]
}

export const stages = [
  { name: 'test', what: 'TypeScript and C++ tests on this machine', command: ['npm', 'test', '--silent'] },
  {
    name: 'lint',
    what: 'formatting, lint rules, and what nothing uses',
    command: [node, 'scripts/ci/lint.mjs'],
  },
  {
    name: 'types',
    what: 'type check of library and tests',
    command: ['npm', 'run', '--silent', 'typecheck'],
  },
  {
    name: 'conformance',
    what: 'the operator tests of ONNX against the list of what is expected to pass',
    command: [node, 'scripts/conformance.mjs'],
    env: { OCTAVO_VERIFY: '1' },
  },
  {
    name: 'peer',
    what: 'the surface and the models beside onnxruntime-node',
    command: [node, 'scripts/ci/peer.mjs'],
  },
  {
    name: 'bench',
    what: 'the bench in its shortest form: fails on a wrong result, not on time',
    command: [node, 'scripts/ci/bench.mjs'],
  },
  {
    name: 'isa',
    what: 'the same output bits under every x86 instruction set',
    command: [node, 'scripts/ci/isa.mjs'],
    requires: instructionSets(),
  },
  {
    name: 'arm',
    what: 'C++ tests and output bits on emulated ARM cores',
    command: [node, 'scripts/ci/arm.mjs'],
    requires: ['armv7_neon', 'arm_neon', 'arm_neondot', 'arm64_i8mm'],
  },
  {
    name: 'symbols',
    what: 'weak symbols and generated files of the builds',
    command: [node, 'scripts/ci/symbols.mjs'],
  },
  {
    name: 'sanitize',
    what: 'C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer',
    command: [node, 'scripts/ci/sanitize.mjs'],
  },
  { name: 'pack', what: 'the packed package, installed elsewhere', command: [node, 'scripts/ci/pack.mjs'] },
]
