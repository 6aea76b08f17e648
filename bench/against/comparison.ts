// Compares the alternating rounds of two commits. Pure.
import { rounded } from '../../measure/statistics.ts';
import type { Figures } from './turn.ts';

export interface Round {
  readonly now: Figures;
  readonly before: Figures;
}

interface Comparison {
  /** CPU time per unit, now compared with before, by the figure's name: the median of the ratios of the rounds. */
  readonly ratio: Readonly<Record<string, number>>;
  /** Per round. */
  readonly ratios: Readonly<Record<string, readonly number[]>>;
  /** Medians of the rounds. */
  readonly now: Readonly<Record<string, number>>;
  readonly before: Readonly<Record<string, number>>;
}

/** Throws if a round lacks a figure to compare. */
export function compareRounds(rounds: readonly Round[], cpuPerUnit: readonly string[]): Comparison {
  const ratios = Object.fromEntries(
    cpuPerUnit.map((name) => [name, rounds.map(({ now, before }) => figureIn(now, name) / figureIn(before, name))]),
  );
  return {
    ratio: Object.fromEntries(Object.entries(ratios).map(([name, all]) => [name, rounded(middle(all), 3)])),
    ratios: Object.fromEntries(
      Object.entries(ratios).map(([name, all]) => [name, all.map((ratio) => rounded(ratio, 3))]),
    ),
    now: medians(
      rounds.map(({ now }) => now),
      cpuPerUnit,
    ),
    before: medians(
      rounds.map(({ before }) => before),
      cpuPerUnit,
    ),
  };
}

/** The compared figures, and all other numeric figures. */
function medians(turns: readonly Figures[], cpuPerUnit: readonly string[]): Record<string, number> {
  const plain = Object.entries(turns[0] ?? {}).flatMap(([name, value]) => (typeof value === 'number' ? [name] : []));
  const names = new Set([...cpuPerUnit, ...plain]);
  names.delete('seed');
  return Object.fromEntries(
    [...names].map((name) => [name, rounded(middle(turns.map((turn) => figureIn(turn, name))), 4)]),
  );
}

/** For an even count, the mean of the two in the middle. */
function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2;
}

/** `path`: names, joined by ` > ` for nested figures. */
function figureIn(figures: Figures, path: string): number {
  const value = path
    .split(' > ')
    .reduce<unknown>((inside, name) => (inside as Record<string, unknown> | undefined)?.[name], figures);
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`there is no figure ${path}`);
  return value;
}
