// All models one after the other: packages, then a process for each.
import { fileURLToPath } from 'node:url'
import { output } from '../bench/processes.mjs'
import { Missing, unpacked } from './fetch.mjs'
import { fromJson } from './json.mjs'
import { PINS } from './pins.mjs'

const child = fileURLToPath(new URL('child.mjs', import.meta.url))

/** { rows, skipped: [{ name, why }] }, which onRow is given after each model; of the models that `known` has a row of, that. */
export async function measureAll(models, { offline, quantizer, signal, progress, known, onRow }) {
  const rows = []
  const skipped = []
  for (const model of models) {
    progress.step(model.name)
    const old = known.find((row) => row.name === model.name)
    if (old) {
      rows.push(old)
      continue
    }
    try {
      const folders = {}
      for (const pin of [model.pin, ...model.data])
        folders[pin] = await unpacked(PINS[pin], { offline, signal })
      const { registry, name, version } = PINS[model.pin]
      const about = {
        name: model.name,
        domain: model.domain,
        how: model.how,
        data: model.data,
        package: `${registry} ${name} ${version}`,
      }
      const job = { name: model.name, folders, quantizer }
      // --expose-gc: what the inputs left behind is no memory of the quantizer.
      const text = await output(process.execPath, ['--expose-gc', child, JSON.stringify(job)], { signal })
      rows.push({ ...about, ...fromJson(text) })
      onRow({ rows, skipped })
      progress.note(line(rows.at(-1)))
    } catch (error) {
      if (signal.aborted) throw error
      const why = error instanceof Missing ? error.message : `failed: ${wordsOf(error)}`
      skipped.push({ name: model.name, why, isMissing: error instanceof Missing })
      progress.note(`${model.name} skipped: ${why}`)
    }
  }
  return { rows, skipped }
}

function line({ name, refused, float, int8, quantize }) {
  const said = refused ?? float.error ?? int8?.error
  if (said) return `${name}: ${said}`
  return `${name}: cosine ${int8.cosine.toFixed(5)}, ${int8.sqnr?.toFixed(1)} dB, ${quantize.warnings.length} warnings`
}

/** Of what a process that ended said: its error. */
function wordsOf({ message }) {
  const lines = message.trim().split('\n')
  return lines.find((text) => /^\w*Error\b/.test(text)) ?? lines.at(-1)
}
