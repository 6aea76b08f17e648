// An SSH device that answers like nft: it echoes its input, gives rules a handle, deletes each rule, and records its input.
import { SshDevice, type SshDeviceOptions } from '../../../../simulators/ssh-device.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import { type RelayNode, registerDevice } from './relay-system.ts';

export class NftDevice {
  readonly ssh: SshDevice;
  /** Standard input of each command that would change something, in order of arrival. */
  readonly told: string[];
  readonly #gate: { wait: Promise<void>; open: () => void };

  private constructor(ssh: SshDevice, told: string[], gate: { wait: Promise<void>; open: () => void }) {
    this.ssh = ssh;
    this.told = told;
    this.#gate = gate;
  }

  static async start(options: SshDeviceOptions = {}): Promise<NftDevice> {
    const told: string[] = [];
    const gate = { wait: Promise.resolve(), open: () => {} };
    let handle = 100;
    const ssh = await SshDevice.start({
      onExec: async (execution) => {
        if (execution.command.startsWith('nft -j list tables'))
          return execution.reply('{"nftables": [{"metainfo": {"version": "1.0.6"}}]}\n');
        const stdin = await execution.stdin();
        if (execution.command.includes('-e')) told.push(stdin);
        await gate.wait;
        const guard = /^guard (\S+)$/m.exec(stdin)?.[1];
        if (guard !== undefined) return execution.reply(`nft deleted ${/^handle (\d+)$/m.exec(stdin)?.[1]} ${guard}\n`);
        handle += 1;
        execution.reply(stdin.replaceAll('"rule":{', `"rule":{"handle":${handle},`));
      },
      ...options,
    });
    return new NftDevice(ssh, told, gate);
  }

  /** Receives commands without answering them until `release`. */
  hold(): void {
    this.#gate.wait = new Promise((resolve) => {
      this.#gate.open = resolve;
    });
  }

  release(): void {
    this.#gate.open();
  }

  timesTold(text: string): number {
    return this.told.filter((stdin) => stdin.includes(text)).length;
  }

  /** Waits until a command with `text` has reached the device. */
  async receives(text: string): Promise<void> {
    await waitFor(`the command with ${text}`, () => this.timesTold(text) > 0);
  }

  register(node: RelayNode, name: string, more: Record<string, unknown> = {}): Promise<string> {
    return registerDevice(node, this.ssh, { name, ...more });
  }
}

/** Input of `firewallAddressSetElementAdd`. */
export function element(backend: string, address: string, more: Record<string, unknown> = {}) {
  return { backend: { name: backend }, idempotencyKey: `key-${backend}-${address}`, set: 'blocked', address, ...more };
}
