/** A small line of scores as the points of an SVG polyline. */

export interface Line {
  /** The pieces between gaps, each as the `points` of a polyline. */
  pieces: string[];
  /** Where the threshold lies, from the top; null where it is outside. */
  threshold: number | null;
}

const MARGIN = 1.5; // so that a thick line is not cut

/**
 * Scale scores, null where there is none, to a picture of some width and height.
 */
export function sparkline(scores: (number | null)[], threshold: number, width: number, height: number): Line {
  const known = scores.filter(score => score !== null);
  if (known.length === 0) {
    return { pieces: [], threshold: null };
  }
  const low = Math.min(...known);
  const high = Math.max(...known);
  const room = height - 2 * MARGIN;
  const across = scores.length > 1 ? (width - 2 * MARGIN) / (scores.length - 1) : 0;
  const up = (score: number): number =>
    high > low ? height - MARGIN - (room * (score - low)) / (high - low) : height / 2;
  const pieces: string[][] = [[]];
  scores.forEach((score, place) => {
    if (score === null) {
      pieces.push([]);
    } else {
      pieces[pieces.length - 1].push(`${(MARGIN + place * across).toFixed(1)},${up(score).toFixed(1)}`);
    }
  });
  const inside = threshold >= low && threshold <= high;
  return {
    pieces: pieces.filter(piece => piece.length > 0).map(piece => piece.join(' ')),
    threshold: inside ? Number(up(threshold).toFixed(1)) : null
  };
}
