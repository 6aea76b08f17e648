// The command line of `up`.
import type { DeviceName } from '../../lab/device.ts';

export interface UpOrder {
  /** Absolute. */
  readonly dataPath: string;
  readonly withLab: boolean;
  /** Undefined for the devices of the last start. */
  readonly labDevices: readonly DeviceName[] | undefined;
  readonly port: string | undefined;
  readonly host: string | undefined;
  /** Path of the settings. */
  readonly file: string | undefined;
  /** Level of the log. */
  readonly level: string | undefined;
  /** The log is printed as well. */
  readonly showsLog: boolean;
}
