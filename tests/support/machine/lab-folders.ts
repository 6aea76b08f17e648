// Folders of labs, separate from tests/support/machine/lab.ts, which loads Jest's globals.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function labFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'tidegate-test-lab-'));
}
