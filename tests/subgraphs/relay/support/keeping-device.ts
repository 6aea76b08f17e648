// An SSH device that answers like nft and keeps the elements of its set `blocked`: they can be listed, and so adopted and verified.
import { setTimeout as sleep } from 'node:timers/promises';
import { SshDevice } from '../../../../simulators/ssh-device.ts';
import { type RelayNode, registerBackend } from './relay-system.ts';

export class KeepingDevice {
  readonly ssh: SshDevice;
  readonly elements: Set<string>;

  private constructor(ssh: SshDevice, elements: Set<string>) {
    this.ssh = ssh;
    this.elements = elements;
  }

  /** Each change takes `workMs`. */
  static async start({ workMs = 5 }: { readonly workMs?: number } = {}): Promise<KeepingDevice> {
    const elements = new Set<string>();
    const ssh = await SshDevice.start({
      onExec: async (execution) => {
        if (execution.command.startsWith('nft -j list tables'))
          return execution.reply('{"nftables": [{"metainfo": {"version": "1.0.6"}}]}\n');
        const stdin = await execution.stdin();
        if (stdin.includes('"list"')) {
          const set = { family: 'inet', table: 'filter', name: 'blocked', type: 'ipv4_addr', handle: 3 };
          return execution.reply(
            JSON.stringify({ nftables: [{ metainfo: {} }, { set: { ...set, elem: [...elements] } }] }),
          );
        }
        await sleep(workMs);
        if (stdin.includes('"delete"'))
          for (const [, address = ''] of stdin.matchAll(/"elem":\["([0-9.]+)"/g)) elements.delete(address);
        for (const [, address = ''] of stdin.matchAll(/"val":"([0-9.]+)"/g)) elements.add(address);
        execution.reply(stdin);
      },
    });
    return new KeepingDevice(ssh, elements);
  }

  register(node: RelayNode, name: string, more: Record<string, unknown> = {}): Promise<string> {
    return registerBackend(node, {
      name,
      host: this.ssh.host,
      port: this.ssh.port,
      hostKeySha256: this.ssh.hostKeySha256,
      credentials: { username: 'netops', password: 'secret' },
      ...more,
    });
  }
}
