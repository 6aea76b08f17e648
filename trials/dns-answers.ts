// `npm run trials -- dns-answers`: the trial of the name server from outside. It judges answers to damaged packets by an independent
// oracle, and covers slow clients, signatures checked by delv, and explanations compared with dig's answers.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnswererStats } from '../dns/answerer/answerer.ts';
import { type Explained, explain } from '../dns/policy/answer.ts';
import { clientAddress, prepareClientMap } from '../dns/policy/client.ts';
import type { ZonePlan } from '../dns/policy/plan.ts';
import { type PreparedName, prepareName } from '../dns/policy/prepare.ts';
import { Child } from '../measure/child.ts';
import { madeUpPlaces as geo } from '../measure/made-up-places.ts';
import type { Order } from '../measure/name-server.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { delv, dig, inLanes } from './dns-answers/asked-programs.ts';
import { replyFault } from './dns-answers/judge-reply.ts';
import { Lane } from './dns-answers/lane.ts';
import { mutated, randomQuestion } from './dns-answers/mutations.ts';
import { slowClients } from './dns-answers/slow-clients.ts';
import { drawn, knownNames, worldPlan, zone } from './dns-answers/world.ts';
import { type Random, seededRandom } from './random.ts';
import { folderOption } from './trial-options.ts';

interface DnsAnswersOptions extends Required<TrialRun> {
  readonly packets: number;
  /** Number of signed answers, and of explanations. */
  readonly answers: number;
  readonly folder: string;
}

interface DnsAnswersResult {
  readonly packets: number;
  readonly crashes: number;
  /** Answers that differ from the oracle's, are missing, or must not exist. Also slow clients that are not disconnected or that block others. */
  readonly wrongReplies: number;
  /** Signed answers that delv does not validate. */
  readonly bogus: number;
  readonly explainMismatches: number;
  readonly answers: number;
  readonly findings: readonly string[];
}

export const trialDnsAnswers = defineTrial({
  counts: {
    packets: { help: 'damaged packets', usual: 100_000, full: 1_000_000 },
    answers: { help: 'signed answers and denials, and as many explanations', usual: 1_000, full: 10_000 },
  },
  options: { folder: folderOption('the trust anchors of delv') },
  run: runDnsAnswers,
  mustBeZero: ['crashes', 'wrongReplies', 'bogus', 'explainMismatches'],
});

const policies = 200;
const lanes = 8;
const programsAtOnce = 4;
const mostFindings = 20;
const serverFile = new URL('../measure/name-server.ts', import.meta.url);

export async function runDnsAnswers(options: DnsAnswersOptions): Promise<DnsAnswersResult> {
  const { seed, packets, answers, folder, timeIsUp, progress, signal } = options;
  const random = seededRandom(seed);
  const plan = worldPlan(random, policies);
  const figures = { packets: 0, crashes: 0, wrongReplies: 0, bogus: 0, explainMismatches: 0, answers: 0 };
  const findings: string[] = [];
  const found = (kind: Exclude<keyof typeof figures, 'packets' | 'answers'>, what: string) => {
    figures[kind] += 1;
    if (findings.length < mostFindings) findings.push(`${kind}: ${what}`);
  };
  const server = new Child(serverFile);
  const ask = <Reply>(order: Order) => server.ask<Reply>(order, 30_000);
  try {
    const port = await ask<number>({ start: plan, draw: drawn });
    const isThere = () => ask<AnswererStats>({ stats: true });

    const open = await Promise.all(Array.from({ length: lanes }, () => Lane.open(port)));
    await inLanes(packets, lanes, async (lane) => {
      if (figures.crashes > 0 || timeIsUp()) return;
      signal.throwIfAborted();
      const packet = mutated(randomQuestion(random), random);
      const replies = await (open[lane] as Lane).repliesTo(packet);
      figures.packets += 1;
      const fault = replies === undefined ? 'the server is silent' : replyFault(packet, replies);
      if (fault !== undefined) found('wrongReplies', `${fault}: ${packet.toString('hex').slice(0, 400)}`);
      if (replies === undefined) await isThere().catch((error: Error) => found('crashes', error.message));
      if (figures.packets % 20_000 === 0) progress(`${figures.packets} packets, ${figures.wrongReplies} wrong`);
    });
    for (const lane of open) lane.close();

    progress('slow clients');
    const { faults } = await slowClients(port, async () => (await isThere()).connections);
    for (const fault of faults) found('wrongReplies', fault);

    progress('signatures');
    const prepared = preparedNames(plan);
    const anchors = join(folder, 'anchors');
    const lines = plan.keys.map(({ flags, publicKey }) => `"${zone}" static-key ${flags} 3 13 "${publicKey}";`);
    await writeFile(anchors, `trust-anchors {\n${lines.join('\n')}\n};\n`);
    await inLanes(answers, programsAtOnce, async () => {
      if (timeIsUp()) return;
      signal.throwIfAborted();
      const [name, type] = signedQuestion(prepared, random);
      const said = await delv(port, anchors, zone, name, type);
      figures.answers += 1;
      if (!said.includes('fully validated')) found('bogus', `${name} ${type}: ${said}`);
    });

    progress('explained');
    await inLanes(answers, programsAtOnce, async () => {
      if (timeIsUp()) return;
      signal.throwIfAborted();
      const name = random.pick(prepared);
      const type = random.pick(['A', 'AAAA', 'TXT']);
      const [address, bits] = randomSubnet(random);
      const expected = explain(name, { type, client: clientAddress(address, bits), draw: () => drawn, geo });
      const dug = await dig(port, name.plan.fqdn, type, `${address}/${bits}`);
      const fault = explainFault(expected, dug);
      if (fault !== undefined) found('explainMismatches', `${name.plan.fqdn} ${type} ${address}/${bits}: ${fault}`);
    });
    await isThere().catch((error: Error) => found('crashes', error.message));
  } finally {
    await server.stop();
  }
  return { ...figures, findings };
}

function signedQuestion(prepared: readonly PreparedName[], random: Random): readonly [name: string, type: string] {
  const ofPolicy = random.next() < 0.4 ? signedPolicy(prepared, random) : undefined;
  if (ofPolicy !== undefined) return ofPolicy;
  const label = random.pick([
    ...Object.keys(knownNames).filter((each) => each !== 'alias'),
    ...[`n${random.integer(0, 1e6)}`, `x${random.integer(0, 1e6)}.wild`, `y.${random.integer(0, 99)}.here.wild`],
  ]);
  if (random.next() < 0.1) return [zone, random.pick(['SOA', 'NS', 'DNSKEY', 'A', 'MX'])];
  return [`${label}.${zone}`, random.pick(['A', 'A', 'AAAA', 'TXT'])];
}

/** Undefined if the policy wants SERVFAIL, which has no signature. Queries the CNAME itself, because its target is not ours. */
function signedPolicy(
  prepared: readonly PreparedName[],
  random: Random,
): readonly [name: string, type: string] | undefined {
  const name = random.pick(prepared);
  const type = random.pick(['A', 'A', 'AAAA', 'TXT']);
  // delv sends no client subnet, so it queries as a client of this address.
  const client = clientAddress('127.0.0.1');
  const { outcome, records } = explain(name, { type, client, draw: () => drawn, geo });
  if (outcome === 'SERVFAIL') return undefined;
  return [name.plan.fqdn, records[0]?.type === 'CNAME' ? 'CNAME' : type];
}

function preparedNames(plan: ZonePlan): readonly PreparedName[] {
  const maps = new Map(plan.clientMaps.map((map) => [map.mapId, prepareClientMap(map)]));
  return plan.names.map((name) => prepareName(name, maps)).filter(({ plan: { fqdn } }) => /^p\d/.test(fqdn));
}

function randomSubnet(random: Random): readonly [address: string, bits: number] {
  if (random.next() < 0.3) return [`2001:db8:${random.pick(['a', 'b', 'c'])}::`, random.integer(48, 64)];
  return [`10.${random.integer(0, 5)}.${16 * random.integer(0, 3)}.0`, random.integer(20, 24)];
}

function explainFault(expected: Explained, dug: Awaited<ReturnType<typeof dig>>): string | undefined {
  const status = expected.outcome === 'SERVFAIL' ? 'SERVFAIL' : 'NOERROR';
  const records = [...new Set(expected.records.map(({ type, data }) => `${type} ${data}`))].toSorted();
  const ttlSeconds = records.length === 0 ? undefined : expected.ttlSeconds;
  const scopeBits = status === 'SERVFAIL' ? dug.scopeBits : expected.scopeBits;
  const wanted = JSON.stringify({ status, records, ttlSeconds, scopeBits });
  const got = JSON.stringify(dug);
  return wanted === got ? undefined : `explained ${wanted}, answered ${got}`;
}
