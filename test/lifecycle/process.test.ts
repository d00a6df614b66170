/** Processes and workers that end, or are told to, while the package is at work. */
import { describe, expect, test } from 'vitest'
import { isBuilt, run } from './child.js'

const clean = { status: 0, signal: null, stderr: '' }

describe.skipIf(!isBuilt)('a process', () => {
  test('that is done ends by itself, sessions released or not', () => {
    const body = `
      const s = await open(bytes)
      const { y } = await s.run(rows(2))
      console.log(y.dims.join())`
    expect(run(body)).toEqual({ ...clean, stdout: '2,384' })
  })

  test('that exits during runs has the exit code it asked for', () => {
    const body = `
      const s = await open(bytes)
      for (let i = 0; i < 8; i++) s.run(rows(2000)).catch(() => {})
      setTimeout(() => process.exit(7), 30)`
    expect(run(body)).toMatchObject({ status: 7, signal: null, stderr: '' })
  })

  test('that exits during a creation', () => {
    expect(run('for (let i = 0; i < 8; i++) open(bytes); process.exit(5)')).toMatchObject({
      status: 5,
      signal: null,
      stderr: '',
    })
  })

  test('with an error nobody catches ends with 1', () => {
    const body = `
      const s = await open(bytes)
      s.run(rows(2000)).catch(() => {})
      throw new Error('on purpose')`
    const { status, signal, stderr } = run(body)
    expect({ status, signal }).toEqual({ status: 1, signal: null })
    expect(stderr).toMatch(/on purpose/)
  })

  test('hears SIGTERM during a run', () => {
    const body = `
      const s = await open(bytes)
      let ended = false
      process.on('SIGTERM', () => { console.log(ended ? 'after the run' : 'during the run'); process.exit(0) })
      s.run(rows(20000)).then(() => { ended = true })
      await tick(20)
      process.kill(process.pid, 'SIGTERM')
      await tick(60000)`
    expect(run(body)).toEqual({ ...clean, stdout: 'during the run' })
  })

  test('leaves 80 sessions to the garbage collector', () => {
    // Finalizers run some turns after the collection. What V8 was told of is exact; resident memory is what sessions hold once
    // malloc keeps no large block that was freed, and without the released weights that wait for the system to take them.
    const body = `
      const { readFileSync } = require('node:fs')
      const resident = () => {
        if (process.platform !== 'linux') return process.memoryUsage().rss
        const text = readFileSync('/proc/self/smaps_rollup', 'utf8')
        const kB = (key) => Number(new RegExp('^' + key + ': +([0-9]+) kB', 'm').exec(text)[1])
        return (kB('Rss') - kB('LazyFree')) * 1024
      }
      const settled = async () => {
        for (let i = 0; i < 10; i++) { globalThis.gc(); await tick(1) }
        return { external: process.memoryUsage().external, resident: resident() }
      }
      let before
      for (let i = 0; i < 80; i++) {
        const s = await open(bytes)
        await s.run(rows(1))
        if (i % 4 === 3) { globalThis.gc(); await tick(1) }
        if (i === 39) before = await settled()
      }
      const after = await settled()
      const held = after.external - before.external, growth = after.resident - before.resident
      console.log(Math.abs(held) < 1e6 && growth < 30e6 ? 'flat' : 'holds ' + held + ', grew by ' + growth)`
    const env = { MALLOC_MMAP_THRESHOLD_: '131072' }
    expect(run(body, ['--expose-gc'], { env })).toEqual({ ...clean, stdout: 'flat' })
  })

  test('loads the addon twice', () => {
    const body = `
      const path = process.env.OCTAVO_BINARY
      const first = require(path)
      delete require.cache[path]
      const second = require(path)
      const s = await open(bytes)
      await s.run(rows(1))
      console.log(first.version === second.version)`
    expect(run(body)).toEqual({ ...clean, stdout: 'true' })
  })
})

describe.skipIf(!isBuilt)('a worker', () => {
  test('is terminated during runs, thirty times', () => {
    const body = `
      for (let i = 0; i < 30; i++) {
        const w = worker('const s = await open(bytes); for (let i = 0; i < 4; i++) s.run(rows(2000)); parentPort.postMessage(1)')
        await message(w)
        await tick(i % 5)
        await w.terminate()
      }
      console.log('done')`
    expect(run(body)).toEqual({ ...clean, stdout: 'done' })
  })

  test('is terminated during creation, thirty times', () => {
    const body = `
      for (let i = 0; i < 30; i++) {
        const w = worker('parentPort.postMessage(1); await Promise.all([open(bytes), open(bytes)])')
        await message(w)
        await tick(i % 7)
        await w.terminate()
      }
      console.log('done')`
    expect(run(body)).toEqual({ ...clean, stdout: 'done' })
  })

  test('exits during runs', () => {
    const body = `
      const w = worker('const s = await open(bytes); for (let i = 0; i < 4; i++) s.run(rows(2000)); setTimeout(() => process.exit(3), 20)')
      w.on('exit', (code) => console.log('exit', code))`
    expect(run(body)).toEqual({ ...clean, stdout: 'exit 3' })
  })

  test('runs while the main thread exits', () => {
    const body = `
      const w = worker('const s = await open(bytes); for (let i = 0; i < 8; i++) s.run(rows(2000)); parentPort.postMessage(1)')
      await message(w)
      process.exit(4)`
    expect(run(body)).toMatchObject({ status: 4, signal: null, stderr: '' })
  })

  test('shares the addon with three others and the main thread', () => {
    const body = `
      const source = 'const s = await open(bytes); const out = []; for (let i = 0; i < 5; i++) out.push((await s.run(rows(3))).y.data[7]); await s.release(); parentPort.postMessage(out.join())'
      const s = await open(bytes)
      const [own, ...others] = await Promise.all([s.run(rows(3)), ...[1, 2, 3, 4].map(() => message(worker(source)))])
      const expected = Array(5).fill(own.y.data[7]).join()
      console.log(others.every((o) => o === expected))`
    expect(run(body)).toEqual({ ...clean, stdout: 'true' })
  })

  test('runs synchronously', () => {
    const body = `
      const w = worker('const s = await open(bytes); parentPort.postMessage(s.runSync(rows(2)).y.dims)')
      console.log((await message(w)).join())`
    expect(run(body)).toEqual({ ...clean, stdout: '2,384' })
  })
})
