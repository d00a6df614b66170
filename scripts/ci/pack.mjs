// The package as users get it: packed, installed in an empty folder without scripts, used by ESM and by require.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeModels, models } from './models.mjs'
import { nodeBinary } from './nodes.mjs'
import { arm, EMULATED_NODE, emulator } from './targets.mjs'
import { addCounts, check, finish, has, root, run, skip } from './tools.mjs'

const LIMIT = 10 * 2 ** 20
await makeModels()
check(run(process.execPath, [join(root, 'scripts', 'build-ts.mjs')]).ok, 'compiles and bundles')
addCounts(run(process.execPath, [join(root, 'scripts', 'prebuild.mjs')]), 'prebuilds')
const folder = mkdtempSync(join(tmpdir(), 'octavo-pack-'))
try {
  const packed = run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder])
  const file = join(folder, packed.stdout.trim().split('\n').at(-1) ?? '')
  check(
    packed.ok && statSync(file).size > 0,
    `npm pack: ${(statSync(file).size / 2 ** 20).toFixed(1)} MiB packed`,
  )
  writeFileSync(join(folder, 'package.json'), '{ "name": "user", "private": true }\n')
  const installed = run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--omit=optional', '--omit=peer', file],
    { cwd: folder },
  )
  check(installed.ok, 'installs without scripts')
  const size = Number(run('du', ['-sb', join(folder, 'node_modules', 'octavo')]).stdout.split('\t')[0])
  check(size > 0 && size <= LIMIT, `installed size ${(size / 2 ** 20).toFixed(1)} MiB, at most 10 MiB`)
  const model = models().find((path) => path.endsWith('synthetic.int8.onnx'))
  writeFileSync(join(folder, 'esm.mjs'), `import * as ort from 'octavo'\n${program(model)}`)
  writeFileSync(
    join(folder, 'cjs.cjs'),
    `const ort = require('octavo')\n;(async () => {\n${program(model)}\n})()`,
  )
  check(
    run(process.execPath, ['esm.mjs'], { cwd: folder }).stdout.includes('ran'),
    'import of the installed package runs a model',
  )
  check(
    run(process.execPath, ['cjs.cjs'], { cwd: folder }).stdout.includes('ran'),
    'require of the installed package runs a model',
  )
  for (const target of arm) {
    const node = has(target.qemu) ? nodeBinary(target.node) : undefined
    if (!node) skip(`${target.name}: prebuilt addon`, `needs ${target.qemu} and npm's ${target.node}`)
    else {
      const [qemu, ...rest] = emulator(target, target.cores[0])
      const { stdout } = run(qemu, [...rest, node, ...EMULATED_NODE, 'esm.mjs'], { cwd: folder })
      check(stdout.includes('ran'), `${target.name}: the installed package runs a model on ${target.node}`)
    }
  }
  check(
    run('npx', ['--no-install', 'octavo', 'doctor', '--json'], { cwd: folder }).ok,
    'octavo doctor of the installed package',
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
finish()

function program(model) {
  return `const session = await ort.InferenceSession.create(${JSON.stringify(model)})
  const feeds = Object.fromEntries(session.inputMetadata.map(({ name, shape }) => {
    const dims = shape.map((d) => typeof d === 'number' ? d : 1)
    return [name, new ort.Tensor('float32', new Float32Array(dims.reduce((p, d) => p * d, 1)), dims)]
  }))
  const outputs = await session.run(feeds)
  console.log('ran', Object.keys(outputs).length)
`
}
