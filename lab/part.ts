// A part of the lab: a device to try a driver with, registered as a backend.

import type { SetupLog } from '../embedded/setup-log.ts';
import type { JsonObject } from '../platform/json.ts';
import type { Address } from '../platform/net/origin.ts';

const deviceNames = ['firewall', 'fortigate', 'bigip', 'onyx', 'neo', 'openvswitch', 'apache', 'neutron'] as const;
/** A part that is a backend. */
export type DeviceName = (typeof deviceNames)[number];
/** The others have hosts. */
export const partNames = [...deviceNames, 'routers', 'balancers', 'sites', 'clusters'] as const;
export type PartName = (typeof partNames)[number];

/** The backends of a part, each registered as `lab-NAME`. */
export function backendsOf(part: PartName): readonly string[] {
  if (part === 'routers') return ['router1', 'router2'];
  return isDevice(part) ? [part] : [];
}

/** What each does to a call is in docs/operating.md. */
export const troubles = ['hang', 'late', 'drop', 'refuse', 'full', 'none'] as const;
export type Trouble = (typeof troubles)[number];

/** What is done to a host of a part: its cable is pulled, put back, or its power is cut; `plug` also switches it on again. */
export const hostActs = ['unplug', 'plug', 'kill'] as const;
export type HostAct = (typeof hostActs)[number];

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

export interface PartHost {
  readonly name: string;
  readonly address: string;
  /** Its network namespace; null: none of its own. */
  readonly namespace: string | null;
  readonly note: string;
}

/** A running part, as other processes need it. */
export interface DescribedPart {
  /** Undefined: it is none. */
  readonly backend?: PartBackend;
  /** Of a part that is several, by name (`backendsOf`). */
  readonly backends?: Readonly<Record<string, PartBackend>>;
  /** Undefined: it has none that can be unplugged. */
  readonly hosts?: readonly PartHost[];
  /** All that calls to it connect to. */
  readonly reaches: readonly Address[];
}

export type PartAnswer =
  | { readonly available: true; readonly part: DescribedPart }
  | { readonly available: false; readonly unavailable: string };

export interface RunningPart extends DescribedPart {
  readonly available: true;
  trouble(trouble: Trouble): Promise<void>;
  /** Throws when there is no such host. */
  act?(act: HostAct, host: string): Promise<void>;
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

/** What outlives a process that had the part and was killed. */
export interface LeftOver {
  /** Ends it. `folder`: the part's, which exists. */
  end(folder: string): Promise<void>;
  /** Deletes what the part has outside of its folder. */
  remove(folder: string): Promise<void>;
}

export type StartPart = (options: PartOptions) => Promise<StartedPart>;

export function isPartName(text: string): text is PartName {
  return partNames.some((each) => each === text);
}

export function isDevice(part: PartName): part is DeviceName {
  return deviceNames.some((each) => each === part);
}

export function isTrouble(text: string): text is Trouble {
  return troubles.some((each) => each === text);
}

export function isHostAct(text: string): text is HostAct {
  return hostActs.some((each) => each === text);
}

/** Of a host or of a node of a load balancer. */
export function isHostName(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}
