// What the alternating rounds of two commits come to. Pure.
import { rounded } from '../support/statistics.ts';
import type { Figures } from './turn.ts';

export interface Round {
  readonly now: Figures;
  readonly before: Figures;
}

export interface Comparison {
  /** CPU time per unit, now to before: the median of the rounds' ratios, by the name of the figure. */
  readonly ratio: Readonly<Record<string, number>>;
  /** Of each round. */
  readonly ratios: Readonly<Record<string, readonly number[]>>;
  /** Medians of the rounds. */
  readonly now: Readonly<Record<string, number>>;
  readonly before: Readonly<Record<string, number>>;
}

/** Throws when a round lacks a figure that is to be compared. */
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

/** Those that are compared, and every other figure that is a number. */
function medians(turns: readonly Figures[], cpuPerUnit: readonly string[]): Record<string, number> {
  const plain = Object.entries(turns[0] ?? {}).flatMap(([name, value]) => (typeof value === 'number' ? [name] : []));
  const names = new Set([...cpuPerUnit, ...plain]);
  names.delete('seed');
  return Object.fromEntries(
    [...names].map((name) => [name, rounded(middle(turns.map((turn) => figureIn(turn, name))), 4)]),
  );
}

/** Of an even count, halfway between the two in the middle. */
function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2;
}

/** `path`: names, with ` > ` between them where figures are nested. */
function figureIn(figures: Figures, path: string): number {
  const value = path
    .split(' > ')
    .reduce<unknown>((inside, name) => (inside as Record<string, unknown> | undefined)?.[name], figures);
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`there is no figure ${path}`);
  return value;
}
