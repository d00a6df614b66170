/** The whole range that was seen: nothing saturates, outliers cost resolution. */
import { observer } from './observer.js'

export const minmax = observer({
  needs: () => [{ kind: 'moments' }],
  range: ({ moments: { min, max } }) => [min, max],
})
