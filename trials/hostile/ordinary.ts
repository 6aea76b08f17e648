// Alpha's users at work during the attack. They read, change the firewall and log in, and a dashboard follows everything. Everything
// must succeed at the first attempt.
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { firewallName } from '../../measure/lab-firewall.ts';
import type { Random } from '../random.ts';
import { Caller, type Exchange } from './caller.ts';
import { codesOf, type Judge } from './verdict.ts';
import { loggedIn, logInAgain, type World } from './world.ts';

interface OrdinaryWork {
  /** Continues until this many requests were made and `attacked` has resolved. */
  run(requests: number, attacked: Promise<unknown>): Promise<number>;
}

const pauseMs = 20;
const eventsDeadlineMs = 15_000;
const addresses = { owner: '127.0.1.1', viewer: '127.0.1.2', cmp: '127.0.1.3' };

const reads = [
  '{ me { name projects { role project { id name } } } }',
  '{ backends { nodes { id name operatingStatus } } }',
  '{ mappings(first: 10) { nodes { id objectKey backend { name } } pageInfo { hasNextPage endCursor } } }',
  '{ relayOperations(first: 10) { nodes { id name state } } }',
  '{ statusHistory(first: 10) { nodes { id kind from to } } }',
  '{ relayDrivers { name family operations { name } } }',
] as const;
const add = `mutation ($input: FirewallAddressSetElementAddInput!) {
  call: firewallAddressSetElementAdd(input: $input) { operation { id state } userErrors { code message } } }`;
const follow =
  'subscription ($after: String) { relayOperationChanges(after: $after) { cursor operation { id state } } }';

export async function ordinaryWork(world: World, random: Random, judge: Judge): Promise<OrdinaryWork> {
  const owner = await loggedIn(world, world.logins.owner, { address: addresses.owner, seesAlpha: true });
  const viewer = await loggedIn(world, world.logins.viewer, { address: addresses.viewer, seesAlpha: true });
  const cmp = new Caller({
    ...{ name: 'the CMP', address: addresses.cmp, url: world.system.url, seesAlpha: true },
    token: world.system.token,
  });
  let requests = 0;
  let marks = 0;
  const ask = async (caller: Caller, query: string, variables: object = {}): Promise<Exchange> => {
    requests += 1;
    const exchange = await caller.ask(query, variables);
    if (exchange.answered.includes(world.mark)) marks += 1;
    judge.see(caller, { kind: 'ordinary' }, exchange);
    const [answer] = exchange.answers;
    if (answer?.data == null || codesOf(answer).length > 0)
      judge.found('ordinaryFailed', `${caller.name}: ${exchange.asked} -> ${exchange.answered}`);
    return exchange;
  };
  const made = new Set<string>();
  let number = 0;
  const change = async (): Promise<void> => {
    number += 1;
    const address = `10.${67 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
    const key = `${world.mark}-element-${number}`;
    const input = {
      ...{ idempotencyKey: key, backend: { name: firewallName }, set: 'blocked', address },
      cmpObject: { namespace: 'hostile', type: 'element', externalId: key },
    };
    const { answers } = await ask(cmp, add, { input });
    const { operation } = (answers[0]?.data?.call ?? {}) as { operation?: { id: string; state: string } | null };
    if (operation?.state !== 'SUCCEEDED') judge.found('ordinaryFailed', `the change ${key} is ${operation?.state}`);
    else made.add(operation.id);
  };
  const steps = [
    ...reads.flatMap((query) => [owner, viewer, cmp].map((caller) => () => ask(caller, query))),
    ...Array.from({ length: 6 }, () => change),
    () => logInAgain(owner, world.logins.owner).catch((error) => judge.found('ordinaryFailed', String(error))),
  ];

  return {
    async run(least, attacked) {
      let attackEnded = false;
      void attacked.finally(() => {
        attackEnded = true;
      });
      const { answers } = await cmp.ask('{ statusCursor }');
      const dashboard = followOperations(world, answers[0]?.data?.statusCursor, judge);
      const worker = async (): Promise<void> => {
        while (requests < least || !attackEnded) {
          await random.pick(steps)();
          await sleep(pauseMs);
        }
      };
      try {
        await Promise.all([worker(), worker(), worker()]);
        await dashboard.sawAll(made);
      } finally {
        await dashboard.stop();
        await Promise.all([owner, viewer, cmp].map((caller) => caller.close()));
      }
      if (marks === 0) throw new Error("alpha's people were never shown the mark that others must not see");
      return requests;
    },
  };
}

/** A subscription for the whole time. Every operation must arrive over it. */
function followOperations(world: World, after: unknown, judge: Judge) {
  const seen = new Set<string>();
  const client = createClient({
    url: `${world.system.url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: class extends WebSocket {
      constructor(address: string, protocols: string[]) {
        super(address, protocols, { localAddress: addresses.cmp });
      }
    },
    connectionParams: { authorization: `Bearer ${world.system.token}` },
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: () => undefined,
  });
  const following = (async () => {
    const stream = client.iterate<{ relayOperationChanges: { operation: { id: string } | null } }>({
      query: follow,
      variables: { after },
    });
    for await (const { data, errors } of stream) {
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      const id = data?.relayOperationChanges.operation?.id;
      if (id !== undefined) seen.add(id);
    }
  })().catch((error: unknown) => judge.found('ordinaryFailed', `the dashboard's socket ended: ${String(error)}`));
  return {
    async sawAll(made: ReadonlySet<string>): Promise<void> {
      const untilMs = performance.now() + eventsDeadlineMs;
      const missing = () => [...made].filter((id) => !seen.has(id));
      while (missing().length > 0 && performance.now() < untilMs) await sleep(50);
      for (const id of missing()) judge.found('ordinaryFailed', `the dashboard did not see ${id}`);
    },
    async stop(): Promise<void> {
      await client.dispose();
      await following;
    },
  };
}
