/** Which runs stay on the JavaScript thread. */
import { describe, expect, it } from 'vitest'
import { QuickRuns } from '../../lib/compile/run/quick-run.js'

const small = Float64Array.of(1, 2, 1, 4)
const large = Float64Array.of(1, 2, 64, 4)

describe('quick runs', () => {
  it('a run is quick once one of the same sizes came back soon', () => {
    const quick = new QuickRuns()
    expect(quick.isQuick(small)).toBe(false)
    quick.ranElsewhere(small, 0.2)
    expect(quick.isQuick(small)).toBe(true)
    expect(quick.isQuick(large)).toBe(false)
  })

  it('a cold first run says nothing', () => {
    const quick = new QuickRuns()
    quick.ranElsewhere(small, 3)
    expect(quick.isQuick(small)).toBe(false)
    quick.ranElsewhere(small, 0.2)
    expect(quick.isQuick(small)).toBe(true)
  })

  it('long runs stay elsewhere', () => {
    const quick = new QuickRuns()
    quick.ranElsewhere(large, 20)
    expect(quick.isQuick(large)).toBe(false)
  })

  it('runs that turn out slow go elsewhere for good, a slow one among quick ones does not', () => {
    const quick = new QuickRuns()
    quick.ranElsewhere(small, 0.2)
    for (let i = 0; i < 20; ++i) quick.ranHere(i % 2 ? 5 : 0.01)
    expect(quick.isQuick(small)).toBe(true)
    for (let i = 0; i < 5; ++i) quick.ranHere(0.4)
    expect(quick.isQuick(small)).toBe(false)
    quick.ranElsewhere(small, 0.2)
    expect(quick.isQuick(small)).toBe(false)
  })

  it('other sizes are measured anew', () => {
    const quick = new QuickRuns()
    quick.ranElsewhere(small, 0.2)
    quick.ranElsewhere(large, 20)
    expect(quick.isQuick(small)).toBe(false)
    quick.ranElsewhere(small, 0.2)
    expect(quick.isQuick(small)).toBe(true)
  })
})
