// Makes native/cpu/isa_table.inc and native/isa.gypi of native/isa.json. `--check` only tells whether they are stale.
import { readFileSync } from 'node:fs'
import { writeOrCheck } from './generated.mjs'

const native = new URL('../native/', import.meta.url)
const { common, isas } = JSON.parse(readFileSync(new URL('isa.json', native), 'utf8'))
const have = (isa) => `OCTAVO_HAVE_${isa.name.toUpperCase()}`

function table() {
  const lines = [
    '// Generated from isa.json by scripts/gen-isa.mjs.',
    '// OCTAVO_ISA(name, arch, activations, compiled, implied)',
  ]
  for (const isa of isas) {
    const line = (compiled) =>
      `OCTAVO_ISA(${isa.name}, "${isa.arch}", "${isa.activations}", ${compiled}, "${isa.implies.join(' ')}")`
    if (isa.name === 'scalar') lines.push(line(true))
    else lines.push(`#if ${have(isa)}`, line(true), '#else', line(false), '#endif')
  }
  return `${lines.join('\n')}\n`
}

/** What is no kernel: loops over elements are vectorized as with -O3, the rest is a fifth smaller. As in native/CMakeLists.txt. */
const SMALL = ['-O2', '-ftree-vectorize', '<!@(node native/sources.mjs vectorize)']

/** One static library per instruction set, because flags belong to targets; a define per library for the dispatch. */
function gypi() {
  const real = isas.filter((isa) => isa.name !== 'scalar')
  const architectures = [...new Set(real.map((isa) => isa.arch))]
  const target = (isa) => ({
    target_name: `octavo_${isa.name}`,
    type: 'static_library',
    sources: [`<!@(node native/sources.mjs ${isa.name})`],
    cflags_cc: ['-O3', ...isa.flags],
    xcode_settings: { OTHER_CPLUSPLUSFLAGS: isa.flags },
  })
  return {
    target_defaults: {
      include_dirs: ['.'],
      cflags_cc: ['-std=c++17', ...SMALL, '-fvisibility=hidden', '-fvisibility-inlines-hidden', ...common],
      'cflags_cc!': ['-fno-exceptions', '-fno-rtti'],
      xcode_settings: {
        CLANG_CXX_LANGUAGE_STANDARD: 'c++17',
        GCC_ENABLE_CPP_EXCEPTIONS: 'YES',
        GCC_ENABLE_CPP_RTTI: 'YES',
        GCC_SYMBOLS_PRIVATE_EXTERN: 'YES',
        OTHER_CPLUSPLUSFLAGS: common,
      },
      conditions: architectures.map((arch) => [
        `target_arch == "${arch}"`,
        { defines: real.filter((isa) => isa.arch === arch).map((isa) => `${have(isa)}=1`) },
      ]),
    },
    conditions: architectures.map((arch) => [
      `target_arch == "${arch}"`,
      { targets: real.filter((isa) => isa.arch === arch).map(target) },
    ]),
  }
}

const files = [
  [new URL('cpu/isa_table.inc', native), table()],
  [
    new URL('isa.gypi', native),
    `# Generated from isa.json by scripts/gen-isa.mjs.\n${JSON.stringify(gypi(), null, 2)}\n`,
  ],
]
writeOrCheck(files, 'node scripts/gen-isa.mjs')
