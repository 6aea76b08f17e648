// Compares the wanted state of the trial with the actual state, inspected from outside during a quiet period: HAProxy's runtime socket, its
// file on disk, and its certificates as a client gets them.
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import type { ListenerState, PoolState } from './model.ts';

export interface Wanted {
  readonly pools: readonly PoolState[];
  readonly listeners: readonly ListenerState[];
  /** By the number of the server. */
  readonly ports: readonly number[];
  readonly nowMs: number;
}

export interface Seen {
  /** `show servers state` and `show info`. */
  readonly states: string;
  readonly info: string;
  readonly configuration: string;
  /** How many times HAProxy was reloaded since its start. */
  readonly reloads: number;
  /** By listener id: the certificate in HAProxy's memory, and the one on its disk. */
  readonly allowed: ReadonlyMap<string, readonly [runtime: string, disk: string]>;
}

/** Reads a node's folder as an administrator would. */
export async function lookAt(folder: string, listeners: readonly ListenerState[]): Promise<Seen> {
  const socket = join(folder, 'run.sock');
  const allowed = new Map<string, readonly [string, string]>();
  for (const { id } of listeners) {
    const path = join(folder, 'files', `allowed-${id}`);
    const disk = await readFile(path, 'utf8').catch(() => '');
    allowed.set(id, [await command(socket, `show acl ${path}`), disk]);
  }
  const [states, info] = [await command(socket, 'show servers state'), await command(socket, 'show info')];
  // The master's socket stays open after a command.
  const processes = await command(join(folder, 'master.sock'), 'show proc;quit');
  const reloads = Number(/^\d+\s+master\s+(\d+)/m.exec(processes)?.[1] ?? 0);
  return { states, info, configuration: await readFile(join(folder, 'haproxy.cfg'), 'utf8'), reloads, allowed };
}

/** `BACKEND/SERVER` for each server that a node considers healthy. */
export async function healthyServers(folder: string): Promise<ReadonlySet<string>> {
  const rows = rowsOf(await command(join(folder, 'run.sock'), 'show servers state'));
  const healthy = rows.filter((cell) => cell('srv_op_state') !== '0' && cell('srv_admin_state') === '0');
  return new Set(healthy.map((cell) => `${cell('be_name')}/${cell('srv_name')}`));
}

/** Descriptions of the differences. */
export function driftOf(wanted: Wanted, seen: Seen): readonly string[] {
  const should = serversOf(wanted);
  return [
    ...differences('in HAProxy', should, statesIn(seen.states)),
    ...differences('on disk', withoutDrain(should), withoutDrain(serversIn(seen.configuration))),
    ...structureFaults(seen),
    ...listenerFaults(wanted, seen.configuration),
    ...wanted.listeners.flatMap((listener) => allowedFaults(listener, seen)),
  ];
}

/** `BACKEND/SERVER` → its state. */
type Servers = ReadonlyMap<string, string>;

function serversOf({ pools, ports, nowMs }: Wanted): Servers {
  const all = pools.flatMap(({ id, members }) =>
    [...members.values()].map((member) => {
      const { drainUntil, enabled, weight, server } = member;
      const isOver = drainUntil !== undefined && drainUntil.getTime() <= nowMs;
      const admin = !enabled || isOver ? 'MAINT' : drainUntil === undefined ? 'READY' : 'DRAIN';
      return [`p_${id}/m_${member.id}`, `127.0.0.1:${ports[server]} weight ${weight} ${admin}`] as const;
    }),
  );
  return new Map(all);
}

/** The file can't express that a server is drained. */
function withoutDrain(servers: Servers): Servers {
  return new Map([...servers].map(([name, told]) => [name, told.replace('DRAIN', 'READY')]));
}

/** HAProxy 2.6, management guide, `show servers state`: columns by name. */
function rowsOf(text: string): readonly ((column: string) => string)[] {
  const lines = text.split('\n');
  const columns = (lines.find((line) => line.startsWith('# ')) ?? '').slice(2).split(' ');
  return lines
    .filter((line) => /^\d+ \S+ \d/.test(line))
    .map((line) => {
      const cells = line.split(' ');
      return (column) => cells[columns.indexOf(column)] ?? '';
    });
}

function statesIn(text: string): Servers {
  const servers = rowsOf(text).map((cell) => {
    const admin = Number(cell('srv_admin_state'));
    // 0x04 stays set if the file had `disabled`, even after changes.
    const word = (admin & 0x01) !== 0 ? 'MAINT' : (admin & 0x08) !== 0 ? 'DRAIN' : 'READY';
    const told = `${cell('srv_addr')}:${cell('srv_port')} weight ${cell('srv_uweight')} ${word}`;
    return [`${cell('be_name')}/${cell('srv_name')}`, told] as const;
  });
  // The servers for failing open stand for the same members.
  return new Map(servers.filter(([name]) => name.startsWith('p_')));
}

function serversIn(configuration: string): Servers {
  const found = new Map<string, string>();
  let backend = '';
  for (const line of configuration.split('\n')) {
    const [, section] = /^(?:backend) (p_\S+)/.exec(line) ?? [];
    if (/^\S/.test(line)) backend = section ?? '';
    const [, name, place, rest = ''] = /^\s+server (\S+) (\S+)(.*)$/.exec(line) ?? [];
    if (backend === '' || name === undefined) continue;
    const weight = /\bweight (\d+)/.exec(rest)?.[1] ?? '1';
    const isOff = / disabled(?= |$)/.test(rest);
    found.set(`${backend}/${name}`, `${place} weight ${weight} ${isOff ? 'MAINT' : 'READY'}`);
  }
  return found;
}

function differences(where: string, should: Servers, is: Servers): string[] {
  const names = new Set([...should.keys(), ...is.keys()]);
  return [...names]
    .filter((name) => should.get(name) !== is.get(name))
    .map((name) => `${name} is ${is.get(name) ?? 'missing'} ${where}, not ${should.get(name) ?? 'there'}`);
}

/** The running configuration identifies itself. */
function structureFaults({ info, configuration }: Seen): string[] {
  const running = /^description: (\S+)$/m.exec(info)?.[1];
  const written = /^\s+description (\S+)$/m.exec(configuration)?.[1];
  return running === written && running !== undefined ? [] : [`${running} runs, ${written} is on disk`];
}

function listenerFaults({ listeners }: Wanted, configuration: string): string[] {
  const found = new Map(
    [...configuration.matchAll(/^frontend l_(\S+)\n\s+bind \S+:(\d+)/gm)].map(([, id, port]) => [
      id ?? '',
      Number(port),
    ]),
  );
  const missing = listeners
    .filter(({ id, port }) => found.get(id) !== port)
    .map(({ id }) => `listener ${id} is not on disk`);
  const gone = [...found.keys()].filter((id) => !listeners.some((each) => each.id === id));
  return [...missing, ...gone.map((id) => `listener ${id} is on disk, and not wanted`)];
}

function allowedFaults({ id, allowed }: ListenerState, seen: Seen): string[] {
  const should = (allowed.length === 0 ? ['0.0.0.0/0', '::/0'] : allowed).map(withoutLength).sort().join(' ');
  const [runtime = '', disk = ''] = seen.allowed.get(id) ?? [];
  return [['in HAProxy', runtime.replaceAll(/^0x\S+ /gm, '')] as const, ['on disk', disk] as const].flatMap(
    ([where, text]) => {
      const is = text
        .split('\n')
        .filter((line) => line !== '')
        .map(withoutLength)
        .sort()
        .join(' ');
      return is === should ? [] : [`listener ${id} allows ${is} ${where}, not ${should}`];
    },
  );
}

/** A block with one address may be written without its length. */
function withoutLength(block: string): string {
  return block.replace(/\/32$/, '');
}

/** Faults if a listener accepts clients while disabled, or refuses them while enabled. */
export async function lockedOut(address: string, { port, enabled }: ListenerState): Promise<readonly string[]> {
  if ((await accepts(address, port)) === enabled) return [];
  return [`${address}:${port} is ${enabled ? 'enabled, and refuses' : 'disabled, and accepts'} clients`];
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => socket.destroy());
    socket.on('error', () => resolve(false)).on('close', () => resolve(true));
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer in time')));
  });
}

/** Names that get a certificate other than the wanted one. */
export async function certificateDrift(address: string, { port, names }: ListenerState): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const [name, timeline] of names) {
    const is = await certificateOf(address, port, name);
    if (is !== timeline.now)
      faults.push(`${address}:${port} has ${is.slice(0, 12)} for ${name}, not ${timeline.now.slice(0, 12)}`);
  }
  return faults;
}

function certificateOf(host: string, port: number, servername: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = tlsConnect({ host, port, servername, rejectUnauthorized: false }, () => {
      const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? '';
      socket.destroy();
      resolve(fingerprint.replaceAll(':', '').toLowerCase());
    });
    socket.on('error', (error) => resolve(error.message)).on('close', () => resolve('it was closed'));
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer in time')));
  });
}

function command(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(`${text}\n`));
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk) => (answer += chunk));
    socket.setTimeout(5_000, () => socket.destroy(new Error(`no answer to ${text}`)));
    socket.on('error', reject).on('close', () => resolve(answer.trim()));
  });
}
