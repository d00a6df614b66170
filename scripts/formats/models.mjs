// The models: bytes or path of the float file, samples that calibrate, a feed that is timed, and what a model is judged by.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Tensor } from '../../dist/index.js'
import { binaryCifarTask, cifarTasks } from '../accuracy/cifar.mjs'
import { digitsFor } from '../accuracy/digits.mjs'
import { sharedFile } from '../accuracy/packages.mjs'
import { encoder } from '../bench/models/encoder.mjs'
import { agreement, cosine, perplexity, topOne } from './judges.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

export const MODELS = [
  { name: 'stories260K', load: stories },
  { name: 'magika', load: magika },
  { name: 'encoder', load: sentences },
  {
    name: 'resnet20',
    load: (n) =>
      images(
        cifarTasks.find(({ name }) => name === 'resnet20_cifar10'),
        n,
      ),
  },
  { name: 'cnv-w1a1', load: (n) => images(binaryCifarTask, n) },
  { name: 'tfc-w1a1', load: (n) => images(digitsFor('tfc_w1a1_mnist_binary', 1), n) },
]

function stories(samples) {
  const model = sharedFile('stories260K.onnx')
  const read = (file) => JSON.parse(readFileSync(sharedFile('data', file), 'utf8'))
  const feed = (tokens) => ({
    tokens: new Tensor('int64', BigInt64Array.from(tokens, BigInt), [1, tokens.length]),
  })
  const texts = read('tinystories_tsmini_tok512.json').slice(0, Math.ceil(samples / 10))
  const calibration = read('tinystories_sample_tok512.json').slice(0, 16).map(feed)
  return {
    model,
    calibration,
    timed: feed(texts[0].slice(0, 128)),
    judge: perplexity(texts.map((t) => ({ feed: feed(t), tokens: t }))),
  }
}

/** Files of the project itself. */
function magika(samples) {
  const model = sharedFile('magika_standard_v3_3.onnx')
  const files = ['lib', 'native', 'scripts', 'docs', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  )
  const feeds = files
    .map((file) => readFileSync(file))
    .filter((bytes) => bytes.length >= 2048)
    .map((bytes) => ({ bytes: new Tensor('int32', Int32Array.from(beginAndEnd(bytes)), [1, 2048]) }))
  const every = Math.max(1, Math.floor(feeds.length / (samples / 5)))
  const test = feeds.filter((_, i) => i % every === 1 % every)
  const calibration = feeds.filter((_, i) => i % every === 0).slice(0, 32)
  return { model, calibration, timed: test[0], judge: agreement(test) }
}

function beginAndEnd(bytes) {
  return [...bytes.subarray(0, 1024), ...bytes.subarray(bytes.length - 1024)]
}

function sentences() {
  let state = 7
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const feed = (tokens) => ({
    embeddings: new Tensor(
      'float32',
      Float32Array.from({ length: tokens * 384 }, () => random() + random() + random() - 1.5),
      [1, tokens, 384],
    ),
  })
  const test = [16, 24, 32, 48, 64].map(feed)
  return {
    model: encoder(),
    calibration: [16, 32, 64, 128, 16, 32, 64, 128].map(feed),
    timed: feed(128),
    judge: cosine(test),
  }
}

/** A task of `npm run accuracy`: right or wrong for each image. */
async function images(task, samples) {
  const { model, calibration, test, sample, batch, right } = await task.load()
  const feed = ({ dims, data }, input) => ({ [input]: new Tensor('float32', data, dims) })
  return {
    model,
    calibration: calibration.slice(0, 128).map((make) => make()),
    timed: sample(test[0]),
    feed,
    judge: topOne({ test: test.slice(0, samples), sample, batch, right }),
  }
}
