// Executed blocks of instructions: read, named by the functions they lie in, and given cycles by llvm-mca through mcablocks.py.
import { readFileSync, writeFileSync } from 'node:fs'
import { run } from '../../ci/tools.mjs'
import { BLOCKS } from './toolchain.mjs'

/** [{ address, executed, words, line }] of a file that the plugin wrote; one block a line. */
export function readBlocks(path) {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [address, executed, , code] = line.split(' ')
      const words = code.match(/.{8}/g).map((word) => Number.parseInt(word, 16))
      return { address: Number.parseInt(address, 16), executed: Number(executed), words, line }
    })
}

function instructions(blocks) {
  return blocks.reduce((sum, { executed, words }) => sum + executed * words.length, 0)
}

/**
 * Modelled cycles of a file of blocks ("mixed": a block that branches to itself costs what it does as a loop, others what their
 * units need), and the hottest blocks. Blocks are modelled, most instructions first, until they cover that part of all.
 */
export function modelCycles(path, scheduler, cover = 0.98) {
  const { ok, stdout } = run('python3', [BLOCKS, path, scheduler, String(cover)])
  const found = / mixed ([\d.]+)M/.exec(stdout)
  if (!ok || !found) throw new Error(`mcablocks.py gave no cycles for ${path}`)
  const rows = stdout.matchAll(
    /^ +([\d.]+)% va ([0-9a-f]+) exec (\d+) n (\d+) cyc\/iter ([\d.]+) rthr ([\d.]+) selfloop (\w+)/gm,
  )
  return {
    cycles: Number(found[1]) * 1e6,
    hottest: [...rows].map(([, percent, address, , , loop, units, self]) => ({
      percent: Number(percent),
      address: Number.parseInt(address, 16),
      cycles: Number(self === 'True' ? loop : units),
      loop: self === 'True',
    })),
  }
}

/** Blocks of a library by function, most instructions first; what lies in other files is under the name of the file. */
export function byFunction(blocks, maps, library, symbols) {
  const regions = readMaps(readFileSync(maps, 'utf8'))
  const groups = new Map()
  for (const block of blocks) {
    const region = regions.find(({ start, end }) => block.address >= start && block.address < end)
    const name = region?.file === library ? nameOf(symbols, block.address - region.base) : fileName(region)
    if (!groups.has(name)) groups.set(name, { name, blocks: [] })
    groups.get(name).blocks.push(block)
  }
  return [...groups.values()]
    .map((group) => ({ ...group, instructions: instructions(group.blocks) }))
    .sort((a, b) => b.instructions - a.instructions)
}

/** Functions of a library with symbols, by address; addresses are those of a library loaded at 0. */
export function readSymbols(library) {
  const { stdout } = run('aarch64-linux-gnu-nm', ['-C', '-n', '--defined-only', library])
  return [...stdout.matchAll(/^([0-9a-f]+) [tTwW] (.+)$/gm)]
    .filter(([, , name]) => !name.startsWith('$'))
    .map(([, address, name]) => ({ address: Number.parseInt(address, 16), name }))
}

/** Blocks with the loops joined that the emulator cut in two, as it does where a page ends: the second part also runs after the entry. */
export function joinLoops(blocks) {
  const byAddress = new Map(blocks.map((block) => [block.address, block]))
  return blocks.map((block) => {
    const rest = byAddress.get(block.address + 4 * block.words.length)
    if (rest === undefined || rest.executed < block.executed) return block
    const last = rest.address + 4 * (rest.words.length - 1)
    if (last + branchOffset(rest.words.at(-1)) !== block.address) return block
    const words = [...block.words, ...rest.words]
    const code = words.map((word) => word.toString(16).padStart(8, '0')).join('')
    return {
      ...block,
      words,
      line: `${block.address.toString(16)} ${block.executed} ${words.length} ${code}`,
    }
  })
}

/** How far a conditional branch (B.cond, CBZ, CBNZ) goes, in bytes; 0 for all else. */
function branchOffset(word) {
  const conditional = word >>> 24 === 0x54 || ((word >>> 24) & 0x7e) === 0x34
  return conditional ? ((word << 8) >> 13) * 4 : 0
}

/** Writes some blocks as the plugin writes all. */
export function writeBlocks(path, blocks) {
  writeFileSync(path, blocks.map(({ line }) => `${line}\n`).join(''))
}

/** [{ start, end, file, base }] of /proc/self/maps; `base` is where the file's address 0 lies. */
function readMaps(text) {
  const bases = new Map()
  return [...text.matchAll(/^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ \d+ *(\S*)$/gm)].map(
    ([, from, to, , file]) => {
      const start = Number.parseInt(from, 16)
      if (file !== '' && !bases.has(file)) bases.set(file, start)
      return { start, end: Number.parseInt(to, 16), file, base: bases.get(file) ?? start }
    },
  )
}

function nameOf(symbols, address) {
  let [low, high] = [0, symbols.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (symbols[middle].address <= address) low = middle + 1
    else high = middle
  }
  return symbols[low - 1]?.name ?? 'no symbol'
}

function fileName(region) {
  return region === undefined || region.file === '' ? 'no file' : region.file.split('/').at(-1)
}
