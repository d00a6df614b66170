// The cores that are counted, what llvm-mca models them by, and the limit of each: multiply-accumulates of bytes per cycle.
// llvm-mca 19 schedules cortex-a57, -a72, -a76 and -a78 alike, so a Neoverse stands for the wider ones.
export const CORES = [
  // One pipe multiplies: eight lanes of SMULL or SMLAL a cycle.
  {
    name: 'cortex-a72',
    cpu: 'cortex-a72',
    sysroot: 'a72',
    scheduler: 'cortex-a72',
    limit: 8,
    isa: 'arm_neon',
  },
  // Two SDOT a cycle, sixteen products each.
  {
    name: 'cortex-a76',
    cpu: 'cortex-a76',
    sysroot: 'a76',
    scheduler: 'neoverse-n1',
    limit: 32,
    isa: 'arm_neondot',
  },
  // Two SMMLA a cycle, thirty-two products each; cores with i8mm that boards have come without SVE of 512 bits.
  {
    name: 'i8mm',
    cpu: 'max,sve=off,sme=off',
    sysroot: 'max',
    scheduler: 'neoverse-n2',
    limit: 64,
    isa: 'arm64_i8mm',
  },
]

/** The models that are counted, and how many of onnxruntime's cycles Octavo may take, by core in the order above. */
export const TARGETS = {
  mobilenetv2: [0.5, 0.5, 0.32],
  resnet18: [0.9, 0.85, 0.48],
  resnet50: [0.85, 0.78, 0.33],
  encoder: [0.7, 0.6, 0.45],
}

/** Products of bytes that a word of A64 multiplies: SMMLA, SDOT or UDOT, the long multiplications; 0 for all others. */
export function products(word) {
  if ((word & 0xdfe0f400) >>> 0 === 0x4e80a400) return 32
  if ((word & 0x9f20fc00) >>> 0 === 0x0e009400 || (word & 0x9f00f400) >>> 0 === 0x0f00e000) return 16
  if ((word & 0x9f20fc00) >>> 0 === 0x0e208000 || (word & 0x9f20fc00) >>> 0 === 0x0e20c000) return 8
  return 0
}
