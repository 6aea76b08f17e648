// The parts that each group of cases gets.
import type { Environment, FlagCoverage } from './coverage.ts';
import type { FlagSystem } from './flag-system.ts';

export interface FlagRun {
  readonly coverage: FlagCoverage;
  readonly system: FlagSystem;
  /** The endpoint, and an administrator's token. */
  readonly env: Environment;
  /** With `env`: FlagCoverage.succeeds. */
  ok(line: string | readonly string[]): Promise<string>;
}
