// A firewall behind SSH: a server that echoes its input, like `nft -j -e` does.
// needs: nftables
import { generateKeyPairSync } from 'node:crypto';
import { SshDevice } from '../../simulators/ssh-device.ts';

/** One for all: key generation is not measured. */
const hostKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' });

export async function startNftFirewall(password: string, pause: () => Promise<void>) {
  const { host, port, hostKeySha256 } = await SshDevice.start({
    password,
    hostKey: hostKey.toString(),
    onExec: async (execution) => {
      if (execution.command.startsWith('nft -j list tables'))
        return execution.reply('{"nftables": [{"metainfo": {"version": "1.0.6"}}]}\n');
      const told = await execution.stdin();
      await pause();
      execution.reply(told);
    },
  });
  return { host, port, fingerprint: hostKeySha256 };
}
