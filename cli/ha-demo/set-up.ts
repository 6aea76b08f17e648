// Makes a cluster of the three hosts, like a person on three machines: `tidegate up` on the first one, `ha init`, `join` on the others, their agents,
// and the end of `up`.
import { setTimeout as sleep } from 'node:timers/promises';
import { pathExists } from '../../embedded/find-program.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { ServerProcess } from '../../embedded/server-process.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { serveSettingsPath } from '../../ha/host/host-settings.ts';
import type { HaHosts } from '../../lab/ha/hosts.ts';
import { endpointPort, type HostName, prefix } from '../../lab/ha/plan.ts';
import { exitCodes } from '../failures.ts';
import { tidegateWords } from './host-programs.ts';
import { isServing } from './serving.ts';

interface SetUpOptions {
  readonly hosts: HaHosts;
  /** Data folders by host. */
  readonly folders: Readonly<Record<HostName, string>>;
  /** Whether root serves requests. */
  readonly asRoot: boolean;
  readonly log: SetupLog;
  readonly signal: AbortSignal;
}

const readyTimeoutMs = 180_000;
const commandTimeoutMs = 120_000;
const joinTimeoutMs = 60_000;
const pauseMs = 250;
const migrateTries = 20;

/** The agents run then. Throws with the words of the command that failed. */
export async function setUp(options: SetUpOptions): Promise<void> {
  const { hosts, folders } = options;
  const single = await startSingle(options);
  try {
    const { plan } = hosts;
    const begun = await tidegate(options, 'a', [
      ...['ha', 'init', '--name', 'a', '--address', plan.hosts.a, '--vip', `${plan.virtual}/${prefix}`],
      ...['--json', ...local(folders.a)],
    ]);
    const { url, tokens } = JSON.parse(begun) as { url: string; tokens: { data: string; witness: string } };
    await hosts.host('a').begin(['agent']);
    await join(options, 'b', url, [tokens.data]);
    await join(options, 'w', url, [tokens.witness, '--witness']);
    await hosts.host('b').begin(['agent']);
    await hosts.host('w').begin(['agent']);
  } finally {
    await single.stop();
  }
}

/** Upgrades the primary's tables, like a person after an upgrade. A host that becomes primary during the upgrade gets them later. */
export async function upgradeTables(options: Pick<SetUpOptions, 'hosts' | 'folders' | 'signal'>): Promise<void> {
  const { folders, signal } = options;
  for (let tries = migrateTries; ; tries -= 1) {
    try {
      await tidegate(options, 'a', ['migrate', '--config', serveSettingsPath(folders.a)]);
      return;
    } catch (error) {
      if (tries === 0 || signal.aborted) throw error;
      await sleep(pauseMs, undefined, { signal });
    }
  }
}

/** Its units are not installed on this machine. */
function local(folder: string): readonly string[] {
  return ['--no-install', '--data', folder, '--units', `${folder}/units`];
}

/** Makes tables, keys and the first accounts. */
async function startSingle({ hosts, folders, asRoot, log, signal }: SetUpOptions): Promise<ServerProcess> {
  const data = folders.a;
  const address = hosts.plan.hosts.a;
  const more = asRoot ? ['--as-root'] : [];
  const [command = '', ...args] = tidegateWords(
    ...['up', '--no-lab', '--no-install', '--data', data, '--host', address, '--port', String(endpointPort), ...more],
  );
  const single = new ServerProcess({
    ...{ name: 'the single machine', wrapper: hosts.entering('a'), command, args, cwd: '/', runAs: undefined, log },
    env: { NODE_OPTIONS: '--max-semi-space-size=8' },
  });
  await single.waitUntilReady(
    async () => {
      const isReady =
        (await isServing(`http://${address}:${endpointPort}`)) && (await pathExists(`${data}/admin.token`));
      if (!isReady) throw new Error('it is not ready');
    },
    readyTimeoutMs,
    signal,
  );
  return single;
}

/** The first host's agent may not listen yet. */
async function join(options: SetUpOptions, name: HostName, url: string, more: readonly string[]): Promise<void> {
  const { hosts, folders, signal } = options;
  const endsAtMs = performance.now() + joinTimeoutMs;
  const words = [
    ...['join', ...more, '--url', url, '--name', name, '--address', hosts.plan.hosts[name]],
    ...local(folders[name]),
  ];
  for (;;) {
    const mayRepeat = performance.now() < endsAtMs;
    const done = await tidegate(options, name, words, mayRepeat ? [exitCodes.unreachable] : []);
    if (done !== undefined) return;
    await sleep(pauseMs, undefined, { signal });
  }
}

type Where = Pick<SetUpOptions, 'hosts' | 'signal'>;

/** Runs in the host's network and returns the output. Undefined after an exit code that is not counted as a failure. */
function tidegate(options: Where, name: HostName, words: readonly string[]): Promise<string>;
function tidegate(
  options: Where,
  name: HostName,
  words: readonly string[],
  but: readonly number[],
): Promise<string | undefined>;
async function tidegate(
  { hosts, signal }: Where,
  name: HostName,
  words: readonly string[],
  but: readonly number[] = [],
): Promise<string | undefined> {
  const [command = '', ...args] = [...hosts.entering(name), ...tidegateWords(...words)];
  const { exitCode, stdout, stderr } = await runProgram(command, args, { timeoutMs: commandTimeoutMs, signal });
  if (exitCode === 0) return stdout;
  if (exitCode !== null && but.includes(exitCode)) return undefined;
  throw new Error(`"tidegate ${words.slice(0, 2).join(' ')}" on host ${name} failed: ${stderr.trim()}`);
}
