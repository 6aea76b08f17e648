// Ctrl-C and the other signals, wherever a command waits. No command fails because its user interrupts it. Each case is a real process,
// with a server that holds back one kind of answer until the signal has been sent.
// needs: processes
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { constants as system } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocketServer } from 'ws';
import { socketCloses } from '../../platform/errors/errors.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { patience } from '../support/machine/patience.ts';
import { stays, type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'tidegate.ts');

type Data = Readonly<Record<string, unknown>>;

/** Data by the name of a document, or messages that the socket sends. */
interface Script {
  readonly answers?: Readonly<Record<string, Data | readonly Data[]>>;
  /** A document or a path that gets no answer. */
  readonly holds?: string;
  /** Messages on a socket: silence at once, an acknowledgement, or changes followed by silence or a close code. */
  readonly socket?: 'SILENT' | 'ACKNOWLEDGED' | 'CHANGES' | number;
}

const change = {
  ...{
    changedAt: '2026-01-31T12:00:00.000Z',
    kind: 'backend.operatingStatus',
    subjectType: 'Backend',
    subjectId: 'b-1',
  },
  ...{ subjectVersion: 1, from: null, to: 'ONLINE', reason: null, requestId: null },
};

/** An endpoint that answers from a script. Documents are checked against the graph elsewhere. */
class HoldingServer {
  readonly #http: Server;
  readonly #sockets = new Set<Socket>();
  readonly #counts = new Map<string, number>();
  /** The requests without an answer, or the messages sent over a socket. */
  readonly reached = new Set<string>();

  private constructor(script: Script) {
    this.#http = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const name = /(?:query|mutation) (\w+)/.exec(Buffer.concat(parts).toString())?.[1] ?? request.url ?? '';
      const count = this.#counts.get(name) ?? 0;
      this.#counts.set(name, count + 1);
      const answers = [script.answers?.[name] ?? []].flat();
      const data = answers[Math.min(count, answers.length - 1)];
      if (name === script.holds && (data === undefined || count >= answers.length)) {
        this.reached.add(name);
        return;
      }
      const body = data === undefined ? { errors: [{ message: `no answer to ${name}` }] } : { data };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      this.reached.add(`answered ${name} ${count + 1}`);
    });
    this.#http.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    const sockets = new WebSocketServer({ server: this.#http, handleProtocols: () => 'graphql-transport-ws' });
    sockets.on('connection', (socket) => {
      socket.on('message', (text: Buffer) => {
        const { type, id } = JSON.parse(text.toString()) as { type: string; id?: string };
        this.reached.add(`socket ${type}`);
        if (type === 'connection_init' && script.socket !== 'SILENT')
          socket.send(JSON.stringify({ type: 'connection_ack' }));
        if (type !== 'subscribe' || script.socket === 'ACKNOWLEDGED') return;
        const statusChanges = { cursor: 'c-7', kind: 'CREATED', change };
        socket.send(JSON.stringify({ type: 'next', id, payload: { data: { statusChanges } } }));
        this.reached.add('socket change');
        if (typeof script.socket === 'number') socket.close(script.socket);
      });
    });
  }

  static async start(script: Script): Promise<HoldingServer> {
    const server = new HoldingServer(script);
    await new Promise<void>((resolve) => server.#http.listen({ host: '127.0.0.1', port: 0 }, resolve));
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number>;
  stdout(): string;
  stderr(): string;
}

const running = new Set<ChildProcess>();

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const { PATH = '', NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }), TIDEGATE_TOKEN: 'tg_x', ...env },
  });
  running.add(child);
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (part: string) => {
      texts[name] += part;
    });
  const ended = new Promise<number>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child);
      // The value of `$?` in a shell.
      resolve(code ?? 128 + (signal === null ? 0 : system.signals[signal]));
    });
  });
  return { child, ended, stdout: () => texts.stdout, stderr: () => texts.stderr };
}

let folder: TemporaryFolder;
let server: HoldingServer | undefined;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, 'password'), 'secret');
  await writeFile(join(folder.path, 'subnets.yaml'), manifest);
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  await server?.stop();
  server = undefined;
});
afterAll(async () => {
  await folder.remove();
});

const manifest = `kind: ProjectSubnet
name: office
cidr: 10.1.0.0/24
`;
const byPassword = ['--user', 'admin', '--password-file', 'password'];
const page = (nodes: readonly unknown[]) => ({ nodes, pageInfo: { hasNextPage: false, endCursor: null } });
const tokensFor = (seconds: number) => ({
  ...{ accessToken: 'a', refreshToken: 'r', userErrors: [] },
  accessTokenExpiresAt: new Date(Date.now() + seconds * 1_000).toISOString(),
});
const login = (seconds: number) => ({ LogIn: { login: tokensFor(seconds) } });
const backend = {
  ...{ id: 'b-1', name: 'fw', version: 1, family: 'FIREWALL', ordinal: 1, driverName: 'd', site: null, host: 'h' },
  ...{ port: 22, enabled: true, operatingStatus: 'UNKNOWN', hostKeySha256: null, certificateSha256: null },
  ...{ presented: null, labels: [], circuit: { state: 'CLOSED', reason: null } },
  queue: { waiting: 0, inFlight: 0, holder: null },
  health: { checkedAt: null, latencyMs: null, softwareVersion: null, message: null },
};

interface Wait extends Script {
  readonly args: readonly string[];
  /** The signal is sent when the server has reached that point. */
  readonly until: string;
  readonly exitCode: number;
  /** Everything on standard error. */
  readonly stderr: string;
  readonly stdout?: string;
}

const cut = { exitCode: 130, stderr: 'tidegate: interrupted\n' };
/** A stream that has no cursor yet. */
const endedStream = { exitCode: 0, stderr: '' };
const afterCursor = { exitCode: 0, stderr: 'tidegate: continue with --after c-7\n' };
const line = '2026-01-31T12:00:00.000Z  backend.operatingStatus  b-1  ONLINE\n';
const follow = ['events', 'follow'];
const update = ['backends', 'update', 'fw', '--site', 'x'];

const waits: Readonly<Record<string, Wait>> = {
  'a login': { args: ['backends', 'list', ...byPassword], holds: 'LogIn', until: 'LogIn', ...cut },
  'the login of a stream': { args: [...follow, ...byPassword], holds: 'LogIn', until: 'LogIn', ...endedStream },
  'the renewal of a token before a request': {
    args: ['backends', 'list', ...byPassword],
    ...{ answers: login(0), holds: 'RefreshLogin', until: 'RefreshLogin', ...cut },
  },
  'the renewal of a token before a subscription': {
    args: [...follow, ...byPassword],
    ...{ answers: login(0), holds: 'RefreshLogin', until: 'RefreshLogin', ...endedStream },
  },
  'the renewal of a token that has expired in a subscription': {
    args: [...follow, '--json', ...byPassword],
    ...{ answers: login(600), socket: socketCloses.accessTokenEnded.code },
    ...{ holds: 'RefreshLogin', until: 'RefreshLogin', ...afterCursor },
  },
  'the renewal of a token that was refused': {
    args: [...follow, '--json', ...byPassword],
    ...{ answers: login(600), socket: socketCloses.forbidden.code },
    ...{ holds: 'RefreshLogin', until: 'RefreshLogin', ...afterCursor },
  },
  'the look-up of a name': {
    ...{ args: ['backends', 'list', '--project', 'p'], holds: 'ProjectNames', until: 'ProjectNames', ...cut },
  },
  'the look-up of a name for a stream': {
    ...{ args: [...follow, '--project', 'p'], holds: 'ProjectNames', until: 'ProjectNames', ...endedStream },
  },
  'the connection of a subscription': {
    ...{ args: follow, socket: 'SILENT', until: 'socket connection_init', ...endedStream },
  },
  'the first change': { args: follow, socket: 'ACKNOWLEDGED', until: 'socket subscribe', ...endedStream },
  'further changes': { args: [...follow, '--json'], socket: 'CHANGES', until: 'socket change', ...afterCursor },
  'the name of a change': {
    ...{
      args: follow,
      socket: 'CHANGES',
      holds: 'SubjectOfRelay',
      until: 'SubjectOfRelay',
      ...afterCursor,
      stdout: line,
    },
  },
  'the names of a list of changes': {
    args: ['events', 'list'],
    answers: { EventsList: { statusHistory: page([change]) } },
    ...{ holds: 'SubjectOfRelay', until: 'SubjectOfRelay', ...cut, stdout: '' },
  },
  'a list': { args: ['backends', 'list'], holds: 'BackendsList', until: 'BackendsList', ...cut },
  'a mutation': {
    args: update,
    answers: { BackendNames: { backend: null, backends: page([{ id: 'b-1', name: 'fw' }]) } },
    ...{ holds: 'BackendsUpdate', until: 'BackendsUpdate', ...cut },
  },
  'the standby': {
    args: [...update, '--wait', '600'],
    answers: {
      BackendNames: { backend: null, backends: page([{ id: 'b-1', name: 'fw' }]) },
      BackendsUpdate: { backendUpdate: { backend, commit: { token: 'c' }, userErrors: [] } },
    },
    ...{ holds: 'CommitReplication', until: 'CommitReplication', ...cut },
  },
  'the pause between two looks at the standby': {
    args: [...update, '--wait', '600'],
    answers: {
      BackendNames: { backend: null, backends: page([{ id: 'b-1', name: 'fw' }]) },
      BackendsUpdate: { backendUpdate: { backend, commit: { token: 'c' }, userErrors: [] } },
      CommitReplication: { commit: { replication: { state: 'PENDING', reason: null } } },
    },
    ...{ until: 'answered CommitReplication 1', ...cut },
  },
  'a step of a file that is applied': {
    args: ['apply', '-f', 'subnets.yaml'],
    answers: { AppliedSubnets: { projectSubnets: page([]) } },
    ...{ holds: 'ApplyProjectSubnetCreate', until: 'ApplyProjectSubnetCreate' },
    ...{ exitCode: 130, stderr: 'tidegate: interrupted: run it again\n' },
  },
  'a verification of several objects': {
    args: ['mappings', 'verify', '--backend', 'b-1'],
    answers: {
      MappingsList: { mappings: page([{ id: 'm-1' }]) },
      BackendNames: { backend: null, backends: page([{ id: 'b-1', name: 'fw' }]) },
    },
    ...{ holds: 'MappingsVerify', until: 'MappingsVerify', ...cut },
  },
  'an export': {
    ...{ args: ['mappings', 'export'], holds: '/export/mappings.ndjson', until: '/export/mappings.ndjson', ...cut },
  },
};

async function begin({ args, until, ...script }: Wait): Promise<Running> {
  server = await HoldingServer.start(script);
  const run = start([...args, '--url', `${server.origin}/graphql`]);
  const { reached } = server;
  let over = false;
  run.ended.then(() => {
    over = true;
  });
  await waitFor(until, () => reached.has(until) || over);
  // A process that has already ended was not interrupted.
  expect([over, run.stderr()]).toEqual([false, '']);
  return run;
}

describe('a signal while a command waits for', () => {
  test.each(Object.entries(waits))('%s', async (_what, wait) => {
    const run = await begin(wait);
    // The process has received the last answer.
    if (/^(answered|socket) /.test(wait.until)) await sleep(150 * patience);
    run.child.kill('SIGINT');
    const ended = [await run.ended, run.stderr()];
    expect(ended).toEqual([wait.exitCode, wait.stderr]);
    if (wait.stdout !== undefined) expect(run.stdout()).toBe(wait.stdout);
  });
});

describe('the other signals', () => {
  test.each(['SIGTERM', 'SIGHUP'] as const)('%s behaves the same', async (signal) => {
    const run = await begin({ args: ['backends', 'list'], holds: 'BackendsList', until: 'BackendsList', ...cut });
    run.child.kill(signal);
    expect([await run.ended, run.stderr()]).toEqual([130, 'tidegate: interrupted\n']);
  });

  test('SIGHUP of a terminal that is gone, when nobody reads the message', async () => {
    const run = await begin({ args: ['backends', 'list'], holds: 'BackendsList', until: 'BackendsList', ...cut });
    run.child.stderr?.destroy();
    run.child.kill('SIGHUP');
    expect(await run.ended).toBe(130);
  });

  test('a second Ctrl-C within a second counts as the same one, because npm passes it on', async () => {
    const run = await begin({
      args: follow,
      socket: 'CHANGES',
      holds: 'SubjectOfRelay',
      until: 'SubjectOfRelay',
      ...afterCursor,
    });
    run.child.kill('SIGINT');
    run.child.kill('SIGINT');
    expect([await run.ended, run.stderr()]).toEqual([afterCursor.exitCode, afterCursor.stderr]);
  });
});

describe('at points where a command does not check the signal', () => {
  /** A database that accepts connections and stays silent. */
  async function silentDatabase(): Promise<{
    readonly env: Record<string, string>;
    connected(): boolean;
    stop(): void;
  }> {
    const sockets: Socket[] = [];
    const database = createTcpServer((socket) => sockets.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => database.listen({ host: '127.0.0.1', port: 0 }, resolve));
    const { port } = database.address() as AddressInfo;
    const stop = () => {
      database.close();
      for (const socket of sockets) socket.destroy();
    };
    const env = {
      ...{ TIDEGATE_DATABASE_HOST: '127.0.0.1', TIDEGATE_DATABASE_PORT: String(port), TIDEGATE_DATABASE_USER: 'x' },
      ...{ TIDEGATE_DATABASE_PASSWORD: 'x', TIDEGATE_DATABASE_NAME: 'x' },
    };
    return { env, connected: () => sockets.length > 0, stop };
  }

  test('a server command ends while it reads a pipe', async () => {
    execFileSync('mkfifo', [join(folder.path, 'pipe')]);
    const run = start(['apply', '-f', 'pipe', '--url', 'http://127.0.0.1:9/graphql']);
    // In this mode a pipe can be opened only while somebody reads it.
    const flags = constants.O_WRONLY | constants.O_NONBLOCK;
    await using writer = await waitFor('a reader', () => open(join(folder.path, 'pipe'), flags).catch(() => undefined));
    run.child.kill('SIGINT');
    expect([await run.ended, run.stderr()]).toEqual([130, 'tidegate: interrupted\n']);
    expect(writer.fd).toBeGreaterThan(0);
  });

  test('a second signal ends any command at once', async () => {
    const database = await silentDatabase();
    try {
      const run = start(['migrate'], database.env);
      await waitFor('its connection', () => database.connected());
      run.child.kill('SIGINT');
      // It finishes the current step. A program that does not do so ends within a second.
      const { child } = run;
      await stays('it runs', 1_100, () => child.exitCode === null && child.signalCode === null);
      run.child.kill('SIGINT');
      expect([await run.ended, run.stderr()]).toEqual([130, '']);
    } finally {
      database.stop();
    }
  });

  test('a command that changes the database ends with 130 when it fails after the signal, and reports the reason', async () => {
    const database = await silentDatabase();
    try {
      const run = start(['migrate'], database.env);
      await waitFor('its connection', () => database.connected());
      run.child.kill('SIGTERM');
      // The signal comes first: it leaves no trace before the end.
      await sleep(100);
      database.stop();
      expect([await run.ended, run.stderr()]).toEqual([
        130,
        expect.stringMatching(/^tidegate: the database can't be reached: [^\n]*\n$/),
      ]);
    } finally {
      database.stop();
    }
  });

  test('a server that is ended while it starts', async () => {
    const database = await silentDatabase();
    try {
      await makeKeys(join(folder.path, 'keys'));
      const keys = { TIDEGATE_KEYS_FOLDER: join(folder.path, 'keys') };
      const run = start(['serve', '--roles', 'system', '--as-root'], { ...database.env, ...keys });
      await waitFor('its connection', () => database.connected());
      run.child.kill('SIGTERM');
      // The signal comes first: it leaves no trace before the end.
      await sleep(100);
      database.stop();
      expect([await run.ended, run.stderr()]).toEqual([0, '']);
    } finally {
      database.stop();
    }
  });

  test('a query to the lab', async () => {
    const path = join(folder.path, 'lab.sock');
    const asked: Socket[] = [];
    const lab = createTcpServer((socket) => socket.on('data', () => asked.push(socket)));
    await new Promise<void>((resolve) => lab.listen({ path }, resolve));
    await mkdir(join(folder.path, '.tidegate', 'lab-parts'), { recursive: true });
    await writeFile(join(folder.path, '.tidegate', 'lab-parts', 'control'), path);
    const run = start(['lab', 'list']);
    await waitFor('the question', () => asked.length > 0);
    run.child.kill('SIGINT');
    expect([await run.ended, run.stderr()]).toEqual([130, 'tidegate: interrupted\n']);
    lab.close();
  });
});
