// The lab in the summary of a start.
import { join } from 'node:path';
import { isBackendDevice } from '../device.ts';
import { namesFile } from '../names-file.ts';
import type { DeviceRow } from './lab.ts';

/** `rows`: undefined if the lab is off. */
export function labLines(rows: readonly DeviceRow[] | undefined, dataPath: string): string[] {
  if (rows === undefined) return ['not started (--no-lab)'];
  const lines = rows.filter(({ state }) => state !== 'STOPPED').map((row) => lineOf(row, dataPath));
  return lines.length === 0 ? ['empty (tidegate lab add NAME)'] : lines;
}

function lineOf({ part: device, state, backend, note }: DeviceRow, dataPath: string): string {
  if (state === 'UNAVAILABLE') return `${device}: none, ${note}`;
  if (state === 'STARTING') return `${device}: still starting (tidegate lab list)`;
  const names = device === 'firewall' ? `; its namespaces are in ${join(dataPath, namesFile)}` : '';
  if (device === 'routers') return `${device}: backends ${backend} (tidegate lab hosts)`;
  if (!isBackendDevice(device))
    return `${device}: addresses in ${join(dataPath, `${device}.env`)} (tidegate lab hosts)`;
  return `${device}: backend "${backend}"${names}`;
}
