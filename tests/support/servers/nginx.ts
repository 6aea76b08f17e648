// nginx in front of a gateway, with the sample docker/systemd/nginx.conf: TLS, and the path at which the installation is served.
// needs: nginx-light, openssl
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { freePort } from '../machine/free-port.ts';
import { waitFor } from '../machine/temporary-folder.ts';
import { makeCertificates } from '../product/certificates.ts';

const sample = join(import.meta.dirname, '../../../docker/systemd/nginx.conf');

export interface Nginx extends AsyncDisposable {
  /** Without the path. */
  readonly origin: string;
  /** The authority of its certificate: PEM, and its file. */
  readonly ca: string;
  readonly caFile: string;
  readonly agent: Agent;
  /** Starts workers with the same settings. The earlier ones keep their streams. */
  reload(): Promise<void>;
}

/** Resolves once there is a new worker. */
export async function reloadBy(signal: NodeJS.Signals, proxy: ChildProcess): Promise<void> {
  const workers = async () =>
    (await readFile(`/proc/${proxy.pid}/task/${proxy.pid}/children`, 'utf8')).trim().split(' ');
  const earlier = await workers();
  proxy.kill(signal);
  await waitFor('a new worker', async () => (await workers()).some((worker) => !earlier.includes(worker)));
}

/** `path` begins and ends with a slash. `gateway` is its host and port. `more`: settings of the server, such as a limit. */
export async function startNginx(given: {
  readonly folder: string;
  readonly gateway: string;
  readonly path?: string;
  readonly more?: string;
  /** Changes of the sample: from what, to what. */
  readonly changes?: readonly (readonly [string, string])[];
}): Promise<Nginx> {
  const { gateway, path = '/', more = '' } = given;
  const folder = await mkdtemp(join(given.folder, 'nginx-'));
  const front = await makeCertificates(folder, 'front');
  const port = await freePort();
  const changes: readonly (readonly [string, string])[] = [
    ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
    ['/etc/nginx/tidegate.pem', front.files.cert],
    ['/etc/nginx/tidegate.key', front.files.key],
    ['http://127.0.0.1:4000', `http://${gateway}`],
    ['  location / {', `  ${more}\n  location / {`],
    ...(given.changes ?? []),
    // As the sample says.
    ...(path === '/'
      ? []
      : ([
          ['location / {', `location ${path} {`],
          [`${gateway};`, `${gateway}/;`],
        ] as const)),
  ];
  const here = changes.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`nginx.conf no longer has ${from}`);
      return text.replaceAll(from, to);
    },
    await readFile(sample, 'utf8'),
  );
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${folder}/${each};`,
  );
  const whole = `daemon off; ${process.getuid?.() === 0 ? 'user root; ' : ''}pid ${folder}/nginx.pid; error_log stderr;
    events {} http { access_log off; ${temporary.join(' ')} ${here} }`;
  await writeFile(join(folder, 'nginx.conf'), whole);
  const nginx = spawn('/usr/sbin/nginx', ['-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const agent = new Agent({ connect: { ca: front.ca } });
  const origin = `https://127.0.0.1:${port}`;
  await waitFor('nginx', async () => {
    if (nginx.exitCode !== null) throw new Error(`nginx ended with ${nginx.exitCode}`);
    return request(`${origin}${path}health/live`, { dispatcher: agent }).then(
      ({ body }) => body.dump().then(() => true),
      () => false,
    );
  });
  return {
    ...{ origin, ca: front.ca, caFile: front.files.ca, agent },
    reload: () => reloadBy('SIGHUP', nginx),
    async [Symbol.asyncDispose]() {
      await agent.destroy();
      // Its workers end with it.
      nginx.kill('SIGTERM');
      if (nginx.exitCode === null && nginx.signalCode === null) await once(nginx, 'exit');
    },
  };
}
