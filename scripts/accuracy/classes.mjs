// The judge of classifiers: the largest score is the label's.

function topClass(scores, from, to) {
  let best = from
  for (let i = from + 1; i < to; ++i) if (scores[i] > scores[best]) best = i
  return best - from
}

/** Judges row `row` of an output [N, classes, ...1] against the label of sample `i`. */
export function classJudge(labelOf) {
  return ({ data, dims }, row, i) => {
    const classes = data.length / dims[0]
    return topClass(data, row * classes, (row + 1) * classes) === labelOf(i)
  }
}
