// The stages, in order: what a newcomer runs first, then what needs more tools.
const node = process.execPath

export const stages = [
  { name: 'test', what: 'TypeScript and C++ tests on this machine', command: ['npm', 'test', '--silent'] },
  { name: 'lint', what: 'formatting and lint rules', command: ['npx', 'biome', 'ci', '.'] },
  {
    name: 'types',
    what: 'type check of library and tests',
    command: ['npm', 'run', '--silent', 'typecheck'],
  },
  {
    name: 'symbols',
    what: 'weak symbols, glibc floor and generated files of the build',
    command: [node, 'scripts/ci/symbols.mjs'],
  },
  {
    name: 'isa',
    what: 'the same output bits under every x86 instruction set',
    command: [node, 'scripts/ci/isa.mjs'],
  },
  {
    name: 'arm',
    what: 'C++ tests and output bits on emulated ARM cores',
    command: [node, 'scripts/ci/arm.mjs'],
    requires: ['armv7_neon', 'arm_neon', 'arm_neondot', 'arm64_i8mm'],
  },
  {
    name: 'sanitize',
    what: 'C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer',
    command: [node, 'scripts/ci/sanitize.mjs'],
  },
  { name: 'pack', what: 'the packed package, installed elsewhere', command: [node, 'scripts/ci/pack.mjs'] },
]
