// Faults of the configuration, all in one form: the setting, the source of its value, the fault, and the remedy.
import { quoted } from './errors.ts';

export interface ConfigFault {
  /** By their dotted names; empty for a fault that is not about a setting. */
  readonly settings: readonly string[];
  /** The source of the value: a file, an environment variable, the command line. */
  readonly from?: string;
  /** Begins with a lower-case letter, without a full stop. */
  readonly wrong: string;
  /** The value, shown as an excerpt. Never set for a secret setting. */
  readonly given?: unknown;
  readonly advice: string;
}

/** All faults of the configuration, one line each. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(lineOf);
    const count = lines.length === 1 ? 'a fault' : `${lines.length} faults`;
    super(`the configuration has ${count}:\n${lines.map((line) => `  ${line}`).join('\n')}`);
    this.name = 'ConfigError';
    this.faults = lines;
  }
}

/** A file or folder named by a setting can't be used. */
export function unusableFile(settings: readonly string[], path: string, error: unknown): ConfigFault {
  const { message = String(error) } = (error ?? {}) as Partial<Error>;
  return {
    settings,
    wrong: `can't be used: ${message}`,
    given: path,
    advice: 'correct the path, or the file',
  };
}

function lineOf({ settings, from, wrong, given, advice }: ConfigFault): string {
  const where = from === undefined ? '' : ` (${from})`;
  const subject = settings.length === 0 ? '' : `${settings.join(', ')}${where}: `;
  const value = given === undefined ? '' : ` (given: ${quoted(given)})`;
  return `${subject}${wrong}${value}: ${advice}`.replaceAll(/\s*\n\s*/g, ' ');
}
