/// <reference path="./node-gyp-build.d.ts" />
/** Where the addon may be, in the order in which it is looked for, and how prebuilt files are chosen. */
import { join } from 'node:path'
import lookUp from 'node-gyp-build'
import { fs } from '../builtins.js'

export interface Host {
  readonly platform: string
  readonly arch: string
  /** glibc or musl on Linux, '' elsewhere. */
  readonly libc: string
  /** '2.36'; '' where unknown. */
  readonly libcVersion: string
}

/** The machine this process runs on. */
export function host(): Host {
  const { platform, arch } = process
  // Asked when it is needed: the report takes 5 ms.
  let version: string | undefined
  const glibc = () => (version ??= platform === 'linux' ? glibcVersion() : '')
  return {
    platform,
    arch,
    get libc() {
      if (platform !== 'linux') return ''
      return glibc() === '' ? 'musl' : 'glibc'
    },
    get libcVersion() {
      return glibc()
    },
  }
}

function glibcVersion(): string {
  // The report would resolve the host names of open sockets, which can take seconds.
  const options = process.report as typeof process.report & { excludeNetwork?: boolean }
  options.excludeNetwork = true
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return report.header?.glibcVersionRuntime ?? ''
}

/** Files to try: OCTAVO_BINARY alone where it is set, else local builds, which someone made on purpose, then prebuilds. */
export function candidates(root: string, machine: Host, forced: string | undefined): string[] {
  if (forced) return [forced]
  const local = ['Release', 'Debug'].map((build) => join(root, 'build', build, 'octavo.node'))
  return [...local, ...prebuilt(root, machine)]
}

/**
 * The prebuilt files for this process, the more specific first; [] where there are none. node-gyp-build knows the names
 * that prebuildify gives. Its own `resolve` is not asked: it gives one file, so that a broken local build would hide those
 * that load, and it takes files from beside the program of Node and from where variables of the environment say.
 */
export function prebuilt(root: string, { platform, arch }: Host): string[] {
  const prebuilds = join(root, 'prebuilds')
  const [tuple] = list(prebuilds)
    .map(lookUp.parseTuple)
    .filter(isKnown)
    .filter(lookUp.matchTuple(platform, arch))
    .sort(lookUp.compareTuples)
  if (tuple === undefined) return []
  const files = list(join(prebuilds, tuple.name))
    .map(lookUp.parseTags)
    .filter(isKnown)
    .filter(lookUp.matchTags('node', process.versions.modules))
    .sort(lookUp.compareTags('node'))
  return files.map(({ file }) => join(prebuilds, tuple.name, file))
}

/** All prebuilt files as folder/file, for a message: why none fits is plain from it. */
export function prebuiltNames(root: string): string[] {
  const prebuilds = join(root, 'prebuilds')
  return list(prebuilds).flatMap((folder) => list(join(prebuilds, folder)).map((file) => `${folder}/${file}`))
}

const isKnown = <T>(parsed: T | undefined): parsed is T => parsed !== undefined

function list(folder: string): string[] {
  try {
    return fs.readdirSync(folder)
  } catch {
    return []
  }
}

/** Machine type of an ELF file, '' where it is none: tells a file of another architecture from a broken one. */
export function elfMachine(path: string): string {
  try {
    const head = fs.readFileSync(path).subarray(0, 20)
    if (head.readUInt32BE(0) !== 0x7f454c46) return ''
    return { 3: 'ia32', 40: 'arm', 62: 'x64', 183: 'arm64' }[head.readUInt16LE(18)] ?? 'another machine'
  } catch {
    return ''
  }
}
