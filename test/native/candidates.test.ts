import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { candidates, elfMachine, type Host, prebuilt, prebuiltNames } from '../../lib/native/candidates.js'
import { bindingPath } from '../../lib/native/load.js'
import { modelBytes, node, value } from '../helpers/model.js'

const dist = new URL('../../dist', import.meta.url).pathname
const model = modelBytes({
  name: 'g',
  node: [node('Relu', ['x'], ['y'])],
  input: [value('x', [2])],
  output: [value('y', [2])],
})

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'octavo-prebuilds-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function put(...files: string[]): void {
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), 'not an addon')
  }
}

const host = (platform: string, arch: string): Host => ({ platform, arch, libc: '', libcVersion: '' })
const found = (platform: string, arch: string) =>
  prebuilt(root, host(platform, arch)).map((file) => relative(join(root, 'prebuilds'), file))

describe('candidates', () => {
  it('is the forced file alone, else local builds before prebuilt files', () => {
    put('prebuilds/linux-arm64/octavo.node')
    const machine = host('linux', 'arm64')
    expect(candidates(root, machine, '/forced.node')).toEqual(['/forced.node'])
    expect(candidates(root, machine, undefined).map((file) => relative(root, file))).toEqual([
      'build/Release/octavo.node',
      'build/Debug/octavo.node',
      'prebuilds/linux-arm64/octavo.node',
    ])
  })
})

describe('prebuilt', () => {
  it('is for the platform and the architecture', () => {
    put(
      'prebuilds/linux-x64/octavo.node',
      'prebuilds/linux-arm/octavo.node',
      'prebuilds/win32-x64/octavo.node',
    )
    expect(found('linux', 'arm')).toEqual(['linux-arm/octavo.node'])
    expect(found('darwin', 'x64')).toEqual([])
  })

  it('knows folders of two architectures, and takes that of one first', () => {
    put('prebuilds/darwin-x64+arm64/octavo.node')
    expect(found('darwin', 'arm64')).toEqual(['darwin-x64+arm64/octavo.node'])
    put('prebuilds/darwin-arm64/octavo.node')
    expect(found('darwin', 'arm64')).toEqual(['darwin-arm64/octavo.node'])
  })

  it('takes the more specific first, and leaves out other libraries, runtimes and ABIs', () => {
    const abi = process.versions.modules
    put(
      'prebuilds/linux-x64/octavo.node',
      'prebuilds/linux-x64/octavo.glibc.node',
      'prebuilds/linux-x64/octavo.musl.node',
      'prebuilds/linux-x64/electron.napi.node',
      `prebuilds/linux-x64/node.abi${Number(abi) - 1}.node`,
      'prebuilds/linux-x64/README.md',
    )
    const [own, other] = found('linux', 'x64').map((file) => file.split('/')[1])
    expect(['octavo.glibc.node', 'octavo.musl.node']).toContain(own)
    expect(other).toBe('octavo.node')
    expect(found('linux', 'x64')).toHaveLength(2)
  })

  it('names what there is where nothing fits', () => {
    expect(prebuiltNames(root)).toEqual([])
    put('prebuilds/linux-x64/octavo.glibc.node')
    expect(prebuiltNames(root)).toEqual(['linux-x64/octavo.glibc.node'])
  })
})

/** The compiled library as an installed package: runs a model with the addon that it finds below `root`. */
function runInstalled(): { ran: boolean; text: string } {
  for (const file of ['chunks', 'index.js'])
    cpSync(join(dist, file), join(root, 'dist', file), { recursive: true })
  writeFileSync(join(root, 'package.json'), '{ "name": "octavo", "version": "0.0.0", "type": "module" }')
  writeFileSync(join(root, 'model.onnx'), model)
  const program = `
    import { InferenceSession } from './dist/index.js'
    const session = await InferenceSession.create('model.onnx')
    console.log('inputs', session.inputNames.join())
  `
  const { OCTAVO_BINARY: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: root,
    env,
    encoding: 'utf8',
  })
  return { ran: status === 0 && stdout.includes('inputs x'), text: stderr }
}

describe('an installed package', () => {
  const folder = `prebuilds/${process.platform}-${process.arch}`
  const putAddon = () => {
    mkdirSync(join(root, folder), { recursive: true })
    copyFileSync(bindingPath(), join(root, folder, 'octavo.node'))
  }

  it('runs a model with the prebuilt file', () => {
    putAddon()
    expect(runInstalled()).toEqual({ ran: true, text: '' })
  })

  it('passes over a local build that does not load', () => {
    putAddon()
    put('build/Release/octavo.node')
    expect(runInstalled().ran).toBe(true)
  })

  it('says which files it tried, and which are for other systems', () => {
    put('build/Release/octavo.node', 'prebuilds/plan9-mips/octavo.node')
    const { ran, text } = runInstalled()
    expect(ran).toBe(false)
    expect(text).toContain(`native part could not be loaded on ${process.platform}-${process.arch}`)
    expect(text).toContain(`${join('build', 'Release', 'octavo.node')}: `)
    expect(text).toContain('Debug/octavo.node: not there')
    expect(text).toContain('no file for this system, only plan9-mips/octavo.node')
  })
})

test('the machine of a file is read from the file', () => {
  put('prebuilds/linux-x64/octavo.node')
  expect(elfMachine(join(root, 'prebuilds/linux-x64/octavo.node'))).toBe('')
  if (process.platform === 'linux') expect(elfMachine(bindingPath())).toBe(process.arch)
})
