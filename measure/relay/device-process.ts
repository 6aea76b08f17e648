// Devices with minimal cost, any number of one kind in a separate process, answering at once or after a delay.
import { setTimeout as sleep } from 'node:timers/promises';
import { answerParent } from '../child.ts';
import type { Wire } from './calls.ts';
import { startFortigate } from './fortigate.ts';
import { startNftFirewall } from './nft-firewall.ts';

export type DeviceOrder =
  | { readonly do: 'start'; readonly wire: Wire; readonly count: number }
  | { readonly do: 'delay'; readonly delayMs: number };

export interface DevicePlace {
  readonly wire: Wire;
  readonly host: string;
  readonly port: number;
  /** Fingerprint of the host key or the certificate, `SHA256:…`. */
  readonly fingerprint: string;
  readonly password: string;
}

const password = 'secret';
const start = { ssh: startNftFirewall, https: startFortigate };
let delayMs = 0;

const pause = async (): Promise<void> => {
  if (delayMs > 0) await sleep(delayMs);
};

answerParent(async (order: DeviceOrder): Promise<readonly DevicePlace[]> => {
  if (order.do === 'delay') {
    delayMs = order.delayMs;
    return [];
  }
  const { wire, count } = order;
  const started = Array.from({ length: count }, () => start[wire](password, pause));
  return (await Promise.all(started)).map((place) => ({ wire, password, ...place }));
});
