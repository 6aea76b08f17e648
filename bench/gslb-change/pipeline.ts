// Measures the time from the last vote for a verdict, when its checker sends it, to the answer of all name servers. In turn, it measures
// the time from a projectUpdate to its event at a client of the system of `npm start`.
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { AllInOneSystem } from '../../measure/all-in-one.ts';
import { GraphClient, type MutationAnswer, notRefused } from '../../measure/graph-client.ts';
import { ScriptedChecker } from '../../tests/subgraphs/gslb/support/scripted-checker.ts';
import { waitFor } from '../../tests/support/machine/temporary-folder.ts';
import { Site } from '../../trials/gslb-outage/site.ts';

interface PipelineFigures {
  readonly answersMs: readonly number[];
  readonly eventsMs: readonly number[];
}

const vantagePoints = ['eu', 'us', 'ap'];
const ours = ['ns1', 'ns2'];
const askMs = 2;
const quietMs = 30;

export async function pipeline(turns: number, signal: AbortSignal): Promise<PipelineFigures> {
  await using stack = new AsyncDisposableStack();
  const site = stack.adopt(
    await Site.open({
      ...{ endpoints: 2, conductors: 1, workers: 1, nameServers: ours.length, checkers: 0, vantagePoints },
      ...{ answerMs: 120_000, found: () => undefined, askMs },
    }),
    (each) => each.close(),
  );
  const checkers: ScriptedChecker[] = [];
  for (const name of vantagePoints) {
    const machine = await site.machine('checker', `checker-${name}`, name);
    const checker = new ScriptedChecker(machine, name, site.checkerPorts[0] ?? 0);
    checker.start();
    stack.defer(() => checker.stop());
    checkers.push(checker);
  }
  await site.untilRight();
  const changeProject = await projectChanges(stack);
  const [first, last] = checkers;
  const [, memberId = ''] = site.memberIds;
  const [, endpoint] = site.endpoints;
  if (first === undefined || last === undefined || endpoint === undefined) throw new Error('there is no checker');
  const [answersMs, eventsMs]: [number[], number[]] = [[], []];
  const isAnswered = (name: string) => site.outside.last(name)?.addresses.includes(endpoint.address) === true;
  const vote = async (verdict: 'UP' | 'DOWN') => {
    const [other] = checkers.filter((each) => each !== first && each !== last);
    for (const checker of [first, other])
      checker?.see(memberId, verdict === 'UP' ? 'UP' : checker === first ? 'DOWN' : 'UP');
    await waitFor('the first vote', () => checkers.every((checker) => checker.isHeard));
    const fromMs = performance.now();
    last.see(memberId, verdict);
    await waitForTurn(() => ours.every((name) => isAnswered(name) === (verdict === 'UP')), signal);
    answersMs.push(performance.now() - fromMs);
    await waitFor('it to be heard', () => checkers.every((checker) => checker.isHeard));
  };
  for (let turn = 0; turn < turns; turn += 1) {
    await vote('DOWN');
    await sleep(quietMs, undefined, { signal });
    eventsMs.push(await changeProject());
    await sleep(quietMs, undefined, { signal });
    // One of three still reports UP, so the first of the others that reports UP again casts the deciding vote.
    last.see(memberId, 'UP');
    await waitForTurn(() => ours.every(isAnswered), signal);
    first.see(memberId, 'UP');
    await waitFor('all to be heard', () => checkers.every((checker) => checker.isHeard));
    await sleep(quietMs, undefined, { signal });
  }
  return { answersMs, eventsMs };
}

async function waitForTurn(is: () => boolean, signal: AbortSignal): Promise<void> {
  while (!is()) await sleep(1, undefined, { signal });
}

/** Returns a function that changes a project and returns the milliseconds until the event reached a client. */
async function projectChanges(stack: AsyncDisposableStack): Promise<() => Promise<number>> {
  const system = await AllInOneSystem.start(stack, { withLab: false });
  const { url, adminPassword } = system.started;
  const client = stack.adopt(new GraphClient(url, 1), (each) => each.close());
  const codes = 'userErrors { code message }';
  type Answer<Rest> = { readonly done: MutationAnswer & Rest };
  const login = await client.ask<Answer<{ readonly accessToken: string }>>(
    `mutation ($input: LoginInput!) { done: login(input: $input) { accessToken ${codes} } }`,
    { input: { name: 'admin', password: adminPassword } },
  );
  const { accessToken } = notRefused(login.done);
  const made = await client.ask<Answer<{ readonly project: { readonly id: string } }>>(
    `mutation ($input: ProjectCreateInput!) { done: projectCreate(input: $input) { project { id } ${codes} } }`,
    { input: { name: 'bench' } },
    accessToken,
  );
  const { id } = notRefused(made.done).project;
  const events = createClient({
    url: Object.assign(new URL('/graphql', url), { protocol: 'ws:' }).href,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${accessToken}` },
  });
  stack.defer(() => void events.dispose());
  let came: (() => void) | undefined;
  let isOpen = false;
  const query = 'subscription ($id: ID!) { statusChanges(subjectId: $id) { cursor change { id to } } }';
  stack.defer(
    events.subscribe<{ statusChanges: { change: object | null } }>(
      { query, variables: { id } },
      {
        next: ({ data }) => {
          isOpen = true;
          if (data?.statusChanges.change != null) came?.();
        },
        error: (error) => process.stderr.write(`the stream ended: ${String(error)}\n`),
        complete: () => undefined,
      },
    ),
  );
  let description = 0;
  const change = async () => {
    description += 1;
    const input = { id, description: `change ${description}` };
    const mutation = `mutation ($input: ProjectUpdateInput!) { done: projectUpdate(input: $input) { ${codes} } }`;
    notRefused((await client.ask<Answer<object>>(mutation, { input }, accessToken)).done);
  };
  // The stream starts at some moment, and earlier changes are not seen.
  await waitFor('the first event', async () => {
    await change();
    return isOpen;
  });
  await sleep(1_000);
  return async () => {
    const event = new Promise<void>((resolve) => {
      came = resolve;
    });
    const fromMs = performance.now();
    const answered = change();
    await event;
    const tookMs = performance.now() - fromMs;
    await answered;
    return tookMs;
  };
}
