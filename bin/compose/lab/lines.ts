// The lab in the summary of a start.
import { join } from 'node:path';
import { namesFile } from '../../../lab/names-file.ts';
import { isDevice } from '../../../lab/part.ts';
import type { PartRow } from './lab.ts';

/** `rows`: undefined if the lab is off. */
export function labLines(rows: readonly PartRow[] | undefined, dataPath: string): string[] {
  if (rows === undefined) return ['not started (--no-lab)'];
  const lines = rows.filter(({ state }) => state !== 'STOPPED').map((row) => lineOf(row, dataPath));
  return lines.length === 0 ? ['empty (tidegate lab add NAME)'] : lines;
}

function lineOf({ part, state, backend, note }: PartRow, dataPath: string): string {
  if (state === 'UNAVAILABLE') return `${part}: none, ${note}`;
  if (state === 'STARTING') return `${part}: still starting (tidegate lab list)`;
  const names = part === 'firewall' ? `; its namespaces are in ${join(dataPath, namesFile)}` : '';
  if (part === 'routers') return `${part}: backends ${backend} (tidegate lab hosts)`;
  if (!isDevice(part)) return `${part}: addresses in ${join(dataPath, `${part}.env`)} (tidegate lab hosts)`;
  return `${part}: backend "${backend}"${names}`;
}
