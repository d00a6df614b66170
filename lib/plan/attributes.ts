/** Attributes of steps: made, and read by name. */
import type { Dim } from '../graph/expr.js'
import type { Plan, PlanAttribute, PlanStep } from './plan.js'

export type IntsAttribute = Extract<PlanAttribute, { readonly kind: 'ints' }>
export type FloatsAttribute = Extract<PlanAttribute, { readonly kind: 'floats' }>
export type TextsAttribute = Extract<PlanAttribute, { readonly kind: 'texts' }>
export type NestedPlan = Extract<PlanAttribute, { readonly kind: 'plan' }>

export const ints = (...value: Dim[]): IntsAttribute => ({ kind: 'ints', value })
export const floats = (...value: number[]): FloatsAttribute => ({ kind: 'floats', value })
export const texts = (...value: string[]): TextsAttribute => ({ kind: 'texts', value })

type Attributed = Pick<PlanStep, 'attributes'>

/** [] where it is absent. */
export function intsOf({ attributes }: Attributed, name: string): readonly Dim[] {
  const attribute = attributes[name]
  return attribute?.kind === 'ints' ? attribute.value : []
}

/** A constant integer attribute with one element. */
export function intOf(step: Attributed, name: string, fallback: number): number {
  const value = intsOf(step, name)[0]
  return typeof value === 'number' ? value : fallback
}

export function textOf(step: Attributed, name: string, fallback = ''): string {
  return textsOf(step, name)[0] ?? fallback
}

export function textsOf({ attributes }: Attributed, name: string): readonly string[] {
  const attribute = attributes[name]
  return attribute?.kind === 'texts' ? attribute.value : []
}

export function floatsOf({ attributes }: Attributed, name: string): readonly number[] {
  const attribute = attributes[name]
  return attribute?.kind === 'floats' ? attribute.value : []
}

/** The plans of the graphs that the node of a step owns. */
export function nestedPlans({ attributes }: Attributed): Plan[] {
  return Object.values(attributes).flatMap((a) => (a.kind === 'plan' ? [a.value] : []))
}
