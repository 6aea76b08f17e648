// GSLBs of the fake world, with their members, votes, history and machines, and the root fields of the graph for them.
import type { PartChange } from './fake-balancers.ts';
import { coded, type FakeProject, now, page, projects, withStatus, withText } from './fake-values.ts';

interface FakePart {
  readonly id: string;
  readonly version: number;
  readonly project: FakeProject;
  readonly [field: string]: unknown;
}

interface FakeName extends FakePart {
  readonly __typename: 'Gslb';
  readonly fqdn: string;
}

interface FakePoolMember extends FakePart {
  readonly __typename: 'GslbPoolMember';
  readonly name: string;
  readonly pool: { readonly id: string; readonly name: string };
}

interface FakeZone {
  readonly id: string;
  readonly name: string;
  readonly keys: readonly Fields[];
}

type Append = (subject: FakeName | FakePoolMember, change: PartChange) => void;
type Fields = Readonly<Record<string, unknown>>;

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
  /** What is asked of gslbExplain, in order. */
  readonly questions: Fields[] = [];
  readonly #append: Append;

  constructor(append: Append) {
    this.#append = append;
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
      ...{ project: projects[0] as FakeProject, policy: 'ROUND_ROBIN', ttlSeconds: 30, zoneName: 'gslb.example.net' },
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
      ...{ project: projects[0] as FakeProject, pool: { id: nameId.replace('g', 'gp'), name: 'shop' } },
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
  update(id: string, patch: Fields, change: PartChange): FakeName | FakePoolMember {
    const maps = [this.names, this.members] as readonly Map<string, FakeName | FakePoolMember>[];
    for (const map of maps) {
      const old = map.get(id);
      if (old === undefined) continue;
      const part = { ...old, version: old.version + 1, ...patch } as FakeName | FakePoolMember;
      map.set(id, part);
      this.#append(part, change);
      return part;
    }
    throw new Error(`nothing has the id ${id}`);
  }

  /** Signed by one key of each kind. */
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

interface Paging {
  readonly first?: number;
  readonly after?: string | null;
}
interface ListArguments extends Paging {
  readonly operatingStatuses?: readonly string[] | null;
  readonly text?: string | null;
}
interface WithId {
  readonly id: string;
}
interface WithInput {
  readonly input: Fields;
}

/** What it needs of the world. */
interface NameWorld {
  readonly naming: FakeNames;
  readonly lostFields: ReadonlySet<string>;
  readonly user: { readonly admin: boolean };
  readonly mutations: { readonly name: string; readonly input: Fields }[];
}

/** `guard` refuses a request without a login. */
export function createNameRoot<Context>(world: NameWorld, guard: (context: Context) => void) {
  const { naming } = world;
  const admin = (context: Context): void => {
    guard(context);
    if (!world.user.admin) throw coded('FORBIDDEN', 'Only administrators may do this.');
  };
  const mutate =
    (name: string, field: string, act: (input: Fields) => unknown) =>
    ({ input }: WithInput, context: Context): unknown => {
      guard(context);
      world.mutations.push({ name, input });
      return { [field]: act(input), userErrors: [] };
    };
  return {
    gslbs: ({ operatingStatuses, text, first, after }: ListArguments, context: Context) => {
      guard(context);
      if (world.lostFields.has('gslbs')) throw coded('UNAVAILABLE', 'The subgraph of gslbs does not answer.');
      return page(withText(withStatus(naming.names.values(), operatingStatuses), text), first, after);
    },
    gslbsAt: () => [],
    gslb: ({ id }: WithId, context: Context) => {
      guard(context);
      return naming.names.get(id) ?? null;
    },
    gslbPool: ({ id }: WithId) => ({
      id,
      members: ({ first, after }: Paging) => naming.membersOf(id.replace('gp', 'g'), first, after),
    }),
    gslbPoolMember: ({ id }: WithId) => naming.members.get(id) ?? null,
    gslbExplain: (question: Fields, context: Context) => {
      guard(context);
      return naming.explain(question);
    },
    gslbNameServers: ({ first, after }: Paging, context: Context) => {
      admin(context);
      return page(naming.nameServers, first, after);
    },
    gslbCheckers: ({ first, after }: Paging, context: Context) => {
      admin(context);
      return page(naming.checkers, first, after);
    },
    dnsZones: ({ first, after }: Paging, context: Context) => {
      admin(context);
      return page([...naming.zones.values()], first, after);
    },
    dnsZoneKeyRollBegin: mutate('dnsZoneKeyRollBegin', 'dnsZone', ({ id }) =>
      naming.rollKeys(String(id), (keys) => [...keys, key(4_711)]),
    ),
    dnsZoneKeyRollCancel: mutate('dnsZoneKeyRollCancel', 'dnsZone', ({ id }) =>
      naming.rollKeys(String(id), (keys) => keys.slice(0, -1)),
    ),
    dnsZoneKeyRollConfirm: mutate('dnsZoneKeyRollConfirm', 'dnsZone', ({ id, keyTag }) =>
      naming.rollKeys(String(id), (keys) =>
        keys.map((each) => (each.keyTag === keyTag ? { ...each, namedSince: now() } : each)),
      ),
    ),
    gslbPoolMemberAdminStateSet: mutate('gslbPoolMemberAdminStateSet', 'gslbPoolMember', ({ id, state }) =>
      naming.update(
        String(id),
        { adminState: state, serving: state === 'AUTO' || state === 'FORCED_UP' },
        { kind: 'gslbPoolMember.adminState', from: 'AUTO', to: String(state) },
      ),
    ),
    gslbPoolMemberRelease: mutate('gslbPoolMemberRelease', 'gslbPoolMember', ({ id }) =>
      naming.update(
        String(id),
        { serving: true },
        { kind: 'gslbPoolMember.operatingStatus', from: 'OFFLINE', to: 'ONLINE' },
      ),
    ),
    gslbFreeze: mutate('gslbFreeze', 'gslb', ({ id }) =>
      naming.update(String(id), { frozenAt: now() }, { kind: 'gslb.answer', from: null, to: 'FROZEN' }),
    ),
    gslbUnfreeze: mutate('gslbUnfreeze', 'gslb', ({ id }) =>
      naming.update(String(id), { frozenAt: null }, { kind: 'gslb.answer', from: null, to: 'RELEASED' }),
    ),
  };
}
