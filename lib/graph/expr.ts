/**
 * Sizes as integer expressions over named symbols, in a normal form: a polynomial with integer coefficients
 * whose atoms are symbols or the functions div (floor), mod, min and max. Two sizes that are equal as
 * polynomials have the same key, so `sameDim` decides what a human would (2*n and n+n, n*m and m*n).
 */

import { sha256 } from '../builtins.js'

export type Dim = number | Expr

type AtomFunction = 'div' | 'mod' | 'min' | 'max'

export type Atom =
  | { readonly kind: 'symbol'; readonly key: string; readonly name: string }
  | { readonly kind: AtomFunction; readonly key: string; readonly a: Dim; readonly b: Dim }
  /** A long expression under a short key made of its content: equal expressions still have equal keys. */
  | { readonly kind: 'let'; readonly key: string; readonly value: Expr }

/** coefficient * product of atoms (sorted by key; a power is a repeated atom). */
interface Term {
  readonly coefficient: number
  readonly atoms: readonly Atom[]
}

/** constant + sum of terms; never without a term (that is a number). */
export interface Expr {
  readonly key: string
  readonly constant: number
  readonly terms: readonly Term[]
}

/** A name that would read as a number or an expression ("2*n") is quoted in keys, so that it equals only itself. */
export function symbol(name: string): Expr {
  // Classes of Unicode take a millisecond to compile, and most names do not need them.
  const plain = /^[A-Za-z_][\w.:/-]*$/.test(name) || /^[\p{L}_][\p{L}\p{N}_.:/-]*$/u.test(name)
  return fromAtom({ kind: 'symbol', key: plain ? name : JSON.stringify(name), name })
}

/** Keys stay below this length: products of long sums would grow without bound. */
const LONGEST_KEY = 200

/** d, as one atom where its key is long. What is inside is then no longer simplified against what is outside. */
export function abbreviate(d: Dim): Dim {
  if (typeof d === 'number' || d.key.length <= LONGEST_KEY) return d
  const key = `size#${sha256(d.key, 'hex').slice(0, 16)}`
  return fromAtom({ kind: 'let', key, value: d })
}

export function dimKey(d: Dim): string {
  return typeof d === 'number' ? String(d) : d.key
}

export function sameDim(a: Dim, b: Dim): boolean {
  return dimKey(a) === dimKey(b)
}

export function add(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b
  return normalize(constantOf(a) + constantOf(b), [...termsOf(a), ...termsOf(b)])
}

export function sub(a: Dim, b: Dim): Dim {
  return add(a, mul(b, -1))
}

export function mul(a: Dim, b: Dim): Dim {
  // Adding 0 turns -0 into 0.
  if (typeof a === 'number' && typeof b === 'number') return a * b + 0
  const left: Term[] = [{ coefficient: constantOf(a), atoms: [] }, ...termsOf(a)]
  const right: Term[] = [{ coefficient: constantOf(b), atoms: [] }, ...termsOf(b)]
  const product = left.flatMap((x) =>
    right.map((y) => ({
      coefficient: x.coefficient * y.coefficient,
      atoms: [...x.atoms, ...y.atoms].sort((p, q) => (p.key < q.key ? -1 : p.key > q.key ? 1 : 0)),
    })),
  )
  return normalize(0, product)
}

/** Floor division. Exact where every term divides; by zero it stays an expression and fails when evaluated. */
export function floorDiv(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number' && b !== 0) return Math.floor(a / b) + 0
  if (b === 1) return a
  if (a === 0) return 0
  const exact = divideExactly(a, b)
  return exact ?? fromAtom({ kind: 'div', key: `(${dimKey(a)})//(${dimKey(b)})`, a, b })
}

export function ceilDiv(a: Dim, b: Dim): Dim {
  return floorDiv(add(a, sub(b, 1)), b)
}

/** Remainder with the sign of the divisor (b > 0 in all uses). */
export function mod(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number' && b !== 0) return a - Math.floor(a / b) * b
  if (divideExactly(a, b) !== undefined) return 0
  return fromAtom({ kind: 'mod', key: `(${dimKey(a)})%(${dimKey(b)})`, a, b })
}

export function min(a: Dim, b: Dim): Dim {
  return extremum('min', a, b)
}

export function max(a: Dim, b: Dim): Dim {
  return extremum('max', a, b)
}

export function product(dims: readonly Dim[]): Dim {
  return dims.reduce<Dim>(mul, 1)
}

/** Names of the symbols that occur in d. */
export function symbolsOf(d: Dim, into: Set<string> = new Set()): Set<string> {
  if (typeof d === 'number') return into
  for (const term of d.terms) {
    for (const atom of term.atoms) {
      if (atom.kind === 'symbol') into.add(atom.name)
      else if (atom.kind === 'let') symbolsOf(atom.value, into)
      else {
        symbolsOf(atom.a, into)
        symbolsOf(atom.b, into)
      }
    }
  }
  return into
}

/** d with symbols replaced; symbols the function answers undefined for stay. */
export function substitute(d: Dim, value: (name: string) => Dim | undefined): Dim {
  if (typeof d === 'number') return d
  let sum: Dim = d.constant
  for (const term of d.terms) {
    let p: Dim = term.coefficient
    for (const atom of term.atoms) p = mul(p, substituteAtom(atom, value))
    sum = add(sum, p)
  }
  return sum
}

/** The expression as people write it: "2*n + 1"; a symbol alone is its name. */
export function formatDim(d: Dim): string {
  if (typeof d === 'number' || d.constant !== 0 || d.terms.length !== 1) return dimKey(d)
  const [term] = d.terms
  const atom = term?.coefficient === 1 && term.atoms.length === 1 ? term.atoms[0] : undefined
  return atom?.kind === 'symbol' ? atom.name : d.key
}

function substituteAtom(atom: Atom, value: (name: string) => Dim | undefined): Dim {
  if (atom.kind === 'symbol') return value(atom.name) ?? fromAtom(atom)
  if (atom.kind === 'let') return abbreviate(substitute(atom.value, value))
  const a = substitute(atom.a, value)
  const b = substitute(atom.b, value)
  switch (atom.kind) {
    case 'div':
      return floorDiv(a, b)
    case 'mod':
      return mod(a, b)
    default:
      return extremum(atom.kind, a, b)
  }
}

function extremum(kind: 'min' | 'max', a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return Math[kind](a, b)
  const difference = sub(a, b)
  if (typeof difference === 'number') return difference <= 0 === (kind === 'min') ? a : b
  const [x, y] = dimKey(a) <= dimKey(b) ? [a, b] : [b, a]
  return fromAtom({ kind, key: `${kind}(${dimKey(x)}, ${dimKey(y)})`, a: x, b: y })
}

function divideExactly(a: Dim, b: Dim): Dim | undefined {
  if (b === 0) return undefined
  if (sameDim(a, b)) return 1
  const divisor = asMonomial(b)
  if (divisor === undefined) return undefined
  const terms: Term[] = [{ coefficient: constantOf(a), atoms: [] }, ...termsOf(a)].filter(
    (t) => t.coefficient !== 0,
  )
  const quotients: Term[] = []
  for (const term of terms) {
    if (term.coefficient % divisor.coefficient !== 0) return undefined
    const left = [...term.atoms]
    for (const atom of divisor.atoms) {
      const at = left.findIndex((x) => x.key === atom.key)
      if (at < 0) return undefined
      left.splice(at, 1)
    }
    quotients.push({ coefficient: term.coefficient / divisor.coefficient, atoms: left })
  }
  return normalize(0, quotients)
}

function asMonomial(d: Dim): Term | undefined {
  if (typeof d === 'number') return { coefficient: d, atoms: [] }
  return d.constant === 0 && d.terms.length === 1 ? d.terms[0] : undefined
}

function constantOf(d: Dim): number {
  return typeof d === 'number' ? d : d.constant
}

function termsOf(d: Dim): readonly Term[] {
  return typeof d === 'number' ? [] : d.terms
}

function fromAtom(atom: Atom): Expr {
  return { key: atom.key, constant: 0, terms: [{ coefficient: 1, atoms: [atom] }] }
}

function normalize(constant: number, terms: readonly Term[]): Dim {
  const byKey = new Map<string, { coefficient: number; atoms: readonly Atom[] }>()
  for (const term of terms) {
    if (term.atoms.length === 0) {
      constant += term.coefficient
      continue
    }
    const key = term.atoms.map((a) => a.key).join('*')
    const known = byKey.get(key)
    if (known) known.coefficient += term.coefficient
    else byKey.set(key, { coefficient: term.coefficient, atoms: term.atoms })
  }
  const entries = [...byKey].filter(([, t]) => t.coefficient !== 0)
  if (entries.length === 0) return constant
  entries.sort(([p], [q]) => (p < q ? -1 : p > q ? 1 : 0))
  const words = entries.map(([key, t]) => (t.coefficient === 1 ? key : `${t.coefficient}*${key}`))
  if (constant !== 0) words.push(String(constant))
  return { key: words.join(' + '), constant, terms: entries.map(([, t]) => t) }
}
