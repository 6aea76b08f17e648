// A real web server of a device of the lab: nginx, which answers each request with its name.
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ServerProcess } from '../embedded/server-process.ts';
import type { SetupLog } from '../embedded/setup-log.ts';

interface WebOptions {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** A private folder. */
  readonly folder: string;
  /** Command prefix, for example to enter a namespace. Empty to run as this user. */
  readonly wrapper: readonly string[];
  readonly log: SetupLog;
  readonly signal: AbortSignal;
}

const readyTimeoutMs = 60_000;

/** Throws SetupError. */
export async function startWeb(options: WebOptions): Promise<ServerProcess> {
  const { name, address, folder, wrapper, log, signal } = options;
  const isRoot = wrapper.length > 0;
  const path = join(folder, `${name}.conf`);
  await writeFile(path, configuration(options, isRoot), { mode: 0o600 });
  // nginx's workers outlive its killed master; a process namespace (pid_namespaces(7)) ends them with it.
  const enclosed = ['unshare', '--pid', '--fork', '--kill-child=KILL'];
  const [command = '', ...args] = [
    ...wrapper,
    ...(isRoot ? enclosed : []),
    'nginx',
    '-c',
    path,
    '-p',
    folder,
    '-e',
    'stderr',
  ];
  const web = new ServerProcess({
    ...{ name, command, args, cwd: '/', runAs: undefined, log, endSignal: 'SIGKILL' },
  });
  await web.waitUntilReady(() => answers(address, options.port), readyTimeoutMs, signal);
  return web;
}

function configuration({ name, address, port, folder }: WebOptions, isRoot: boolean): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `  ${kind}_temp_path ${JSON.stringify(join(folder, `${name}.tmp`))};`,
  );
  return [
    ...(isRoot ? ['user nobody nogroup;'] : ['master_process off;']),
    'daemon off;',
    'worker_processes 1;',
    `pid ${JSON.stringify(join(folder, `${name}.pid`))};`,
    'events { worker_connections 4096; }',
    'http {',
    ...temporary,
    '  access_log off;',
    '  client_max_body_size 1m;',
    '  client_body_buffer_size 1m;',
    '  keepalive_requests 1000000;',
    '  server {',
    `    listen ${address}:${port};`,
    '    default_type text/plain;',
    `    location / { return 200 "${name}\\n"; }`,
    '  }',
    '}',
    '',
  ].join('\n');
}

function answers(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 1_000 });
    socket.once('error', reject);
    socket.once('timeout', () => reject(new Error('no answer within 1 s')));
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}
