// What each group of cases is given.
import type { Environment, FlagCoverage } from './coverage.ts';
import type { FlagSystem } from './flag-system.ts';

export interface FlagRun {
  readonly coverage: FlagCoverage;
  readonly system: FlagSystem;
  /** The endpoint, and a token of an administrator. */
  readonly env: Environment;
  /** With `env`: FlagCoverage.succeeds. */
  ok(line: string | readonly string[]): Promise<string>;
}
