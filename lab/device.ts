// A device of the lab: a backend to try a driver with, or hosts that join the control plane. `tidegate lab add` calls it a part.

import type { SetupLog } from '../embedded/setup-log.ts';
import type { Address } from '../platform/net/origin.ts';
import type { JsonObject } from '../platform/values/json.ts';

const backendDeviceNames = [
  'firewall',
  'fortigate',
  'bigip',
  'onyx',
  'neo',
  'openvswitch',
  'apache',
  'neutron',
] as const;
/** A device that is a backend. */
export type BackendDeviceName = (typeof backendDeviceNames)[number];
export const partsWithHosts = ['routers', 'balancers', 'sites', 'clusters'] as const;
export const deviceNames = [...backendDeviceNames, ...partsWithHosts, 'inbox'] as const;
export type DeviceName = (typeof deviceNames)[number];

/** The backends of a device, each registered as `lab-NAME`. */
export function backendsOf(device: DeviceName): readonly string[] {
  if (device === 'routers') return ['router1', 'router2'];
  return isBackendDevice(device) ? [device] : [];
}

/** docs/operating.md describes the effect of each on a call. */
export const troubles = ['hang', 'late', 'drop', 'refuse', 'full', 'none'] as const;
export type Trouble = (typeof troubles)[number];

/** Actions on a host of a device: its cable is pulled, put back, or its power is cut; `plug` also switches it on again. */
export const hostActs = ['unplug', 'plug', 'kill'] as const;
export type HostAct = (typeof hostActs)[number];

/** How much later a call takes effect in the trouble `late`. */
export const lateMs = 5_000;

/** The properties of the device's backend. */
export interface DeviceBackend extends Address {
  readonly driver: string;
  readonly credentials: Readonly<Record<string, string>>;
  readonly hostKeySha256?: string;
  readonly certificateSha256?: string;
  readonly caCertificates?: string;
  readonly options?: JsonObject;
}

export interface DeviceHost {
  readonly name: string;
  readonly address: string;
  /** Its network namespace. Null if it has none. */
  readonly namespace: string | null;
  readonly note: string;
}

/** Addresses to which alert channels send messages, and where a person reads them. */
interface InboxPlaces {
  /** URL of the page. */
  readonly page: string;
  readonly webhookUrl: string;
  /** Address of the mail server, which uses TLS from the first byte. */
  readonly mail: Address;
  readonly caCertificates: string;
}

/** A running device, as other processes need it. */
export interface DescribedDevice {
  /** Undefined if it is not a backend. */
  readonly backend?: DeviceBackend;
  /** Backends by name, for a device with several (`backendsOf`). */
  readonly backends?: Readonly<Record<string, DeviceBackend>>;
  /** Undefined if it has none that can be unplugged. */
  readonly hosts?: readonly DeviceHost[];
  /** Addresses of the inbox. */
  readonly inbox?: InboxPlaces;
  /** All addresses to which calls connect. */
  readonly reaches: readonly Address[];
}

export type StartAnswer =
  | { readonly available: true; readonly part: DescribedDevice }
  | { readonly available: false; readonly unavailable: string };

export interface RunningDevice extends DescribedDevice {
  readonly available: true;
  trouble(trouble: Trouble): Promise<void>;
  /** Throws if there is no such host. */
  act?(act: HostAct, host: string): Promise<void>;
  /** Keeps its configuration for the next start. */
  stop(): Promise<void>;
}

type StartedDevice = RunningDevice | { readonly available: false; readonly unavailable: string };

export interface DeviceOptions {
  /** A private folder, which exists. */
  readonly folder: string;
  readonly log: SetupLog;
  readonly signal: AbortSignal;
}

/** Leftovers of a device whose process was killed. */
export interface LeftOver {
  /** Ends its remains. `folder`: the device's folder, which exists. */
  end(folder: string): Promise<void>;
  /** Deletes everything of the device outside its folder. */
  remove(folder: string): Promise<void>;
}

export type StartDevice = (options: DeviceOptions) => Promise<StartedDevice>;

export function isDeviceName(text: string): text is DeviceName {
  return deviceNames.some((each) => each === text);
}

export function isBackendDevice(device: DeviceName): device is BackendDeviceName {
  return backendDeviceNames.some((each) => each === device);
}

export function isTrouble(text: string): text is Trouble {
  return troubles.some((each) => each === text);
}

export function isHostAct(text: string): text is HostAct {
  return hostActs.some((each) => each === text);
}

/** Whether it may be the name of a host, or of a node of a load balancer. */
export function isHostName(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}
