/** Where the addon may be, in the order in which it is looked for, and how prebuilt files are chosen. */
import { join } from 'node:path'
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
  return [
    join(root, 'build', 'Release', 'octavo.node'),
    join(root, 'build', 'Debug', 'octavo.node'),
    ...prebuilt(join(root, 'prebuilds', `${machine.platform}-${machine.arch}`), machine),
  ]
}

/** Files `octavo[.libc].node` of the folder that fit, the more specific first (the naming of prebuildify). */
function prebuilt(folder: string, machine: Host): string[] {
  if (!fs.existsSync(folder)) return [join(folder, 'octavo.node')]
  const files = fs.readdirSync(folder).filter((file) => file.endsWith('.node'))
  const libcs = new Set(files.flatMap(tags))
  // Where there is one kind only, loading tells whether it fits.
  const fits = (tag: string) => libcs.size <= 1 || tag === machine.libc
  const fitting = files.filter((file) => tags(file).every(fits))
  return fitting.sort((a, b) => b.length - a.length).map((file) => join(folder, file))
}

/** What a file's name says of the C library. */
function tags(file: string): string[] {
  return file
    .split('.')
    .slice(1, -1)
    .filter((tag) => !tag.startsWith('napi'))
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
