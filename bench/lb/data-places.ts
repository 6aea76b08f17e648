// The processes of the benchmark of a node's data plane: members, the node, a minimal HAProxy, and nginx as a proxy. All have one thread
// and a separate session, like services. The kernel schedules by session, and a process that waits for its clients handles more events at
// once, with a fifth less CPU per request. The node's HAProxy is a daemon, so it has a session already.
// needs: haproxy, nginx-light, hey

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import { readSpec } from '../../platform/graph/described/spec.ts';
import { makeCertificate } from '../../platform/net/certificates.ts';
import { newUuid } from '../../platform/values/ids.ts';
import type { JsonObject } from '../../platform/values/json.ts';
import { plainCell } from '../../subgraphs/loadbalancer/agents/lbhost/confinement/cell.ts';
import { Haproxy } from '../../subgraphs/loadbalancer/agents/lbhost/haproxy/haproxy.ts';
import { LogReader } from '../../subgraphs/loadbalancer/agents/lbhost/haproxy/log-reader.ts';
import type { HaproxyModel } from '../../subgraphs/loadbalancer/rules/haproxy/model.ts';
import { renderNode } from '../../subgraphs/loadbalancer/rules/haproxy/render.ts';
import type { PartName } from '../../subgraphs/loadbalancer/spec/part-kind.ts';
import { partKinds } from '../../subgraphs/loadbalancer/spec/parts.ts';
import type { WantedNode, WantedPart } from '../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { freePort } from '../../tests/support/machine/free-port.ts';

const run = promisify(execFile);

export interface Place {
  /** The process that handles requests. */
  readonly pid: () => Promise<number>;
  /** Ports by protocol. */
  readonly ports: Readonly<Partial<Record<Lane, number>>>;
}

export type Lane = 'http' | 'tls' | 'tcp' | 'logged';

export function partOf(kind: PartName, parentId: string, given: JsonObject): WantedPart {
  const read = readSpec(partKinds[kind], given);
  if (!read.ok) throw new Error(`${kind}: ${JSON.stringify(read.faults)}`);
  return { id: newUuid(), kind, parentId, spec: read.spec, drainUntil: null };
}

/** Web servers that answer at once. Returns their port. The two members are two names of it. */
export async function startMembers(stack: AsyncDisposableStack, folder: string): Promise<number> {
  const port = await freePort();
  const server = `server { listen 127.0.0.1:${port}; listen 127.0.0.2:${port}; location / { return 200 "hello"; } }`;
  await startNginx(stack, join(folder, 'members'), server);
  return port;
}

/** A typical load balancer: checks, persistence, three rules, headers, and 1 % of requests logged. */
export async function startNode(
  stack: AsyncDisposableStack,
  folder: string,
  memberPort: number,
): Promise<Place & { readonly haproxy: Haproxy; readonly model: () => HaproxyModel; wanted: WantedNode }> {
  const own = join(folder, 'node');
  const balancer = newUuid();
  const { cert, key } = await makeCertificate({ commonName: 'bench', names: ['bench.test'] });
  const certificate = { id: newUuid(), version: 1, pem: `${cert}${key}` };
  const pool = partOf('Pool', balancer, { memberProtocol: 'HTTP', persistence: { type: 'HTTP_COOKIE' } });
  const streams = partOf('Pool', balancer, { memberProtocol: 'TCP' });
  const members = [pool, streams].flatMap(({ id }) =>
    ['127.0.0.1', '127.0.0.2'].map((host) => partOf('PoolMember', id, { host, port: memberPort })),
  );
  const ports = { http: await freePort(), tls: await freePort(), tcp: await freePort(), logged: await freePort() };
  const insertHeaders = ['X_FORWARDED_FOR', 'X_FORWARDED_PORT', 'X_FORWARDED_PROTO'];
  const http = { protocol: 'HTTP', defaultPool: pool.id, insertHeaders };
  const listeners = [
    partOf('Listener', balancer, { ...http, port: ports.http }),
    partOf('Listener', balancer, { ...http, port: ports.logged, accessLogPercent: 100 }),
    partOf('Listener', balancer, {
      ...http,
      protocol: 'TERMINATED_HTTPS',
      port: ports.tls,
      certificates: [certificate.id],
    }),
    partOf('Listener', balancer, { protocol: 'TCP', defaultPool: streams.id, port: ports.tcp }),
  ];
  const rules: readonly JsonObject[] = [
    { ruleType: 'PATH', compareType: 'STARTS_WITH', value: '/admin' },
    { ruleType: 'HOST_NAME', compareType: 'EQUAL_TO', value: 'old.example' },
    { ruleType: 'HEADER', compareType: 'CONTAINS', key: 'User-Agent', value: 'BadBot' },
  ];
  const policies = listeners.slice(0, 3).flatMap(({ id }) =>
    rules.flatMap((rule) => {
      const policy = partOf('L7Policy', id, { action: 'REJECT' });
      return [policy, partOf('L7Rule', policy.id, rule)];
    }),
  );
  const monitors = [
    partOf('PoolHealthMonitor', pool.id, { monitorType: 'HTTP' }),
    partOf('PoolHealthMonitor', streams.id, { monitorType: 'TCP' }),
  ];
  const wanted: WantedNode = {
    history: newUuid(),
    ...{ id: newUuid(), name: 'bench-1', generation: 1, state: 'RUN', subnet: null, floating: null, cookieKey: 'key' },
    loadBalancer: { id: balancer, name: 'bench', generation: 1 },
    ...{ address: '127.0.0.1', managementAddress: '127.0.0.1', size: { connections: 2_000, threads: 1 } },
    ...{ parts: [pool, streams, ...members, ...monitors, ...listeners, ...policies], certificates: [certificate] },
  };
  const haproxy = new Haproxy({
    program: '/usr/sbin/haproxy',
    folder: own,
    cell: () => plainCell(own),
    reloadPauseMs: 0,
  });
  const runtimeSocket = join(own, 'run.sock');
  const healthPort = await freePort();
  const place = {
    ...{ haproxy, ports, wanted },
    model: () =>
      renderNode(place.wanted, {
        ...{ folder: own, runtimeSocket, healthPort, incarnation: wanted.id, now: Date.now(), uid: null },
        addressesOf: () => [],
      }),
    pid: async () => Number(/^Pid: (\d+)$/m.exec(await haproxy.runtime.ask('show info'))?.[1]),
  };
  stack.defer(() => haproxy.stop());
  await haproxy.start(place.model());
  await haproxy.settled();
  const lines = new LogReader({ path: runtimeSocket, transition: () => undefined, access: () => undefined });
  lines.start();
  stack.defer(() => lines.stop());
  return place;
}

/** As a person would write it for passing on requests and nothing else. */
export async function startFloor(stack: AsyncDisposableStack, folder: string, memberPort: number): Promise<Place> {
  const own = join(folder, 'floor');
  await mkdir(own, { recursive: true });
  const { cert, key } = await makeCertificate({ commonName: 'bench', names: ['bench.test'] });
  await writeFile(join(own, 'pem'), `${cert}${key}`, { mode: 0o600 });
  const ports = { http: await freePort(), tls: await freePort(), tcp: await freePort() };
  const servers = ['127.0.0.1', '127.0.0.2'].map((host, at) => `  server s${at} ${host}:${memberPort}\n`).join('');
  await writeFile(
    join(own, 'haproxy.cfg'),
    `global\n  maxconn 2000\n  nbthread 1\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 50s\n  timeout server 50s\n` +
      `frontend http\n  bind 127.0.0.1:${ports.http}\n  bind 127.0.0.1:${ports.tls} ssl crt ${join(own, 'pem')} alpn h2,http/1.1\n  default_backend web\n` +
      `backend web\n${servers}` +
      `frontend tcp\n  mode tcp\n  bind 127.0.0.1:${ports.tcp}\n  default_backend streams\n` +
      `backend streams\n  mode tcp\n${servers}`,
  );
  const child = spawn(...endingWithParent('/usr/sbin/haproxy', ['-f', join(own, 'haproxy.cfg')]), {
    stdio: 'ignore',
    detached: true,
  });
  stack.defer(() => ended(child));
  await sleep(500);
  return { ports, pid: async () => child.pid ?? 0 };
}

export async function startNginxProxy(stack: AsyncDisposableStack, folder: string, memberPort: number): Promise<Place> {
  const port = await freePort();
  const text =
    `upstream web { server 127.0.0.1:${memberPort}; server 127.0.0.2:${memberPort}; keepalive 64; }\n` +
    `server { listen 127.0.0.1:${port}; location / { proxy_pass http://web; proxy_http_version 1.1; proxy_set_header Connection ""; } }`;
  const child = await startNginx(stack, join(folder, 'nginx'), text);
  const pid = async () => {
    const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
    return Number(children.trim().split(' ')[0]);
  };
  return { ports: { http: port }, pid };
}

async function startNginx(stack: AsyncDisposableStack, folder: string, text: string): Promise<ChildProcess> {
  await mkdir(folder, { recursive: true });
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;\nevents { worker_connections 4096; }\n` +
      `http { access_log off; keepalive_requests 1000000; ${places.join(' ')}\n${text} }\n`,
  );
  const child = spawn(...endingWithParent('/usr/sbin/nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder]), {
    stdio: 'ignore',
    detached: true,
  });
  stack.defer(() => ended(child));
  await sleep(500);
  return child;
}

/** The number of answers with 200 within this many seconds at full speed. */
export async function load(url: string, seconds: number, clients: number): Promise<number> {
  const { stdout } = await run('hey', ['-z', `${seconds}s`, '-c', String(clients), '-cpus', '1', url]);
  const found = /\[200\]\s+(\d+) responses/.exec(stdout);
  if (found === null) throw new Error(`no answers from ${url}: ${stdout.slice(-300)}`);
  return Number(found[1]);
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
