// Rules for the connections of every kind of machine: load balancer hosts, checkers, name servers and controllers.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pino from 'pino';
import type { Database } from '../../platform/database/database.ts';
import { noticeSetBack, readHistory } from '../../platform/events/database-history.ts';
import type { LanedSession, LinkPeer, LinkSession } from '../../platform/link/link-server.ts';
import { newKeyPair, SigningKeys } from '../../platform/secrets/key-pairs.ts';
import { newUuid } from '../../platform/values/ids.ts';
import type { JsonValue } from '../../platform/values/json.ts';
import { CheckerSessions } from '../../subgraphs/gslb/control/checkers/checker-sessions.ts';
import { NameServerSessions } from '../../subgraphs/gslb/control/nameservers/name-server-sessions.ts';
import { TargetTable } from '../../subgraphs/gslb/control/targets/target-table.ts';
import { batchKey } from '../../subgraphs/gslb/wire/checker-wire.ts';
import { stateKey as nameServerStateKey } from '../../subgraphs/gslb/wire/dns-wire.ts';
import { HostSessions } from '../../subgraphs/loadbalancer/control/hosts/host-sessions.ts';
import { NodeDocuments } from '../../subgraphs/loadbalancer/control/hosts/node-documents.ts';
import { ControllerSessions } from '../../subgraphs/object-storage/control/controllers/controller-sessions.ts';
import { stateKey as controllerStateKey } from '../../subgraphs/object-storage/wire/controller-wire.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { GslbPlace } from './gslb/support/gslb-place.ts';
import { BalancerPlace } from './loadbalancer/support/balancer-place.ts';
import { ControlGraph } from './object-storage/support/control-graph.ts';
import { clusterKeys } from './object-storage/support/scripted-controller.ts';

type Session = LinkSession | LanedSession;

/** One kind of machine at one subgraph with its own database. */
interface Kind {
  readonly db: Database;
  /** The kind's name in messages. */
  readonly noun: string;
  readonly facts: LinkPeer['facts'];
  open(peer: LinkPeer): Promise<Session>;
  /** Writes the record that an administrator makes before the machine connects. */
  register(id: string): Promise<void>;
  /** A valid report of a connection with this epoch. */
  report(epoch: number, history: string): { readonly key: string; readonly body: JsonValue };
  close(): Promise<void>;
}

const log = pino({ level: 'silent' });
const version = 'test';

const kinds: Readonly<Record<string, () => Promise<Kind>>> = {
  host: async () => {
    const place = await BalancerPlace.open();
    const { db, wake, sealer } = place.ground;
    const sessions = new HostSessions({ db, wake, log, documents: new NodeDocuments({ db, sealer }) });
    return {
      ...{ db, noun: 'host', close: () => place.close() },
      // A host belongs to one machine, and each test uses another machine.
      register: () => db.execute('DELETE FROM lb_host').then(() => undefined),
      facts: {
        ...{ provider: 'LOOPBACK', site: null, publicRange: '127.80.1.0/24', managementRange: '127.80.1.0/24' },
        ...{ tunnelAddress: null, maxNodes: 5, healthPort: 9_000 },
      },
      open: (peer) => sessions.open(peer),
      report: () => ({ key: `gone/${newUuid()}`, body: { node: newUuid() } }),
    };
  },
  checker: async () => {
    const place = await GslbPlace.open();
    const { db, wake, egress, sealer, owner } = place.ground;
    await place.vantagePointWithout('eu');
    const targets = new TargetTable({ db, wake, log, egress, sealer });
    targets.start();
    const sessions = new CheckerSessions({ ...place.dependencies, db, log, owner, targets });
    return {
      ...{ db, noun: 'checker', facts: { vantagePoint: 'eu', version, plugins: ['TCP'] } },
      open: (peer) => sessions.open(peer),
      register: (id) => place.record(id, 'eu'),
      report: (incarnation, history) => ({
        key: batchKey,
        body: {
          ...{ history, incarnation, vantagePoint: 'eu', epoch: 1, number: 1, stampMs: 0, abstains: false },
          ...{ verdicts: [], past: [], load: { targets: 0, lateMs: 0, dropped: 0, abstains: null } },
        },
      }),
      close: async () => {
        await targets.stop();
        await place.close();
      },
    };
  },
  'name server': async () => {
    const place = await GslbPlace.open();
    const { db, wake, sealer, owner } = place.ground;
    const sessions = new NameServerSessions({ db, wake, log, sealer, owner });
    return {
      ...{ db, noun: 'name server', register: (id) => place.recordServer(id, ['192.0.2.53']) },
      facts: { name: 'ns-1', addresses: [{ address: '192.0.2.53', port: 53 }], zones: {}, version },
      open: (peer) => sessions.open(peer),
      report: () => ({
        key: nameServerStateKey,
        body: { zones: {}, refused: {}, heardAgoMs: null, queries: 0, connections: 0 },
      }),
      close: () => place.close(),
    };
  },
  controller: async () => {
    const graph = await ControlGraph.open();
    const { db, wake, owner } = graph;
    const signingKeys = new SigningKeys({ active: 'k1', keys: { k1: newKeyPair().privateText } });
    const sessions = new ControllerSessions({ db, wake, log, signingKeys, owner });
    await graph.make('objectClusterCreate', { name: 'it' });
    return {
      ...{ db, noun: 'controller', register: async () => undefined, close: () => graph.stop() },
      facts: {
        ...{ position: { history: '', number: 0 }, keyIds: [], version },
        publicKey: clusterKeys().publicKey,
      },
      open: (peer) => sessions.open(peer),
      report: () => ({
        key: controllerStateKey,
        body: { position: { history: '', number: 0 }, clockMs: 0, rings: {}, links: [], services: [], disk: null },
      }),
    };
  },
};

describe.each(Object.keys(kinds))('a %s', (name) => {
  let kind: Kind;
  let id: string;
  beforeAll(async () => {
    const open = kinds[name];
    if (open === undefined) throw new Error(name);
    kind = await open();
  });
  afterAll(() => kind?.close());
  beforeEach(async () => {
    id = newUuid();
    await kind.register(id);
  });

  /** Connects the machine, and records the messages it gets and the reason for a disconnect. */
  async function connect(facts = kind.facts) {
    const sent: Parameters<LinkPeer['send']>[0][] = [];
    const closed: string[] = [];
    const session = await kind.open({
      machine: { id, name: 'it', role: 'any' },
      ...{ facts, held: new Map(), send: (message) => sent.push(message), taken: () => Promise.resolve() },
      ask: () => Promise.reject(new Error('nobody asks')),
      close: (reason) => closed.push(reason),
    });
    const report = (key: string, body: JsonValue) =>
      'laneOf' in session ? session.report([{ key, body }]) : session.report(key, body);
    return { session, sent, closed, report };
  }

  test('that reports more or fewer facts than its kind allows is refused, with the reason', async () => {
    const wrong = { ...kind.facts, more: 1 };
    await expect(connect(wrong)).rejects.toThrow(`the ${kind.noun} it sent no valid facts`);
    await expect(connect({})).rejects.toThrow('sent no valid facts');
  });

  test('gets a higher epoch with each connection, and one message when it has everything', async () => {
    const first = await connect();
    first.session.begin();
    await waitFor('it to have everything', () => first.sent.some(({ type }) => type === 'whole'));
    await first.session.closed();
    const second = await connect();
    expect(second.session.epoch).toBeGreaterThan(first.session.epoch);
    await second.session.closed();
  });

  test('may not send reports of another kind', async () => {
    const { session, report } = await connect();
    await expect(report('other/1', {})).rejects.toThrow('a report of an unknown kind: other/1');
    await session.closed();
  });

  test('is disconnected by the next action on an older connection, which stores nothing', async () => {
    const earlier = await connect();
    const newer = await connect();
    const { key, body } = kind.report(earlier.session.epoch, await readHistory(kind.db));
    await earlier.report(key, body).catch(() => undefined);
    earlier.session.begin();
    await waitFor('the earlier connection to be closed', () => earlier.closed.length > 0);
    expect(earlier.closed[0]).toContain(`the ${kind.noun} has a newer connection`);
    await earlier.session.closed();
    expect(newer.closed).toEqual([]);
    await newer.session.closed();
  });

  test('is disconnected when the database begins another history', async () => {
    const { session, closed, report } = await connect();
    const history = await readHistory(kind.db);
    await noticeSetBack(kind.db, log, { history, reason: 'a test', isStillTrue: async () => true });
    const { key, body } = kind.report(session.epoch, history);
    session.begin();
    await report(key, body).catch(() => undefined);
    await waitFor('the connection to be closed', () => closed.length > 0);
    expect(closed[0]).toContain('history of the database has changed');
    await session.closed();
  });
});
