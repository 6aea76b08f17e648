// The lab of the high-availability demo for `tidegate lab` commands: its hosts, and the firewall.

import { backendName } from '../../lab/control-plane/backends.ts';
import type { ControlledLab } from '../../lab/control-plane/control.ts';
import { type DeviceRow, type HostRow, LabRefusal } from '../../lab/control-plane/lab.ts';
import type { DeviceBackend, DeviceName, HostAct, Trouble } from '../../lab/device.ts';
import { devices } from '../../lab/devices.ts';
import type { HaHosts } from '../../lab/ha/hosts.ts';
import { type HostFault, type HostName, hostNames, isHaHost, mostSkewSeconds } from '../../lab/ha/plan.ts';
import { InOrder } from '../../lab/in-order.ts';
import type { LabSource } from '../../lab/lab-source.ts';

interface DemoLabOptions {
  readonly hosts: HaHosts;
  /** The firewall's lab. */
  readonly lab: Pick<LabSource, 'trouble'>;
  /** A text with the reason if there is none. */
  readonly firewall: DeviceBackend | string;
}

export class DemoLab implements ControlledLab {
  readonly #options: DemoLabOptions;
  /** Serialises acts on all hosts, because some affect two. */
  readonly #order = new InOrder<'hosts'>();
  #trouble: Trouble = 'none';

  constructor(options: DemoLabOptions) {
    this.#options = options;
  }

  list(): readonly DeviceRow[] {
    const { firewall } = this.#options;
    const device = 'firewall';
    const none = { backend: null, driver: null, address: null, trouble: 'none' } as const;
    if (typeof firewall === 'string') return [{ part: device, state: 'UNAVAILABLE', ...none, note: firewall }];
    const { driver, host, port } = firewall;
    return [
      {
        ...{ part: device, state: 'RUNNING', backend: backendName(device), driver, address: `${host}:${port}` },
        ...{ trouble: this.#trouble, note: devices[device].summary },
      },
    ];
  }

  hosts(): readonly HostRow[] {
    const { hosts } = this.#options;
    return hostNames.map((name) => ({
      ...{ part: 'ha' as const, name, address: hosts.plan.hosts[name], namespace: hosts.namespace(name) },
      state: hosts.conditionsOf(name).join(' ') || 'UP',
      note: name === 'w' ? 'the witness: it votes' : 'a data host: MariaDB, etcd, Redis, keepalived, the API',
    }));
  }

  async add(device: DeviceName): Promise<void> {
    this.#refuse(device);
  }

  async remove(device: DeviceName): Promise<void> {
    this.#refuse(device);
  }

  async trouble(device: DeviceName, trouble: Trouble): Promise<void> {
    const { lab, firewall } = this.#options;
    if (device !== 'firewall' || typeof firewall === 'string') this.#refuse(device);
    if (trouble !== 'none' && !devices.firewall.troubles.includes(trouble))
      throw new LabRefusal(`${device} can't have the trouble ${trouble}, only ${devices.firewall.troubles.join(', ')}`);
    await lab.trouble(device, trouble);
    this.#trouble = trouble;
  }

  act(act: HostAct, host: string): Promise<void> {
    const { hosts } = this.#options;
    return this.#do([host], ([name]) => (act === 'plug' ? hosts.plug(name) : hosts.fault(act, name)));
  }

  fault(fault: HostFault, host: string): Promise<void> {
    return this.#do([host], ([name]) => this.#options.hosts.fault(fault, name));
  }

  cut(one: string, other: string): Promise<void> {
    if (one === other) throw new LabRefusal('a host is cut from another one: lab cut a b');
    return this.#do([one, other], ([first, second]) => this.#options.hosts.cut(first, second ?? first));
  }

  skew(host: string, seconds: number): Promise<void> {
    if (Math.abs(seconds) > mostSkewSeconds) throw new LabRefusal(`at most ${mostSkewSeconds} seconds`);
    return this.#do([host], ([name]) => this.#options.hosts.skew(name, seconds));
  }

  #do(given: readonly string[], work: (names: readonly [HostName, HostName?]) => Promise<void>): Promise<void> {
    const names = given.map((name) => {
      if (isHaHost(name)) return name;
      throw new LabRefusal(`there is no host ${name}: the hosts are ${hostNames.join(', ')}`);
    });
    const [first, second] = names;
    if (first === undefined) throw new Error('a fault of no host');
    return this.#order.run('hosts', async () => {
      try {
        await work(second === undefined ? [first] : [first, second]);
      } catch (error) {
        throw new LabRefusal(error instanceof Error ? error.message : String(error));
      }
    });
  }

  #refuse(device: DeviceName): never {
    throw new LabRefusal(`with --ha the lab has its hosts and the firewall, and no part ${device}`);
  }
}
