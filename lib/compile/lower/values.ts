/**
 * Where the values of a graph live in the plan. A value may exist in several layouts; asking for one that does
 * not exist yet adds a Transpose, or an alias where only axes of size 1 move.
 */

import type { Dim } from '../../graph/expr.js'
import type { ConstantTensor, TensorType } from '../../graph/graph.js'
import type { Layout } from '../../ops/core/opdef.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { addAlias, addTensor, type Draft } from '../../plan/draft.js'
import type { PlanStep } from '../../plan/plan.js'

export function identityLayout(rank: number): Layout {
  return Array.from({ length: rank }, (_, i) => i)
}

/** Sizes of a tensor with these logical sizes in a layout. */
export function physicalDims(shape: readonly Dim[], layout: Layout): Dim[] {
  return layout.map((axis) => shape[axis] as Dim)
}

interface Form {
  readonly layout: Layout
  readonly tensor: number
}

export class Values {
  private readonly forms = new Map<string, Form[]>()

  constructor(
    private readonly draft: Draft & { readonly steps: PlanStep[] },
    private readonly typeOf: (name: string) => TensorType & { readonly shape: readonly Dim[] },
    private readonly constantOf: (name: string) => ConstantTensor | undefined,
  ) {}

  /** Records that `tensor` holds value `name` in `layout`. */
  define(name: string, tensor: number, layout: Layout): void {
    const list = this.forms.get(name)
    if (list) list.push({ layout, tensor })
    else this.forms.set(name, [{ layout, tensor }])
  }

  /** The layout in which a value was made; undefined for constants and values not made yet. */
  layoutOf(name: string): Layout | undefined {
    return this.forms.get(name)?.[0]?.layout
  }

  /** The tensor of a value in a layout. */
  read(name: string, layout: Layout): number {
    const forms = this.forms.get(name) ?? this.materializeConstant(name)
    const shape = this.typeOf(name).shape
    for (const form of forms) {
      if (sameLayout(form.layout, layout)) return form.tensor
    }
    const source = forms[0] as Form
    const dims = physicalDims(shape, layout)
    const tensor = onlyUnitAxesMove(source.layout, layout, shape)
      ? addAlias(this.draft, source.tensor, dims)
      : this.transpose(source, layout, dims)
    forms.push({ layout, tensor })
    return tensor
  }

  private transpose(source: Form, layout: Layout, dims: readonly Dim[]): number {
    const from = this.draft.tensors[source.tensor]
    const tensor = addTensor(this.draft, {
      name: from?.name ?? '',
      dtype: from?.dtype ?? 'float32',
      dims,
      kind: 'scratch',
    })
    const perm = layout.map((axis) => source.layout.indexOf(axis))
    const transpose = steps.Transpose({ x: source.tensor }, { perm: ints(...perm) })
    this.draft.steps.push({ ...transpose, outputs: [tensor], nodes: [] })
    return tensor
  }

  private materializeConstant(name: string): Form[] {
    const constant = this.constantOf(name)
    if (!constant) throw new RangeError(`value ${name} has not been made`)
    const tensor = addStored(this.draft, name, constant, 'constant')
    const forms = [{ layout: identityLayout(constant.dims.length), tensor }]
    this.forms.set(name, forms)
    return forms
  }
}

/** A tensor with the bytes of a constant; those in a file are read when someone asks for them. */
export function addStored(
  draft: Draft,
  name: string,
  constant: ConstantTensor,
  kind: 'constant' | 'state',
  { dtype, dims }: Pick<ConstantTensor, 'dtype' | 'dims'> = constant,
): number {
  const { file } = constant
  const described = { name, dtype, dims, kind }
  if (!file) return addTensor(draft, { ...described, data: constant.data })
  return addTensor(draft, {
    ...described,
    file,
    get data() {
      return constant.data
    },
  })
}

function sameLayout(a: Layout, b: Layout): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i])
}

function onlyUnitAxesMove(from: Layout, to: Layout, shape: readonly Dim[]): boolean {
  const moving = (layout: Layout) => layout.filter((axis) => shape[axis] !== 1)
  return sameLayout(moving(from), moving(to))
}
