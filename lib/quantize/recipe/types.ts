/**
 * The recipe: every choice of a quantization as one JSON document. `docs/recipe.schema.json` is its JSON Schema.
 * First come the defaults, then rules for some nodes; where several rules match a node, the later one wins.
 */
import type { ObserverName } from '../../statistics/observers/index.js'

/** Element types of values that are quantized by scales which samples tell. */
export type QuantizedType = 'int8' | 'uint8' | 'int16' | 'uint16'

/** Element types of weights; `w1`: signs, -1 and 1 times the mean magnitude of a channel or tensor, a bit each in the file. */
export type WeightType = 'int8' | 'uint8' | 'int4' | 'uint4' | 'int2' | 'uint2' | 'w1'

/**
 * How activations take part in products.
 * - `int8`, `uint8`, `int16`, `uint16`: quantized by scales that samples tell; of 16 bits, products and what only moves values.
 * - `dynamic`: quantized to 8 bits while running, by a scale for each row or tensor, for int8 weights with scales of channels or tensors,
 *   in standard operators; beside other weights as `block`.
 * - `block`: float in the file; runtimes quantize them to int8 while running, a scale for each block of a row.
 * - `float`: float; weights alone are integers.
 */
export type ActivationType = QuantizedType | 'dynamic' | 'block' | 'float'

/** Settings that go together: `RecipeOptions.preset`. */
export type PresetName =
  | 'int8'
  | 'int8-dynamic'
  | 'int8-weights'
  | 'int4-weights'
  | 'int2-weights'
  | 'smallest'
  | 'a8w4'
  | 'a16w8'

/**
 * Which integers of the type are used.
 * - `full`: all of them. int8: -128 to 127, uint8: 0 to 255.
 * - `narrow`: without the lowest. int8: -127 to 127, uint8: 1 to 255.
 * - `7-bit`: int8: -64 to 63, uint8: 0 to 127 (weights in uint8: 64 to 191). For targets whose sums of products saturate at 16 bits.
 * - `0..127`: activations only: what both types can hold.
 * - `{ qmin, qmax }`: from `qmin` to `qmax`, both used, within the type. Those of weights must lie on both sides of their zero
 *   point, which is 0 in int8 and 128 in uint8.
 *
 * Fewer integers than the type has cost nothing in Octavo; in a file for other runtimes a Clip before QuantizeLinear keeps
 * values that are out of range from taking more, where nothing else does.
 */
export type Levels =
  | 'full'
  | 'narrow'
  | '7-bit'
  | '0..127'
  | {
      /** The least integer. */
      readonly qmin: number
      /** The largest integer. */
      readonly qmax: number
    }

/** How weights are quantized. */
export interface WeightSettings {
  /**
   * Default `int8`. Symmetric uint8 weights are int8 ones with zero point 128, for tools that know no others; so are uint4 and uint2.
   * `w1` is for networks that were trained with two weights a channel, which it holds exactly; products of which the activations are
   * signs, too, keep these. It has scales of channels or tensors (ConvTranspose: one), and no zero points.
   */
  readonly type: WeightType
  /**
   * `channel` (default): one scale per output channel, where runtimes can. `tensor`: one scale for the whole tensor. `group`: one for
   * each `group` weights of a channel, in the order in which products add them up; needs activations `block` or `float`.
   */
  readonly granularity: 'channel' | 'tensor' | 'group'
  /** Granularity `group`: weights that share a scale, 16 to 256; default 32. Gives granularity `group` where that is not said. */
  readonly group?: number
  /** Zero points in the middle (default true), or where they use all levels; that needs activations `block` or `float`. */
  readonly symmetric: boolean
  /** What a scale covers: the largest magnitude (`minmax`), or the range of least squared error (`mse`, default). */
  readonly range: 'minmax' | 'mse'
  /** Which integers are used; default `narrow`: kernels of some targets wrap where two weights of -128 meet. Types below 8 bits: `full`. */
  readonly levels: Levels
}

/** How values between nodes are quantized: one scale and zero point per tensor, or as `type` says. */
export interface ActivationSettings {
  /** Default `int8`. */
  readonly type: ActivationType
  /**
   * Type `dynamic`: a scale for each row, the last axis of what a MatMul or Gemm reads (default), or for the whole tensor, which is
   * what DynamicQuantizeLinear does and what convolutions always have.
   */
  readonly granularity?: 'row' | 'tensor'
  /** Zero point in the middle. Costs half of the levels after a Relu; some targets need it. Default false. */
  readonly symmetric: boolean
  /** How the range is made of what calibration saw; default `mse`: of least expected squared error. */
  readonly observer: ObserverName
  /** Observer `percentile`: share of the elements that the range covers, in percent, above 50 and up to 100; default 99.99. */
  readonly percentile?: number
  /** Observer `mean-std`: half of the range in standard deviations, above 0; default 4. */
  readonly deviations?: number
  /** Observer `moving-average`: weight of a new sample, above 0 and up to 1; default 0.1. */
  readonly momentum?: number
  /** Which integers are used; default `full`. */
  readonly levels: Levels
}

/** A regular expression of JavaScript, as JSON. */
export interface Pattern {
  /** The source of the expression; it may match any part of a name. */
  readonly pattern: string
  /** Its flags, such as `i`; default none. */
  readonly flags: string
}

/** Nodes: by exact name, or by a pattern that a name contains. */
export type NodePattern = string | Pattern

/** Which nodes a rule is for: those that fulfil all that is given; at least one condition must be. */
export interface RuleMatch {
  /** The type of operator, such as `Conv`, in the prepared model: the names that `octavo explain` prints. */
  readonly opType?: string
  /** The exact name of a node; or of a node of the file that a fused one stands for. */
  readonly node?: string
  /** A pattern that the name of the node contains. */
  readonly pattern?: Pattern
}

/** Settings for some nodes. What a rule does not say stays as it was. A node that is fused to another (its bias, its Relu) has the settings of that one. */
export interface Rule {
  /** The nodes. */
  readonly match: RuleMatch
  /** For the weights of the nodes. */
  readonly weights?: Partial<WeightSettings>
  /** For the values that the nodes make; a string is the type alone. How a product takes its activations is a setting of the product. */
  readonly activations?: Partial<ActivationSettings>
  /** true: the nodes stay in float. false: they do not, whatever came before, and whatever it costs in accuracy. */
  readonly exclude?: boolean
}

/** A complete recipe, as plain JSON: gives the same file again from the same model and data, on the same instruction set, at any number of threads. */
export interface Recipe {
  /** Of all weights that no rule is for. */
  readonly weights: WeightSettings
  /** Of all values that no rule is for, the inputs of the model included. */
  readonly activations: ActivationSettings
  /** Nodes that stay in float. */
  readonly exclude: readonly NodePattern[]
  /** Settings for some nodes; the later rule wins. */
  readonly rules: readonly Rule[]
  /**
   * How the file states weights whose activations are float there. `dq`: by DequantizeLinear, standard ONNX. `nbits`: by operators of
   * onnxruntime, MatMulNBits and GatherBlockQuantized, which its older versions and its kernels in browsers have too; other operators than
   * MatMul, Gemm and Gather, and groups that are no power of 2, keep `dq`.
   */
  readonly file: 'dq' | 'nbits'
  /** Adds to every bias what quantization took from the mean of its channel. */
  readonly biasCorrection: boolean
  /**
   * What is done with the result on samples that calibrated. `repair`: nodes that ruin an output stay in float, at most a quarter of the
   * multiplications or one product; what remains is in the warnings. `warn`: only that. `off`: nothing.
   */
  readonly check: 'repair' | 'warn' | 'off'
}

/** A pattern as JSON, with flags that may be left out. */
export interface PatternSource {
  /** The source of the expression. */
  readonly pattern: string
  /** Its flags, such as `i`; default none. */
  readonly flags?: string
}

/** A pattern as options take it: a RegExp, its source, or its source with flags. */
export type PatternOption = RegExp | string | PatternSource

/** A rule as options take it. */
export interface RuleOptions extends Omit<Rule, 'match' | 'activations'> {
  /** For the values that the nodes make; a string is the type alone. How a product takes its activations is a setting of the product. */
  readonly activations?: Partial<ActivationSettings> | ActivationType
  /** The nodes. */
  readonly match: Omit<RuleMatch, 'pattern'> & {
    /** A pattern that the name of the node contains. */
    readonly pattern?: PatternOption
  }
}

/** A recipe with defaults: what is left out, or undefined, is as `Recipe` says. */
export interface RecipeOptions {
  /** Settings that go together; what is given beside it replaces what it says. Default `int8`. */
  readonly preset?: PresetName
  /** Of all weights that no rule is for. */
  readonly weights?: Partial<WeightSettings>
  /** Of all values that no rule is for, the inputs of the model included; a string is the type alone. */
  readonly activations?: Partial<ActivationSettings> | ActivationType
  /** Nodes that stay in float: exact names, or patterns that a name contains. Default none. */
  readonly exclude?: readonly (string | RegExp | PatternSource)[]
  /** Settings for some nodes; the later rule wins. Default none. */
  readonly rules?: readonly RuleOptions[]
  /** How the file states weights whose activations are float there: standard ONNX (`dq`, default), or operators of onnxruntime. */
  readonly file?: Recipe['file']
  /** Adds to every bias what quantization took from the mean of its channel. Default true. */
  readonly biasCorrection?: boolean
  /** What is done where the result is poor on samples that calibrated; default `repair`. */
  readonly check?: Recipe['check']
}
