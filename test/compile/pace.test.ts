/** Which runs stay on the JavaScript thread. */
import { describe, expect, it } from 'vitest'
import { Pace } from '../../lib/compile/pace.js'

const small = Float64Array.of(1, 2, 1, 4)
const large = Float64Array.of(1, 2, 64, 4)

describe('pace', () => {
  it('a run is quick once one of the same sizes came back soon', () => {
    const pace = new Pace()
    expect(pace.isQuick(small)).toBe(false)
    pace.ranElsewhere(small, 0.2)
    expect(pace.isQuick(small)).toBe(true)
    expect(pace.isQuick(large)).toBe(false)
  })

  it('a cold first run says nothing', () => {
    const pace = new Pace()
    pace.ranElsewhere(small, 3)
    expect(pace.isQuick(small)).toBe(false)
    pace.ranElsewhere(small, 0.2)
    expect(pace.isQuick(small)).toBe(true)
  })

  it('long runs stay elsewhere', () => {
    const pace = new Pace()
    pace.ranElsewhere(large, 20)
    expect(pace.isQuick(large)).toBe(false)
  })

  it('runs that turn out slow go elsewhere for good, a slow one among quick ones does not', () => {
    const pace = new Pace()
    pace.ranElsewhere(small, 0.2)
    for (let i = 0; i < 20; ++i) pace.ranHere(i % 2 ? 5 : 0.01)
    expect(pace.isQuick(small)).toBe(true)
    for (let i = 0; i < 5; ++i) pace.ranHere(0.4)
    expect(pace.isQuick(small)).toBe(false)
    pace.ranElsewhere(small, 0.2)
    expect(pace.isQuick(small)).toBe(false)
  })

  it('other sizes are measured anew', () => {
    const pace = new Pace()
    pace.ranElsewhere(small, 0.2)
    pace.ranElsewhere(large, 20)
    expect(pace.isQuick(small)).toBe(false)
    pace.ranElsewhere(small, 0.2)
    expect(pace.isQuick(small)).toBe(true)
  })
})
