// A checker over a real link. Its results for real web servers reach the conductor, even after a disconnect.
// needs: fping
import { once } from 'node:events';
import { createServer as createHttp, type Server } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import pino from 'pino';
import { Registry } from 'prom-client';
import { type LinkPeer, LinkServer, type LinkSession } from '../../../../../platform/link/link-server.ts';
import type { CertificateAndKey } from '../../../../../platform/net/certificates.ts';
import { egressFrom } from '../../../../../platform/net/egress.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import type { JsonValue } from '../../../../../platform/values/json.ts';
import { Checker, type CheckerOptions } from '../../../../../subgraphs/gslb/agents/checker/checker.ts';
import { standardPlugins } from '../../../../../subgraphs/gslb/agents/checker/plugins/standard-plugins.ts';
import {
  type CheckerState,
  grantIncarnation,
  noteBatch,
} from '../../../../../subgraphs/gslb/control/stores/batch-ledger.ts';
import {
  type CheckerBatch,
  checkerBatch,
  checkerFacts,
  checkerRole,
  type Grant,
  type SpokenVerdict,
  type Target,
  targetId,
  targetKey,
} from '../../../../../subgraphs/gslb/wire/checker-wire.ts';
import { testEgress } from '../../../../support/machine/egress.ts';
import { stays, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { testHistory } from '../../../../support/stores/histories.ts';

const log = pino({ level: 'silent' });
let authority: CertificateAndKey;
const ends: (() => unknown)[] = [];
beforeAll(async () => {
  authority = await testAuthority();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

class Web {
  asked = 0;
  readonly authorizations = new Set<string | undefined>();
  readonly port: number;
  #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(port = 0, host = '127.0.0.1'): Promise<Web> {
    const server = createHttp(({ headers }, response) => {
      web.asked += 1;
      web.authorizations.add(headers.authorization);
      response.end('alive');
    });
    server.listen(port, host);
    await once(server, 'listening');
    const web: Web = new Web(server);
    ends.push(() => web.stop());
    return web;
  }

  async again(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function target(port: number, change: Partial<Target> = {}): Target {
  return {
    ...{ member: newUuid(), monitor: newUuid(), type: 'HTTP', hosts: ['127.0.0.1'], port, parameters: {} },
    ...{ delayMs: 400, timeoutMs: 2_000, failures: 2, successes: 1, confirmMs: 200 },
    ...change,
  };
}

/** Grants, counts and acknowledges batches like the conductor, using the same ledger. */
class Conductor {
  state: CheckerState = {
    ...{ vantagePoint: 'eu', incarnation: 0, epoch: 1, batch: 0, saidAtMs: null, abstains: false },
  };
  readonly targets: Target[];
  readonly batches: CheckerBatch[] = [];
  readonly refusals: string[] = [];
  grant: Partial<Grant> = {};
  peer: LinkPeer | undefined;
  #server: LinkServer | undefined;

  constructor(targets: Target[]) {
    this.targets = targets;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  async listen(port = 0): Promise<void> {
    const tls = await testMachine(authority, 'gslb', 'conductor', log);
    const open = async (peer: LinkPeer) => this.#open(peer);
    const server = await LinkServer.listen({ host: '127.0.0.1', port, tls, role: checkerRole, log, open });
    this.#server = server;
    ends.push(() => server.stop());
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  said(of: Target): SpokenVerdict[] {
    return this.batches.flatMap(({ verdicts }) => verdicts).filter(({ target: id }) => id === targetId(of));
  }

  last(of: Target): string | undefined {
    return this.said(of).at(-1)?.verdict;
  }

  past(): SpokenVerdict[] {
    return this.batches.flatMap(({ past }) => past);
  }

  #open(peer: LinkPeer): LinkSession {
    expect(checkerFacts.parse(peer.facts)).toMatchObject({ vantagePoint: 'eu' });
    this.peer = peer;
    const counted = this.state.batch;
    this.state = grantIncarnation(this.state);
    return {
      epoch: this.state.incarnation,
      begin: () => {
        for (const each of this.targets)
          peer.send({
            type: 'document',
            key: targetKey(each),
            position: { history: testHistory, number: 1 },
            document: each as unknown as JsonValue,
          });
        peer.send({ type: 'whole' });
        const { incarnation, epoch, vantagePoint } = this.state;
        const grant: Grant = {
          history: testHistory,
          ...{ incarnation, epoch, vantagePoint, counted, stampMs: performance.now() },
          ...{ allowedBlocks: [], deniedBlocks: [], beacons: [], freshMs: 10_000, heartbeatMs: 200 },
          ...this.grant,
        };
        peer.send({
          type: 'document',
          key: 'grant',
          position: { history: testHistory, number: epoch },
          document: grant as unknown as JsonValue,
        });
      },
      report: async (key, body) => {
        expect(key).toBe('batch');
        const batch = checkerBatch.parse(body);
        const noted = noteBatch(this.state, batch, performance.now(), { mostVerdicts: 1_000, freshMs: 10_000 });
        if (noted.outcome === 'REFUSED') {
          this.refusals.push(noted.refusal);
          throw new Error(noted.refusal);
        }
        if (noted.outcome === 'REPEATED') return;
        this.state = noted.state;
        this.batches.push(batch);
        peer.send({ type: 'change', key: 'stamp', change: { stampMs: performance.now() } });
      },
      resend: () => undefined,
      closed: async () => undefined,
    };
  }
}

async function start(conductor: Conductor, change: Partial<CheckerOptions> = {}): Promise<Checker> {
  if (conductor.port === 0) await conductor.listen();
  const checker = new Checker({
    ...{ vantagePoint: 'eu', version: '1', urls: [`wss://127.0.0.1:${conductor.port}/link`], log },
    tls: await testMachine(authority, checkerRole, 'eu-1', log),
    ...{ registry: new Registry(), egress: testEgress, plugins: standardPlugins, fping: '/usr/bin/fping' },
    ...{ resolve: async () => [{ address: '127.0.0.1', ttlSeconds: 60 }], programs: new Map() },
    ...change,
  });
  await checker.start();
  ends.push(() => checker.stop());
  return checker;
}

test('after a server is killed and restarted, DOWN and UP are reported once each, with heartbeats in between', async () => {
  const [web, other] = [await Web.start(), await Web.start()];
  const [one, two] = [target(web.port), target(other.port)];
  const conductor = new Conductor([one, two]);
  const checker = await start(conductor);
  await waitFor('both UP', () => conductor.last(one) === 'UP' && conductor.last(two) === 'UP');
  expect(conductor.said(one)).toMatchObject([{ message: null, latencyMs: expect.any(Number) }]);
  await web.stop();
  await waitFor('DOWN', () => conductor.last(one) === 'DOWN');
  expect(conductor.said(one).at(-1)).toMatchObject({ message: 'the connection was refused', latencyMs: null });
  const before = conductor.batches.length;
  await waitFor('heartbeats', () => conductor.batches.length >= before + 3);
  expect(conductor.batches.slice(before).every(({ verdicts }) => verdicts.length === 0)).toBe(true);
  await web.again();
  await waitFor('UP', () => conductor.last(one) === 'UP');
  // A changed latency is reported again with the same verdict.
  const turns = (each: Target) =>
    conductor.said(each).flatMap(({ verdict }, at, all) => (all[at - 1]?.verdict === verdict ? [] : verdict));
  expect(turns(one)).toEqual(['UP', 'DOWN', 'UP']);
  expect(turns(two)).toEqual(['UP']);
  expect(conductor.past()).toEqual([]);
  expect(conductor.refusals).toEqual([]);
  // After a target is removed, the checker stops checking it.
  conductor.peer?.send({ type: 'gone', key: targetKey(two) });
  await waitFor('one target', () => checker.targetCount === 1);
  // Wait for a check in progress to end.
  await sleep(100);
  const { asked } = other;
  await waitFor('more heartbeats', () => conductor.batches.at(-1)?.load.targets === 1);
  // Several check intervals.
  await stays('it is not asked', 1_000, () => other.asked === asked);
});

test('while disconnected it keeps checking; after a reconnect it reports current verdicts, and unreported ones become history', async () => {
  const web = await Web.start();
  const one = target(web.port);
  const conductor = new Conductor([one]);
  const checker = await start(conductor);
  await waitFor('UP', () => conductor.last(one) === 'UP');
  const { port } = conductor;
  const { incarnation } = conductor.state;
  await conductor.stop();
  await waitFor('the cut', () => !checker.connected);
  await web.stop();
  // The checker sees the server down for several checks but can't report it.
  await sleep(1_500);
  await web.again();
  const { asked } = web;
  await waitFor('its checks', () => web.asked > asked + 1);
  const count = conductor.batches.length;
  await conductor.listen(port);
  await waitFor('the state', () => conductor.batches.length > count);
  expect(conductor.batches.slice(count)).toMatchObject([
    {
      ...{ incarnation: incarnation + 1, number: 1 },
      verdicts: [{ target: targetId(one), verdict: 'UP' }],
      past: [{ target: targetId(one), verdict: 'DOWN' }],
    },
  ]);
  expect(conductor.refusals).toEqual([]);
});

test('a refused batch ends the connection; the next one reports all current verdicts', async () => {
  const web = await Web.start();
  const one = target(web.port);
  const conductor = new Conductor([one]);
  await start(conductor);
  await waitFor('UP', () => conductor.last(one) === 'UP');
  // The targets are redistributed before the checker learns of it.
  conductor.state = { ...conductor.state, epoch: 2, saidAtMs: null };
  await waitFor('a refusal', () => conductor.refusals.includes('OLD_EPOCH'));
  await waitFor('the state', () => conductor.batches.at(-1)?.epoch === 2);
  const inEpoch = conductor.batches.filter(({ epoch }) => epoch === 2);
  expect(inEpoch[0]).toMatchObject({ number: 1, verdicts: [{ target: targetId(one), verdict: 'UP' }], past: [] });
});

test('without its beacons it abstains, and failures in that time do not count as verdicts', async () => {
  const [web, beacon] = [await Web.start(), createServer((socket) => socket.on('error', () => undefined))];
  beacon.listen(0, '127.0.0.1');
  await once(beacon, 'listening');
  ends.push(() => beacon.close());
  const { port } = beacon.address() as AddressInfo;
  const one = target(web.port);
  const conductor = new Conductor([one]);
  conductor.grant = { beacons: [{ host: '127.0.0.1', port }] };
  const checker = await start(conductor, {
    // The egress policy closes the path to the beacon. The member is killed at the same time.
    egress: {
      rules: testEgress.rules,
      denial: (address, to) =>
        to === port && isCut ? { address, port: to, reason: 'cut' } : testEgress.denial(address, to),
    },
  });
  let isCut = false;
  await waitFor('UP', () => conductor.last(one) === 'UP');
  isCut = true;
  await web.stop();
  await waitFor('its abstention', () => conductor.batches.at(-1)?.abstains === true);
  expect(conductor.batches.at(-1)?.load.abstains).toContain('beacons');
  // By now the checker would have found the target down.
  await stays('it says nothing', 2_000, () => conductor.said(one).length === 1);
  expect(checker.abstains).toContain('beacons');
  isCut = false;
  await waitFor('DOWN', () => conductor.last(one) === 'DOWN');
  expect(conductor.batches.at(-1)?.abstains).toBe(false);
});

test('addresses that the vantage point or a policy denies are not dialled; unsupported targets delay nothing', async () => {
  const web = await Web.start();
  const [one, named, strange, bad] = [
    target(web.port),
    target(web.port, { hosts: ['web.example'] }),
    target(web.port, { type: 'NONE' }),
    target(web.port, { parameters: { unknown: 1 } }),
  ];
  const conductor = new Conductor([one, named, strange, bad]);
  conductor.grant = { deniedBlocks: ['127.0.0.0/8'] };
  await start(conductor);
  await waitFor('DOWN', () => conductor.last(one) === 'DOWN' && conductor.last(named) === 'DOWN');
  expect(conductor.said(named)[0]?.message).toContain('denied block 127.0.0.0/8');
  expect(web.asked).toBe(0);
  expect([conductor.last(strange), conductor.last(bad)]).toEqual([undefined, undefined]);
  const { port } = conductor;
  await conductor.stop();
  conductor.grant = { deniedBlocks: [], egress: egressFrom({ deny: ['127.0.0.1'] }).rules as never };
  await conductor.listen(port);
  await waitFor('the other reason', () => conductor.state.saidAtMs !== null);
  expect(web.asked).toBe(0);
  await conductor.stop();
  conductor.grant = {};
  await conductor.listen(port);
  await waitFor('UP', () => conductor.last(one) === 'UP' && conductor.last(named) === 'UP');
});

test('credentials are not sent to another host behind the same name, and its answer is not a verdict', async () => {
  const web = await Web.start();
  const neighbour = await Web.start(web.port, '127.0.0.2');
  let leadsTo = web;
  const secret = { token: 'a-token-of-the-test' };
  const one = target(web.port, { hosts: ['web.example'], secret, authBlocks: ['127.0.0.1'] });
  const plain = target(web.port, { hosts: ['web.example'] });
  const conductor = new Conductor([one, plain]);
  await start(conductor, {
    resolve: async () => [{ address: leadsTo === web ? '127.0.0.1' : '127.0.0.2', ttlSeconds: 1 }],
  });
  await waitFor('UP', () => conductor.last(one) === 'UP' && conductor.last(plain) === 'UP');
  expect(web.authorizations).toContain('Bearer a-token-of-the-test');
  leadsTo = neighbour;
  await waitFor('the neighbour is asked', () => neighbour.asked > 3);
  expect(neighbour.authorizations).toEqual(new Set([undefined]));
  expect(new Set(conductor.said(one).map(({ verdict }) => verdict))).toEqual(new Set(['UP']));
});
