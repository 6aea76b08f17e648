// Courses of load over one simulated hour, in percent of one node, for each second.
import type { Random } from '../random.ts';

export const courses = ['square', 'saw', 'spike', 'noise', 'diurnal', 'gaps'] as const;
export type Course = (typeof courses)[number];

/** By the second. */
type Load = (second: number) => number;

export function drawLoad(course: Course, random: Random, peakNodes: number): Load {
  const high = peakNodes * 60;
  const low = high * (0.05 + 0.4 * random.next());
  const noisy = (load: Load, part: number): Load => {
    const rest = Array.from({ length: 3_600 }, () => 1 + part * (2 * random.next() - 1));
    return (second) => Math.max(0, load(second) * (rest[second] ?? 1));
  };
  const lengthS = random.integer(40, 1_200);
  switch (course) {
    case 'square':
      return noisy((second) => (Math.floor(second / lengthS) % 2 === 0 ? low : high), 0.05);
    case 'saw':
      return noisy((second) => low + ((high - low) * (second % lengthS)) / lengthS, 0.05);
    case 'spike': {
      const at = Array.from({ length: random.integer(1, 8) }, () => random.integer(0, 3_500));
      const widthS = random.integer(5, 120);
      return noisy((second) => (at.some((begin) => second >= begin && second < begin + widthS) ? high : low), 0.05);
    }
    case 'noise':
      return noisy(() => (low + high) / 2, 0.2 + 0.6 * random.next());
    case 'diurnal':
      return noisy((second) => low + (high - low) * (0.5 - 0.5 * Math.cos((2 * Math.PI * second) / 3_600)), 0.1);
    case 'gaps':
      return noisy((second) => low + (high - low) * (0.5 - 0.5 * Math.cos((2 * Math.PI * second) / lengthS)), 0.1);
  }
}
