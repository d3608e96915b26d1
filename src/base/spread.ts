/** Median, lower and upper quartile of samples, and the samples. */
export interface Spread {
  median: number;
  low: number;
  high: number;
  samples: number[];
}

/** Quartiles are interpolated between the two nearest samples. */
export function spread(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (part: number): number => {
    const place = part * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  };
  return { median: at(0.5), low: at(0.25), high: at(0.75), samples: [...samples] };
}
