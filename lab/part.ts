// A part of the lab: a device to try a driver with, registered as a backend.

import type { SetupLog } from '../embedded/setup-log.ts';
import type { JsonObject } from '../platform/json.ts';
import type { Address } from '../platform/net/origin.ts';

export const partNames = ['firewall', 'fortigate', 'bigip', 'onyx', 'neo', 'openvswitch', 'apache', 'neutron'] as const;
export type PartName = (typeof partNames)[number];

/** What each does to a call is in docs/operating.md. */
export const troubles = ['hang', 'late', 'drop', 'refuse', 'full', 'none'] as const;
export type Trouble = (typeof troubles)[number];

/** How much later a call takes effect in the trouble `late`. */
export const lateMs = 5_000;

/** The properties of the part's backend. */
export interface PartBackend extends Address {
  readonly driver: string;
  readonly credentials: Readonly<Record<string, string>>;
  readonly hostKeySha256?: string;
  readonly certificateSha256?: string;
  readonly caCertificates?: string;
  readonly options?: JsonObject;
}

/** A running part, as other processes need it. */
export interface DescribedPart {
  readonly backend: PartBackend;
  /** All that calls to it connect to. */
  readonly reaches: readonly Address[];
}

export type PartAnswer =
  | { readonly available: true; readonly part: DescribedPart }
  | { readonly available: false; readonly unavailable: string };

export interface RunningPart extends DescribedPart {
  readonly available: true;
  trouble(trouble: Trouble): Promise<void>;
  /** Its configuration is kept for the next start. */
  stop(): Promise<void>;
}

export type StartedPart = RunningPart | { readonly available: false; readonly unavailable: string };

export interface PartOptions {
  /** A private folder, which exists. */
  readonly folder: string;
  readonly log: SetupLog;
  readonly signal: AbortSignal;
}

export type StartPart = (options: PartOptions) => Promise<StartedPart>;

export function isPartName(text: string): text is PartName {
  return partNames.some((each) => each === text);
}

export function isTrouble(text: string): text is Trouble {
  return troubles.some((each) => each === text);
}
