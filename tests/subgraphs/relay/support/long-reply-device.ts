// An SSH device like nft, in a separate process so that its memory does not count as the relay's. It replies with 50 MB
// to commands whose input contains the word `long`, and sends its address to its parent.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SshDevice } from '../../../../simulators/ssh-device.ts';

const longReplyBytes = 50 * 1024 * 1024;

export interface LongReplyDevice {
  readonly host: string;
  readonly port: number;
  readonly hostKeySha256: string;
  stop(): Promise<void>;
}

export async function startLongReplyDevice(): Promise<LongReplyDevice> {
  const child = fork(fileURLToPath(import.meta.url), ['serve'], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const [place] = (await once(child, 'message', { signal: AbortSignal.timeout(60_000) })) as [
    Omit<LongReplyDevice, 'stop'>,
  ];
  return {
    ...place,
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function serve(): Promise<void> {
  process.once('disconnect', () => process.exit(0));
  const chunk = `${'x'.repeat(1023)}\n`.repeat(1024);
  const device = await SshDevice.start({
    onExec: async (execution) => {
      if (execution.command.startsWith('nft -j list tables'))
        return execution.reply('{"nftables": [{"metainfo": {"version": "1.0.6"}}]}\n');
      const stdin = await execution.stdin();
      if (!stdin.includes('long')) return execution.reply(stdin);
      for (let written = 0; written < longReplyBytes; written += chunk.length) execution.write(chunk);
      execution.reply('');
    },
  });
  const { host, port, hostKeySha256 } = device;
  process.send?.({ host, port, hostKeySha256 });
}

if (process.argv[2] === 'serve' && process.argv[1] === fileURLToPath(import.meta.url)) await serve();
