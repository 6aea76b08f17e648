// HAProxy in front of the gateways, as an operator would configure it. It checks whether each gateway is ready, and sends a request to
// another one only if it could not connect. It does not repeat requests.
// needs: haproxy, util-linux
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import { fixedPort } from '../../measure/fixed-port.ts';

interface Front {
  readonly url: string;
  stop(): Promise<void>;
}

const startMs = 10_000;

export async function startFront(folder: string, gateways: readonly string[]): Promise<Front> {
  const port = await fixedPort();
  const servers = gateways.map((url, index) => `  server gateway-${index + 1} ${new URL(url).host} check`);
  const file = join(folder, 'front.cfg');
  const lines = [
    'global',
    '  maxconn 5000',
    'defaults',
    '  mode http',
    '  timeout connect 2s',
    '  timeout client 120s',
    '  timeout server 120s',
    '  timeout tunnel 1h',
    '  option redispatch 1',
    '  retries 3',
    '  retry-on conn-failure',
    'listen front',
    `  bind 127.0.0.1:${port}`,
    '  balance roundrobin',
    '  option httpchk GET /health/ready',
    // Slower answers than usual are not a failure, because the machine is busy.
    '  timeout check 5s',
    '  default-server inter 50ms fall 1 rise 1',
    ...servers,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const child = spawn(...endingWithParent('haproxy', ['-db', '-q', '-f', file]), { stdio: 'ignore' });
  const untilMs = performance.now() + startMs;
  while (!(await isOpen(port))) {
    if (child.exitCode !== null || performance.now() > untilMs) throw new Error(`HAProxy did not start with ${file}`);
    await sleep(20);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
