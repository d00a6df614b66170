/** The parts of node-gyp-build that choose among prebuilt files; the package has no types. */
declare module 'node-gyp-build' {
  /** What the name of a folder of prebuilt files says: linux-x64, darwin-x64+arm64. */
  export interface Tuple {
    readonly name: string
    readonly platform: string
    readonly architectures: readonly string[]
  }
  /** What the name of a prebuilt file says: octavo.glibc.node, octavo.armv7.node. */
  export interface Tags {
    readonly file: string
    readonly libc?: 'glibc' | 'musl'
    readonly armv?: string
    readonly specificity: number
  }
  const lookUp: {
    parseTuple(folder: string): Tuple | undefined
    matchTuple(platform: string, arch: string): (tuple: Tuple | undefined) => boolean
    compareTuples(a: Tuple, b: Tuple): number
    parseTags(file: string): Tags | undefined
    /** Whether a file is for this process: runtime, ABI or Node-API, version of libuv, ARM version, C library. */
    matchTags(runtime: string, abi: string): (tags: Tags | undefined) => boolean
    compareTags(runtime: string): (a: Tags, b: Tags) => number
  }
  export default lookUp
}
