// A device's own log of everything that reached its programs: the oracle of failure tests.

import { readFile } from 'node:fs/promises';
import { systemErrorCode } from '../embedded/setup-error.ts';

/**
 * A dry run is the device's own check (`nft -c`); a read changes nothing; a session is a script, whose requests have their own entries;
 * everything else applies.
 */
export type RequestKind = 'apply' | 'dry-run' | 'read' | 'session';

interface DeviceLogLine {
  /** The same in all lines of one request: an execution, or a line or frame of a conversation. */
  readonly id: string;
  /** The program's name. */
  readonly program: string;
  /** Unix time in milliseconds, by the device's clock. */
  readonly atMs: number;
  readonly kind: RequestKind;
}

export type DeviceLogEntry = DeviceLogLine &
  /** `stdin`: input of an execution, or the line or frame itself. */
  (
    | { readonly phase: 'received'; readonly args: readonly string[]; readonly stdin: string }
    | { readonly phase: 'fault'; readonly drop: string; readonly hang: string }
    /** `exit`: exit code of an execution. In a conversation 0, or 1 if the answer is a refusal. */
    | { readonly phase: 'applied'; readonly exit: number }
  );

/** All complete lines so far, oldest first. Empty when nothing has reached the device. */
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
