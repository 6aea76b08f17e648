// Failures of backups and restores that a person can act on. All that are found are reported together.

export class BackupFaults extends Error {
  override readonly name = 'BackupFaults';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

export function fault(...faults: readonly string[]): never {
  throw new BackupFaults(faults);
}

/** The faults of all steps: each runs, whatever another has found. Throws anything else. */
export async function faultsOf(...steps: readonly (() => Promise<unknown>)[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof BackupFaults)) throw error;
      found.push(...error.faults);
    }
  }
  return found;
}

export function isMissingFile(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
