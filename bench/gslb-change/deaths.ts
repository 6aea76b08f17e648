// Endpoints die, at random moments between their checks. Measures the time until our name servers answer without them and, in turn, until
// the minimal prober does. All other answers are checked continuously.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CommandChild } from '../../measure/command-child.ts';
import { freePort } from '../../tests/support/machine/free-port.ts';
import { Site } from '../../trials/gslb-outage/site.ts';
import type { ProberOptions } from './bare-prober.ts';

interface DeathsOptions {
  /** Number of each. */
  readonly deaths: number;
  readonly delayMs: number;
  readonly vantagePoints: readonly string[];
  readonly signal: AbortSignal;
}

interface DeathFigures {
  readonly changesMs: readonly number[];
  readonly floorsMs: readonly number[];
  /** Answers that lack a live endpoint, or contain one that had already left that server's answers and had not returned. */
  readonly wrongAnswers: number;
}

const script = fileURLToPath(new URL('./bare-prober.ts', import.meta.url));
const ours = ['ns1', 'ns2'];
const bare = 'bare';
const lookMs = 2;
const mostMs = 120_000;
const quietMs = 300;

export async function deathsOf(options: DeathsOptions): Promise<DeathFigures> {
  const { deaths, delayMs, vantagePoints, signal } = options;
  await using stack = new AsyncDisposableStack();
  let wrongAnswers = 0;
  let steady = '';
  let victim = '';
  /** Servers whose answers no longer contain it. */
  const left = new Set<string>();
  const site = stack.adopt(
    await Site.open({
      ...{ endpoints: 2, conductors: 1, workers: 1, nameServers: ours.length, checkers: 1, vantagePoints, delayMs },
      ...{ answerMs: mostMs, found: () => undefined },
      seen: (name, { addresses }) => {
        if (steady === '' || name === site.powerdnsName) return;
        if (!addresses.includes(steady) || (left.has(name) && addresses.includes(victim))) wrongAnswers += 1;
      },
    }),
    (each) => each.close(),
  );
  const folder = await mkdtemp(join(tmpdir(), 'gslb-change-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const dnsPort = await freePort();
  const [first, second] = site.endpoints;
  if (first === undefined || second === undefined) throw new Error('there are no endpoints');
  const addresses = [first.address, second.address];
  const program: ProberOptions = { addresses, port: first.port, delayMs, dnsPort };
  const prober = stack.adopt(new CommandChild({ script, file: join(folder, 'prober.json'), program }), (each) =>
    each.kill(),
  );
  await prober.start();
  await site.outside.add({ name: bare, port: dnsPort, fqdn: 'shop.gslb.test' });
  const has = (name: string, address: string) => site.outside.last(name)?.addresses.includes(address) === true;
  const until = async (what: string, is: () => boolean) => {
    const fromMs = performance.now();
    while (!is()) {
      if (performance.now() - fromMs > mostMs) throw new Error(`${what}: not within ${mostMs} ms`);
      await sleep(lookMs, undefined, { signal });
    }
  };
  const all = [...ours, bare];
  await until('all to be answered', () => all.every((name) => addresses.every((each) => has(name, each))));
  [steady, victim] = [first.address, second.address];
  const [changesMs, floorsMs]: [number[], number[]] = [[], []];
  for (let death = 0; death < 2 * deaths; death += 1) {
    await sleep(quietMs + Math.random() * delayMs, undefined, { signal });
    const fromMs = performance.now();
    const gone = second.die();
    const gones = async (names: readonly string[]) => {
      await until('it to leave the answers', () => {
        for (const name of names) if (!has(name, victim)) left.add(name);
        return names.every((name) => left.has(name));
      });
      return performance.now() - fromMs;
    };
    const [, changeMs, floorMs] = await Promise.all([gone, gones(ours), gones([bare])]);
    if (death % 2 === 0) changesMs.push(changeMs);
    else floorsMs.push(floorMs);
    await sleep(quietMs, undefined, { signal });
    left.clear();
    await second.start();
    await until('it to come back', () => all.every((name) => has(name, victim)));
  }
  return { changesMs, floorsMs, wrongAnswers: wrongAnswers + site.outside.emptyAnswers };
}
