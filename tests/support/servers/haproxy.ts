// HAProxy in front of a gateway, with the sample docker/systemd/haproxy.cfg: TLS, and the path at which the installation is served.
// needs: haproxy, openssl
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { freePort } from '../machine/free-port.ts';
import { waitFor } from '../machine/temporary-folder.ts';
import { makeCertificates } from '../product/certificates.ts';
import { type Nginx, reloadBy } from './nginx.ts';

const sample = join(import.meta.dirname, '../../../docker/systemd/haproxy.cfg');

/** Below `/tidegate/`. `gateway` is its host and port. */
export async function startHaproxy(given: {
  readonly folder: string;
  readonly gateway: string;
  /** Changes of the sample: from what, to what. */
  readonly changes?: readonly (readonly [string, string])[];
}): Promise<Nginx> {
  const folder = await mkdtemp(join(given.folder, 'haproxy-'));
  const front = await makeCertificates(folder, 'front');
  const port = await freePort();
  const [pem, config] = [join(folder, 'front.pem'), join(folder, 'haproxy.cfg')];
  await writeFile(pem, front.cert + front.key);
  const changes: readonly (readonly [string, string])[] = [
    ['bind :443', `bind 127.0.0.1:${port}`],
    ['/etc/haproxy/tidegate.pem', pem],
    ['127.0.0.1:4000', given.gateway],
    ['# http-request replace-path', 'http-request replace-path'],
    ...(given.changes ?? []),
  ];
  const here = changes.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`haproxy.cfg no longer has ${from}`);
      return text.replace(from, to);
    },
    await readFile(sample, 'utf8'),
  );
  await writeFile(config, here);
  const haproxy = spawn('/usr/sbin/haproxy', ['-W', '-q', '-f', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  const agent = new Agent({ connect: { ca: front.ca } });
  const origin = `https://127.0.0.1:${port}`;
  await waitFor('HAProxy', async () => {
    if (haproxy.exitCode !== null) throw new Error(`HAProxy ended with ${haproxy.exitCode}`);
    return request(`${origin}/tidegate/health/live`, { dispatcher: agent }).then(
      ({ body }) => body.dump().then(() => true),
      () => false,
    );
  });
  return {
    ...{ origin, ca: front.ca, caFile: front.files.ca, agent },
    reload: () => reloadBy('SIGUSR2', haproxy),
    async [Symbol.asyncDispose]() {
      await agent.destroy();
      // Its workers end with it.
      haproxy.kill('SIGTERM');
      if (haproxy.exitCode === null && haproxy.signalCode === null) await once(haproxy, 'exit');
    },
  };
}
