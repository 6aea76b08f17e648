// What `tidegate top` shows first: each domain with its counts, and what needs a person. One request for each domain, so that one that this
// deployment lacks, or that gives no answer, hides no other one.
import { graphql } from '../../generated/cli/index.ts';
import { type GraphClient, GraphFailure, type GraphqlDocument } from '../graph-client.ts';
import type { DomainLine, Need, Overview } from './state.ts';

const relayDocument = graphql(`
  query TopRelay {
    backends(first: 1) { totalCount }
    unavailable: backends(operatingStatuses: [OFFLINE, ERROR, DEGRADED], first: 20) {
      nodes { id name operatingStatus enabled health { message checkedAt } } totalCount
    }
    unknown: relayOperations(states: [UNKNOWN], first: 20) {
      nodes { id name createdAt backend { name } } totalCount
    }
    drifted: mappings(mappingStates: [ACTIVE, UNVERIFIED], verifications: [DRIFTED, MISSING], first: 20) {
      nodes { id objectKey backend { name } lastVerification { verifiedAt result } } totalCount
    }
  }
`);
const balancersDocument = graphql(`
  query TopBalancers($expiresBefore: DateTime!) {
    loadBalancers(first: 1) { totalCount }
    failing: loadBalancers(operatingStatuses: [ERROR, DEGRADED], first: 20) {
      nodes { id name operatingStatus operatingReason updatedAt } totalCount
    }
    tlsCertificates(expiresBefore: $expiresBefore, orderBy: EXPIRY, first: 20) {
      nodes { id name validUntil } totalCount
    }
  }
`);
const gslbsDocument = graphql(`
  query TopGslbs {
    gslbs(first: 1) { totalCount }
    failing: gslbs(operatingStatuses: [OFFLINE, ERROR, DEGRADED, UNKNOWN], first: 20) {
      nodes { id fqdn operatingStatus operatingReason updatedAt } totalCount
    }
  }
`);
const clustersDocument = graphql(`
  query TopClusters {
    objectClusters(first: 100) { nodes { id name presence controllers { heardAt } } totalCount }
  }
`);
const alertsDocument = graphql(`
  query TopAlerts {
    alerts(states: [FIRING, ACKNOWLEDGED], first: 1) { totalCount }
    firing: alerts(states: [FIRING], first: 20) {
      nodes { id ruleName severity subjectName status since reason } totalCount
    }
  }
`);
const hostsDocument = graphql(`
  query TopHosts { haStatus { primaryName copies paused hosts { name state stateReason } } }
`);

/** A certificate that ends within this time needs a person. */
const expiryMs = 14 * 86_400_000;

interface Part {
  readonly line: DomainLine;
  readonly needs: readonly Need[];
  readonly needCount: number;
}

type Read = (client: GraphClient, nowMs: number) => Promise<Part | undefined>;

const parts: readonly (readonly [title: string, read: Read])[] = [
  ['alerts', part(alertsDocument, () => ({}), alertsPart)],
  ['backends', part(relayDocument, () => ({}), relayPart)],
  [
    'load balancers',
    part(balancersDocument, (nowMs) => ({ expiresBefore: new Date(nowMs + expiryMs).toISOString() }), balancersPart),
  ],
  ['names', part(gslbsDocument, () => ({}), gslbsPart)],
  ['object storage', part(clustersDocument, () => ({}), clustersPart)],
  ['database', part(hostsDocument, () => ({}), hostsPart)],
];

/** Kinds of objects whose status events change it. */
export const overviewTypes = [
  ...['Alert', 'Backend', 'RelayOperation', 'Mapping', 'LoadBalancer', 'Gslb', 'ObjectCluster', 'HaCluster'],
] as const;

/** Throws CommandFailure if the server can't be reached. */
export async function readOverview(client: GraphClient): Promise<Overview> {
  const nowMs = Date.now();
  const read = await Promise.all(
    parts.map(async ([title, readPart]): Promise<Part | undefined> => {
      try {
        return await readPart(client, nowMs);
      } catch (error) {
        if (!(error instanceof GraphFailure) || error.code === 'UNAUTHENTICATED') throw error;
        // Not in this deployment, or not for this caller.
        if (error.code === 'GRAPHQL_VALIDATION_FAILED' || error.code === 'FORBIDDEN') return undefined;
        return { line: { title, text: error.message, tone: 'red' }, needs: [], needCount: 0 };
      }
    }),
  );
  const present = read.filter((each) => each !== undefined);
  const needs = present.flatMap((each) => each.needs);
  return {
    domains: present.map(({ line }) => line),
    needs: [...needs.filter(({ tone }) => tone === 'red'), ...needs.filter(({ tone }) => tone === 'yellow')],
    needCount: present.reduce((sum, { needCount }) => sum + needCount, 0),
  };
}

function part<Data, Variables>(
  document: GraphqlDocument<Data, Variables>,
  variables: (nowMs: number) => Variables,
  partOf: (data: Data) => Part | undefined,
): Read {
  return async (client, nowMs) => partOf(await client.query(document, variables(nowMs)));
}

type DataOf<Document> = Document extends GraphqlDocument<infer Data, infer _> ? Data : never;
interface Counted {
  readonly totalCount: number | null;
}

function relayPart({ backends, unavailable, unknown, drifted }: DataOf<typeof relayDocument>): Part {
  // One that was switched off is as its administrator wants it.
  const used = unavailable.nodes.filter(({ enabled }) => enabled);
  const off = unavailable.nodes.length - used.length;
  return madePart('backends', backends, {
    needs: [
      ...used.map((each) =>
        need('red', 'Backend', each, each.name, [each.operatingStatus, each.health.checkedAt, each.health.message]),
      ),
      ...unknown.nodes.map((each) =>
        need('red', 'RelayOperation', each, each.name, ['unknown outcome', each.createdAt, each.backend?.name]),
      ),
      ...drifted.nodes.map((each) =>
        need('yellow', 'Mapping', each, each.objectKey, [
          each.lastVerification?.result ?? 'DRIFTED',
          ...[each.lastVerification?.verifiedAt, each.backend?.name],
        ]),
      ),
    ],
    counts: {
      'not available': countOf(unavailable) - off,
      'of unknown outcome': countOf(unknown),
      'drifted or missing': countOf(drifted),
    },
  });
}

function balancersPart({ loadBalancers, failing, tlsCertificates }: DataOf<typeof balancersDocument>): Part {
  return madePart('load balancers', loadBalancers, {
    needs: [
      ...failing.nodes.map((each) =>
        need(each.operatingStatus === 'ERROR' ? 'red' : 'yellow', 'LoadBalancer', each, each.name, [
          each.operatingStatus,
          null,
          each.operatingReason,
        ]),
      ),
      ...tlsCertificates.nodes.map((each) =>
        need('yellow', 'TlsCertificate', each, each.name, ['certificate ends', each.validUntil, null]),
      ),
    ],
    counts: { 'not fully up': countOf(failing), 'certificates end soon': countOf(tlsCertificates) },
  });
}

function gslbsPart({ gslbs, failing }: DataOf<typeof gslbsDocument>): Part {
  return madePart('names', gslbs, {
    needs: failing.nodes.map((each) =>
      need(['OFFLINE', 'ERROR'].includes(each.operatingStatus) ? 'red' : 'yellow', 'Gslb', each, each.fqdn, [
        each.operatingStatus,
        null,
        each.operatingReason,
      ]),
    ),
    counts: { 'not fully up': countOf(failing) },
  });
}

function clustersPart({ objectClusters }: DataOf<typeof clustersDocument>): Part {
  const absent = objectClusters.nodes.filter(({ presence }) => presence !== 'PRESENT');
  return madePart('object storage', objectClusters, {
    needs: absent.map((each) => {
      const heardAt = each.controllers
        .map((one) => one.heardAt)
        .toSorted()
        .at(-1);
      return need('red', 'ObjectCluster', each, each.name, ['absent cluster', heardAt, null]);
    }),
    counts: { absent: absent.length },
    noun: 'clusters',
  });
}

function alertsPart({ alerts, firing }: DataOf<typeof alertsDocument>): Part {
  return madePart('alerts', alerts, {
    needs: firing.nodes.map((each) =>
      need(each.severity === 'CRITICAL' ? 'red' : 'yellow', 'Alert', each, each.subjectName ?? each.ruleName, [
        each.ruleName,
        each.since,
        each.reason,
      ]),
    ),
    counts: { firing: countOf(firing) },
    noun: 'open',
  });
}

function hostsPart({ haStatus }: DataOf<typeof hostsDocument>): Part | undefined {
  if (haStatus === null) return undefined;
  const { primaryName, copies, paused, hosts } = haStatus;
  const faults = [
    ...(primaryName === null ? ['no host takes writes'] : []),
    ...(copies < 2 ? ['the newest writes have one copy only'] : []),
    ...(paused ? ['promotion is paused'] : []),
    ...hosts.filter(({ state }) => state === 'SILENT').map(({ name }) => `${name} is silent`),
  ];
  const text = [primaryName === null ? 'no primary' : `primary ${primaryName}`, ...faults].join(' · ');
  const tone = primaryName === null || copies < 2 ? 'red' : faults.length > 0 ? 'yellow' : 'green';
  const needs = faults.map(
    (fault): Need => ({
      tone: tone === 'red' ? 'red' : 'yellow',
      id: null,
      type: 'HaCluster',
      name: 'database',
      cells: [fault, '', ''],
    }),
  );
  return { line: { title: 'database', text, tone }, needs, needCount: needs.length };
}

interface Found {
  readonly needs: readonly Need[];
  readonly counts: Readonly<Record<string, number>>;
  /** After the number. Default: nothing. */
  readonly noun?: string;
}

function madePart(title: string, all: Counted, { needs, counts, noun }: Found): Part {
  const faults = Object.entries(counts).flatMap(([words, count]) => (count > 0 ? [`${count} ${words}`] : []));
  const number = all.totalCount === null ? 'more than 10,000' : String(all.totalCount);
  const tone =
    faults.length === 0
      ? all.totalCount === 0
        ? 'grey'
        : 'green'
      : needs.some((each) => each.tone === 'red')
        ? 'red'
        : 'yellow';
  return {
    line: { title, text: [noun === undefined ? number : `${number} ${noun}`, ...faults].join(' · '), tone },
    needs,
    needCount: Object.values(counts).reduce((sum, count) => sum + count, 0),
  };
}

function need(
  tone: Need['tone'],
  type: string,
  { id }: { readonly id: string },
  name: string,
  cells: readonly (string | null | undefined)[],
): Need {
  return { tone, type, id, name, cells: cells.map((cell) => cell ?? '') };
}

function countOf({ totalCount, nodes }: Counted & { readonly nodes: readonly unknown[] }): number {
  return totalCount ?? nodes.length;
}
