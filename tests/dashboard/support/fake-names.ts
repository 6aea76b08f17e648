// GSLBs of the fake world, with their members, votes, history and machines, and the root fields of the graph for them.
import {
  coded,
  type FakeNamed,
  type FakeObject,
  type FakeTold,
  type Fields,
  type ListArguments,
  mutationsOf,
  type NotedMutations,
  now,
  ofAdministrators,
  type Paging,
  page,
  project,
  type Tell,
  updateIn,
  type WithId,
  withStatus,
  withText,
} from './fake-values.ts';

interface FakeName extends FakeObject {
  readonly fqdn: string;
}
interface FakePoolMember extends FakeNamed {
  readonly pool: { readonly id: string; readonly name: string };
}

interface FakeZone {
  readonly id: string;
  readonly name: string;
  readonly keys: readonly Fields[];
}

const monitors = [{ id: 'mo1', name: 'web', checkType: 'HTTP' }];

export class FakeNames {
  readonly names = new Map<string, FakeName>();
  readonly members = new Map<string, FakePoolMember>();
  /** By name, newest first. */
  readonly flips = new Map<string, readonly Fields[]>();
  readonly nameServers: Fields[] = [];
  readonly checkers: Fields[] = [];
  /** By id. */
  readonly zones = new Map<string, FakeZone>();
  /** Inputs of gslbExplain, in order. */
  readonly questions: Fields[] = [];
  readonly #tell: Tell;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** It answers with all its members. */
  addName(patch: Partial<FakeName> = {}): FakeName {
    const number = this.names.size + 1;
    const id = `g${number}`;
    const pool = {
      ...{ id: `gp${number}`, name: 'shop', minUp: 1, answerScope: 'ALL', monitors },
      members: ({ first, after }: Paging) => this.membersOf(id, first, after),
    };
    const name: FakeName = {
      ...{ __typename: 'Gslb', id, version: 1, fqdn: `shop-${number}.gslb.example.net`, description: '' },
      ...{ project, policy: 'ROUND_ROBIN', ttlSeconds: 30, zoneName: 'gslb.example.net' },
      ...{ noneUp: 'ALL', provisioningStatus: 'ACTIVE', provisioningReason: null, operatingStatus: 'ONLINE' },
      ...{ operatingReason: null, createdAt: now(-3_600_000), frozenAt: null, frozenUntil: null, frozenReason: null },
      answer: ({ type }: { readonly type: string }) => this.#answer(id, type),
      ...{ pools: [pool], fallbackPool: null, clientBlocks: [] },
      history: ({ first, after }: Paging) => page([...(this.flips.get(id) ?? [])], first, after),
      ...patch,
    };
    this.names.set(id, name);
    return name;
  }

  addMember(nameId: string, patch: Partial<FakePoolMember> = {}): FakePoolMember {
    const number = this.members.size + 1;
    const member: FakePoolMember = {
      ...{ __typename: 'GslbPoolMember', id: `gm${number}`, version: 1, name: `site-${number}` },
      ...{ project, pool: { id: nameId.replace('g', 'gp'), name: 'shop' } },
      ...{ addresses: [`203.0.113.${number}`], cname: null, memberRegion: 'eu', weight: 1, priority: 0 },
      ...{ adminState: 'AUTO', adminUntil: null, adminReason: null, verdict: 'UP', verdictAt: now(-60_000) },
      ...{ undecidedAt: null, serving: true, operatingStatus: 'ONLINE', operatingReason: null, lastUpAt: null },
      votes: [vote('eu'), vote('us')],
      ...patch,
    };
    this.members.set(member.id, member);
    return member;
  }

  membersOf(nameId: string, first?: number, after?: string | null) {
    const poolId = nameId.replace('g', 'gp');
    return page(
      [...this.members.values()].filter(({ pool }) => pool.id === poolId),
      first,
      after,
    );
  }

  /** Changes one of them; its status change is streamed. */
  update(id: string, patch: Fields, told: FakeTold): FakeObject {
    const updated = updateIn([this.names, this.members] as readonly Map<string, FakeObject>[], id, patch);
    this.#tell(updated, told);
    return updated;
  }

  /** A zone signed by one key of each kind. */
  addZone(name: string): FakeZone {
    const id = `z${this.zones.size + 1}`;
    const zone = { id, name, keys: [key(7_219, { since: now(-3_600_000) }), key(28_174, { use: 'PLAIN' })] };
    this.zones.set(id, zone);
    return zone;
  }

  rollKeys(id: string, change: (keys: readonly Fields[]) => readonly Fields[]): FakeZone {
    const zone = this.zones.get(id);
    if (zone === undefined) throw new Error(`no zone has the id ${id}`);
    const rolled = { ...zone, keys: change(zone.keys) };
    this.zones.set(id, rolled);
    return rolled;
  }

  explain(question: Fields): Fields | null {
    this.questions.push(question);
    const name = [...this.names.values()].find(({ fqdn }) => fqdn === question.name);
    if (name === undefined) return null;
    const answer = this.#answer(name.id, String(question.type));
    const own = this.membersOf(name.id, 100).nodes;
    const [serving, others] = [own.filter((each) => each.serving), own.filter((each) => !each.serving)];
    return {
      ...{ gslb: name, askedAt: question.at ?? null, generation: 3, answer, flip: null },
      ...{ clientRegion: 'eu', clientCountry: null, clientContinent: null },
      steps: [
        {
          step: 'UP',
          kept: serving.map((member) => ({ id: member.id, member, reason: null })),
          left: others.map((member) => ({ id: member.id, member, reason: 'it is not up' })),
        },
      ],
      servers: question.at
        ? []
        : [
            server('ns1', { planned: answer, answered: answer, latencyMs: 2 }),
            server('ns2', { planned: answer, answered: null, message: 'no connection (ECONNREFUSED)' }),
          ],
    };
  }

  #answer(nameId: string, type: string): Fields {
    const serving = this.membersOf(nameId, 100).nodes.filter((each) => each.serving);
    const records =
      type === 'A'
        ? serving.flatMap(({ addresses }) => (addresses as string[]).map((data) => ({ type, data, ttlSeconds: 30 })))
        : [];
    return { outcome: records.length > 0 ? 'RECORDS' : 'NODATA', records, scopeBits: 24 };
  }
}

function server(name: string, fields: Fields): Fields {
  const place = { name, address: '192.0.2.53:53', zoneGeneration: 7, behind: 0, heardAt: now() };
  return { ...place, message: null, latencyMs: null, ...fields };
}

function key(keyTag: number, patch: Fields = {}): Fields {
  return { keyTag, use: 'ENTRY', keyState: 'ACTIVE', since: now(), namedSince: null, ...patch };
}

export function vote(vantagePointName: string, patch: Fields = {}): Fields {
  return {
    ...{ vantagePointName, region: vantagePointName, monitor: monitors[0], verdict: 'UP', verdictAt: now(-60_000) },
    ...{ ageMs: 400, count: 'COUNTED', dissents: false, latencyMs: 12, message: null, ...patch },
  };
}

export function nameServer(name: string, patch: Fields = {}): Fields {
  return {
    ...{ id: name, name, presence: 'PRESENT', heardAt: now(), ageMs: 700, linkedTo: 'p1', queries: 9 },
    ...{ addresses: ['192.0.2.53:53'] },
    zones: [{ zoneName: 'gslb.example.net', generation: 7, newestGeneration: 7, refusedReason: null }],
    ...patch,
  };
}

export function checker(name: string, patch: Fields = {}): Fields {
  return {
    ...{ id: name, name, presence: 'PRESENT', presenceReason: null, shares: true, heardAt: now(), linkedTo: 'p1' },
    ...{ targets: 40, lateMs: 0, vantagePoint: { id: 'vp1', name: 'eu', region: 'eu' } },
    ...patch,
  };
}

/** The parts of the world that it needs. */
interface NameWorld extends NotedMutations {
  readonly naming: FakeNames;
  readonly lostFields: ReadonlySet<string>;
  readonly user: { readonly admin: boolean };
}

export function createNameRoot(world: NameWorld) {
  const { naming } = world;
  const listed = (nodes: () => Iterable<Fields>) =>
    ofAdministrators(world, ({ first, after }: Paging) => page([...nodes()], first, after));
  const update = (id: unknown, patch: Fields, kind: string, from: string | null, to: string) =>
    naming.update(String(id), patch, { kind, from, to });
  const rolled = (change: (keys: readonly Fields[], input: Fields) => readonly Fields[]) => (input: Fields) => ({
    dnsZone: naming.rollKeys(String(input.id), (keys) => change(keys, input)),
  });
  const serves = ['AUTO', 'FORCED_UP'];
  return {
    gslbs: ({ operatingStatuses, text, first, after }: ListArguments) => {
      if (world.lostFields.has('gslbs')) throw coded('UNAVAILABLE', 'The subgraph of gslbs does not answer.');
      return page(withText(withStatus(naming.names.values(), operatingStatuses), text), first, after);
    },
    gslbsAt: () => [],
    gslb: ({ id }: WithId) => naming.names.get(id) ?? null,
    gslbPool: ({ id }: WithId) => ({
      id,
      members: ({ first, after }: Paging) => naming.membersOf(id.replace('gp', 'g'), first, after),
    }),
    gslbPoolMember: ({ id }: WithId) => naming.members.get(id) ?? null,
    gslbExplain: (question: Fields) => naming.explain(question),
    gslbNameServers: listed(() => naming.nameServers),
    gslbCheckers: listed(() => naming.checkers),
    dnsZones: listed(() => naming.zones.values() as Iterable<never>),
    ...mutationsOf(world, {
      dnsZoneKeyRollBegin: rolled((keys) => [...keys, key(4_711)]),
      dnsZoneKeyRollCancel: rolled((keys) => keys.slice(0, -1)),
      dnsZoneKeyRollConfirm: rolled((keys, { keyTag }) =>
        keys.map((each) => (each.keyTag === keyTag ? { ...each, namedSince: now() } : each)),
      ),
      gslbPoolMemberAdminStateSet: ({ id, state }) => ({
        gslbPoolMember: update(
          ...([id, { adminState: state, serving: serves.includes(String(state)) }] as const),
          ...(['gslbPoolMember.adminState', 'AUTO', String(state)] as const),
        ),
      }),
      gslbPoolMemberRelease: ({ id }) => ({
        gslbPoolMember: update(id, { serving: true }, 'gslbPoolMember.operatingStatus', 'OFFLINE', 'ONLINE'),
      }),
      gslbFreeze: ({ id }) => ({ gslb: update(id, { frozenAt: now() }, 'gslb.answer', null, 'FROZEN') }),
      gslbUnfreeze: ({ id }) => ({ gslb: update(id, { frozenAt: null }, 'gslb.answer', null, 'RELEASED') }),
    }),
  };
}
