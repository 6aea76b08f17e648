// An SSH device that answers like nft and keeps the elements of its set `blocked`. They can be listed, and therefore
// adopted and verified.
import { setTimeout as sleep } from 'node:timers/promises';
import { SshDevice } from '../../../../simulators/ssh-device.ts';
import { type RelayNode, registerDevice } from './relay-system.ts';

interface Trouble {
  looks: number;
  look: Promise<void>;
  drops?: boolean;
  readonly late: (() => void)[];
}

export class KeepingDevice {
  readonly ssh: SshDevice;
  readonly elements: Set<string>;
  readonly #trouble: Trouble;

  private constructor(ssh: SshDevice, elements: Set<string>, trouble: Trouble) {
    this.ssh = ssh;
    this.elements = elements;
    this.#trouble = trouble;
  }

  /** `workMs`: duration of each change. */
  static async start({ workMs = 5 }: { readonly workMs?: number } = {}): Promise<KeepingDevice> {
    const elements = new Set<string>();
    const trouble: Trouble = { looks: 0, look: Promise.resolve(), late: [] };
    const ssh = await SshDevice.start({
      onExec: async (execution) => {
        if (execution.command.startsWith('nft -j list tables'))
          return execution.reply('{"nftables": [{"metainfo": {"version": "1.0.6"}}]}\n');
        const stdin = await execution.stdin();
        if (stdin.includes('"list"')) {
          trouble.looks += 1;
          const found = [...elements];
          await trouble.look;
          const set = { family: 'inet', table: 'filter', name: 'blocked', type: 'ipv4_addr', handle: 3 };
          return execution.reply(JSON.stringify({ nftables: [{ metainfo: {} }, { set: { ...set, elem: found } }] }));
        }
        const apply = () => {
          if (stdin.includes('"delete"'))
            for (const [, address = ''] of stdin.matchAll(/"elem":\["([0-9.]+)"/g)) elements.delete(address);
          for (const [, address = ''] of stdin.matchAll(/"val":"([0-9.]+)"/g)) elements.add(address);
        };
        if (trouble.drops) {
          trouble.late.push(apply);
          return execution.cut();
        }
        await sleep(workMs);
        apply();
        execution.reply(stdin);
      },
    });
    return new KeepingDevice(ssh, elements, trouble);
  }

  /** Number of reads of the set that have arrived. */
  get looks(): number {
    return this.#trouble.looks;
  }

  /** Delays reads from now on. Once released, a read returns the state at its arrival. */
  holdLooks(): () => void {
    let release = () => {};
    this.#trouble.look = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  /** Cuts the connection of each change from now on, and holds the change back. */
  dropChanges(): void {
    this.#trouble.drops = true;
  }

  /** Lets changes through again. The returned function carries out the held ones. */
  takeChanges(): () => void {
    this.#trouble.drops = false;
    const late = this.#trouble.late.splice(0);
    return () => {
      for (const apply of late) apply();
    };
  }

  register(node: RelayNode, name: string, more: Record<string, unknown> = {}): Promise<string> {
    return registerDevice(node, this.ssh, { name, ...more });
  }
}
