// A firewall that costs as little as can be: an SSH server that echoes what it is told, as `nft -j -e` does, after a delay.
import { setTimeout as sleep } from 'node:timers/promises';
import { SshDevice } from '../../simulators/ssh-device.ts';
import { answerParent } from '../support/child.ts';

export type DeviceOrder = { readonly do: 'start' } | { readonly do: 'delay'; readonly delayMs: number };

export interface DevicePlace {
  readonly host: string;
  readonly port: number;
  readonly hostKeySha256: string;
  readonly password: string;
}

const password = 'secret';
let delayMs = 0;

answerParent(async (order: DeviceOrder): Promise<DevicePlace | undefined> => {
  if (order.do === 'delay') {
    delayMs = order.delayMs;
    return undefined;
  }
  const device = await SshDevice.start({
    password,
    onExec: async (execution) => {
      if (execution.command.startsWith('nft -j list tables'))
        return execution.reply('{"nftables": [{"metainfo": {"version": "1.0.6"}}]}\n');
      const told = await execution.stdin();
      if (delayMs > 0) await sleep(delayMs);
      execution.reply(told);
    },
  });
  const { host, port, hostKeySha256 } = device;
  return { host, port, hostKeySha256, password };
});
