// Dependencies and declarations of an act.
import type { DeviceName } from '../../lab/device.ts';
import type { GraphClient } from '../graph-client.ts';
import type { Output } from '../verb.ts';
import type { Stage } from './stage.ts';

export interface Place {
  readonly stage: Stage;
  /** Client during the acts. */
  readonly client: GraphClient;
  /** For cleaning up, also after an interruption. */
  readonly cleaner: GraphClient;
  /** Project of created objects. Undefined for the token's project. */
  readonly project: { readonly name: string; readonly id: string } | undefined;
  /** An API token, for a login at a cluster of object storage. Throws CommandFailure. */
  readonly apiToken: () => Promise<string>;
  /** The data folder of `npm start`. */
  readonly data: string;
  /** Options with which commands find the same server. */
  readonly connection: readonly string[];
  /** Six characters that identify this run, so that runs don't collide. */
  readonly run: string;
  /** Whether to install system packages that a part of the lab lacks. */
  readonly installs: boolean;
  /** Whether added parts of the lab stay. */
  readonly keepsLab: boolean;
  /** Receives the steps of long commands. Undefined if nobody reads them. */
  readonly told: Output | undefined;
}

export interface Act {
  readonly number: number;
  readonly title: string;
  /** The part of the lab that it plays with. Undefined if there is none. */
  readonly part: DeviceName | undefined;
  /** The reason why the act is skipped without root. */
  readonly needsRoot: string | undefined;
  /** Approximate duration in words, without the start of its part of the lab. */
  readonly takes: string;
  play(place: Place): Promise<void>;
  /** The same by hand. */
  readonly yours: readonly string[];
}
