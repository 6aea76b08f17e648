// An SSH device that answers the scripts of the frr driver and keeps BGP neighbours, with their passwords in clear text
// like a router. It can quote its input.
import { SshDevice } from '../../../../simulators/ssh-device.ts';
import { type RelayNode, registerBackend } from './relay-system.ts';

const deviceLogin = { username: 'netops', password: 'password-of-netops' };

type Mood = 'fine' | 'refuses and quotes' | 'cuts the connection' | 'cuts it and forgets';

export class NeighborDevice {
  readonly ssh: SshDevice;
  /** Configuration lines under `router bgp 65001`. */
  lines: string[] = [];
  /** Standard input of each execution. */
  readonly told: string[] = [];
  mood: Mood = 'fine';
  #held: Promise<void> | undefined;

  private constructor(ssh: SshDevice) {
    this.ssh = ssh;
  }

  static async start(): Promise<NeighborDevice> {
    let device: NeighborDevice | undefined;
    const ssh = await SshDevice.start({
      password: deviceLogin.password,
      onExec: async (execution) => {
        const stdin = await execution.stdin();
        if (device === undefined) return execution.reply('');
        device.told.push(stdin);
        // The verdict repeats the ID of a call. A read has no ID in its input.
        const done = ['frr done', ...(/^call (\S+)$/m.exec(stdin)?.slice(1) ?? [])].join(' ');
        await device.#held;
        if (stdin.includes('show version')) return execution.reply(`FRRouting 8.4.4 (r1) on Linux.\n${done}\n`);
        const lines = [...stdin.matchAll(/^line {2}(neighbor .*)$/gm)].map(([, line = '']) => line);
        if (device.mood === 'refuses and quotes')
          return execution.reply(`${lines.map((line) => `said % no: ${line}\n`).join('')}${done}\n`);
        const isCheck = execution.command.includes(' -C ');
        if (!isCheck && device.mood !== 'cuts it and forgets') for (const line of lines) device.#set(line);
        if (lines.length > 0 && device.mood !== 'fine') return execution.cut();
        const have = device.lines.map((line) => `have router bgp 65001\t ${line}\n`).join('');
        execution.reply(`${isCheck ? '' : have}${done}\n`);
      },
    });
    device = new NeighborDevice(ssh);
    return device;
  }

  /** Leaves executions unanswered until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return () => {
      this.#held = undefined;
      resolve();
    };
  }

  #set(line: string): void {
    const start = line.split(' ').slice(0, 3).join(' ');
    this.lines = [...this.lines.filter((each) => !each.startsWith(`${start} `)), line];
  }

  register(node: RelayNode, name: string, more: Record<string, unknown> = {}): Promise<string> {
    const { host, port, hostKeySha256 } = this.ssh;
    const credentials = deviceLogin;
    return registerBackend(node, { driver: 'frr', name, host, port, hostKeySha256, credentials, ...more });
  }
}
