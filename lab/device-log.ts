// The firewall's own log of every nft execution that reached it: the oracle of failure tests.

import { readFile } from 'node:fs/promises';
import { systemErrorCode } from '../embedded/setup-error.ts';

/** A dry run is `nft -c`; a read changes nothing; the rest applies. */
export type NftKind = 'apply' | 'dry-run' | 'read';

interface DeviceLogLine {
  /** The same in all lines of one execution. */
  readonly id: string;
  /** Unix time in milliseconds, by the device's clock. */
  readonly atMs: number;
  readonly kind: NftKind;
}

export type DeviceLogEntry = DeviceLogLine &
  (
    | { readonly phase: 'received'; readonly args: readonly string[]; readonly stdin: string }
    | { readonly phase: 'fault'; readonly drop: string; readonly hang: string }
    | { readonly phase: 'applied'; readonly exit: number }
  );

/** All complete lines so far, oldest first; empty when nothing has reached the device. */
export async function readDeviceLog(path: string): Promise<DeviceLogEntry[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return '';
    throw error;
  });
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as DeviceLogEntry);
}
