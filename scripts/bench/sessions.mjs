// What a session costs: import, create, first run, memory. Each measurement has a process of its own; the engines take turns.
import { OCTAVO, PEER } from './engines.mjs'
import { inChild } from './processes.mjs'
import { median } from './statistics.mjs'
import { floatFile, octavoFile } from './store.mjs'

export async function timeSessions(model, peer, { processes }) {
  const [dims] = Object.values(model.cases)
  const engines = peer ? [OCTAVO, PEER] : [OCTAVO]
  const found = []
  for (const kind of ['float', 'uint8']) {
    const path = kind === 'float' ? floatFile(model) : await octavoFile(model, kind)
    const samples = engines.map(() => [])
    for (let i = 0; i < processes; ++i)
      for (const [j, engine] of engines.entries())
        samples[j].push(await inChild({ kind: 'session', engine, folder: peer?.folder, path, dims }))
    engines.forEach((engine, j) => {
      const middle = (key) =>
        samples[j][0][key] === undefined ? undefined : median(samples[j].map((s) => s[key]))
      const keys = ['importMs', 'createMs', 'laterCreateMs', 'firstRunMs', 'residentMb', 'peakMb']
      const figures = Object.fromEntries(keys.map((key) => [key, middle(key)]))
      found.push({ model: model.name, kind, engine, processes, ...figures })
    })
  }
  return found
}
