// What the start page says of each domain: its state in a few words, what needs a person, since when and why, and its last 24 hours.
import type {
  StartGslbQuery,
  StartHostsQuery,
  StartLoadbalancerQuery,
  StartObjectsQuery,
  StartRelayQuery,
} from '../../../../generated/dashboard/graphql.ts';
import { formatCmpObject } from '../../cmp-object.ts';
import { linkTo } from '../../links.ts';
import { formatWord } from '../../view/format.ts';
import { type Beat, heartbeat, sinceBySubject } from '../../view/heartbeat.ts';
import { isBeingMade } from '../loadbalancer/kinds/load-balancer.ts';

export interface Need {
  readonly id: string;
  /** `bad`: something does not serve. `odd`: an outcome is not known. */
  readonly tone: 'bad' | 'warn' | 'odd';
  readonly name: string;
  readonly what: string;
  /** Null if the server does not say. */
  readonly why: string | null;
  /** Null if it is not known. */
  readonly since: string | null;
  /** Of a date that is ahead: until. */
  readonly until?: string;
  /** Undefined: its page has no view of it. */
  readonly href: string | undefined;
}

export interface TileContent {
  /** In a few words: `300 backends, 2 offline`. */
  readonly summary: string;
  readonly tone: 'good' | 'bad' | 'warn' | 'odd' | 'calm';
  readonly word: string;
  /** The worst first. */
  readonly needs: readonly Need[];
  /** How many there are, with those that were not read. */
  readonly needCount: number;
  /** Null if the domain has no stored history. */
  readonly beats: readonly Beat[] | null;
}

interface Listed {
  readonly totalCount: number | null;
}

type History = StartRelayQuery['statusHistory'];

/** A count above 10,000 is not exact. */
const manyText = 'more than 10,000';
const ranks = ['bad', 'odd', 'warn'];

export function relayTile(read: StartRelayQuery, nowMs: number): TileContent {
  const { backends, unavailable, unknown, drifted, statusHistory } = read;
  const since = sinceBySubject(statusHistory.nodes);
  const used = unavailable.nodes.filter(({ enabled }) => enabled);
  const needs: readonly Need[] = [
    ...used.map(
      (backend): Need => ({
        ...{ id: backend.id, tone: 'bad', name: backend.name, what: formatWord(backend.operatingStatus) },
        ...{ why: backend.health.message, since: since.get(backend.id) ?? null },
        href: linkTo('Backend', backend.id),
      }),
    ),
    ...unknown.nodes.map(
      (operation): Need => ({
        ...{ id: operation.id, tone: 'odd', name: operation.name, what: 'unknown outcome' },
        why: [operation.backend?.name, operation.cmpObject === null ? null : formatCmpObject(operation.cmpObject)]
          .filter(Boolean)
          .join(', for '),
        since: operation.startedAt ?? operation.createdAt,
        href: linkTo('RelayOperation', operation.id),
      }),
    ),
    ...drifted.nodes.map(
      (mapping): Need => ({
        ...{ id: mapping.id, tone: 'warn', name: mapping.objectKey },
        what: mapping.lastVerification?.result === 'MISSING' ? 'missing on its device' : 'changed on its device',
        why: mapping.backend?.name ?? null,
        since: mapping.lastVerification?.verifiedAt ?? null,
        href: linkTo('Mapping', mapping.id),
      }),
    ),
  ];
  return tile({
    count: counted(backends, 'backend'),
    needs,
    needCount: sum(unavailable, unknown, drifted) - unavailable.nodes.length + used.length,
    details: {
      unavailable: total(unavailable) - unavailable.nodes.length + used.length,
      unknown: total(unknown),
      drifted: total(drifted),
    },
    isEmpty: backends.totalCount === 0,
    beats: beatsOf(total(unavailable), statusHistory, ['OFFLINE', 'ERROR', 'DEGRADED'], nowMs),
  });
}

export function loadBalancerTile(read: StartLoadbalancerQuery, nowMs: number): TileContent {
  const { loadBalancers, failing, unjudged, tlsCertificates, loadBalancerHosts, statusHistory } = read;
  const since = sinceBySubject(statusHistory.nodes);
  const absent = absentOf(loadBalancerHosts?.nodes);
  const beingMade = unjudged.nodes.filter(isBeingMade).length;
  const needs: readonly Need[] = [
    ...failing.nodes.map(
      (balancer): Need => ({
        ...{ id: balancer.id, tone: balancer.operatingStatus === 'ERROR' ? 'bad' : 'warn', name: balancer.name },
        ...{ what: formatWord(balancer.operatingStatus), why: balancer.operatingReason },
        since: since.get(balancer.id) ?? null,
        href: linkTo('LoadBalancer', balancer.id),
      }),
    ),
    ...absent.map(
      (host): Need => ({
        ...{ id: host.id, tone: 'bad', name: host.name, what: 'absent host', since: host.heardAt },
        why: host.nodeCount === 1 ? 'it has a node' : `it has ${host.nodeCount} nodes`,
        href: linkTo('LoadBalancerHost', host.id),
      }),
    ),
    ...tlsCertificates.nodes.map(
      (certificate): Need => ({
        ...{ id: certificate.id, name: certificate.name, why: certificate.hostNames.join(' ') },
        ...(Date.parse(certificate.validUntil) > nowMs
          ? { tone: 'warn', what: 'certificate ends', since: null, until: certificate.validUntil }
          : { tone: 'bad', what: 'certificate has expired', since: certificate.validUntil }),
        href: '/loadbalancer',
      }),
    ),
  ];
  return tile({
    count: counted(loadBalancers, 'load balancer'),
    needs,
    needCount: sum(failing, tlsCertificates) + absent.length,
    details: {
      'being made': beingMade,
      'not fully up': total(failing),
      [absent.length === 1 ? 'host absent' : 'hosts absent']: absent.length,
      [total(tlsCertificates) === 1 ? 'certificate ends soon' : 'certificates end soon']: total(tlsCertificates),
    },
    isEmpty: loadBalancers.totalCount === 0,
    isBeingMade: beingMade > 0 && beingMade === loadBalancers.totalCount,
    beats: beatsOf(total(failing), statusHistory, ['ERROR', 'DEGRADED'], nowMs),
  });
}

export function gslbTile(read: StartGslbQuery, nowMs: number): TileContent {
  const { gslbs, failing, withoutVotes, gslbCheckers, gslbNameServers, statusHistory } = read;
  const since = sinceBySubject(statusHistory.nodes);
  const absent = [
    ...absentOf(gslbCheckers?.nodes).map((machine) => ({ ...machine, what: 'absent checker' })),
    ...absentOf(gslbNameServers?.nodes).map((machine) => ({ ...machine, what: 'absent name server' })),
  ];
  const allChecked = gslbCheckers !== undefined && gslbCheckers.nodes.length > 0;
  const noneVotes = allChecked && absentOf(gslbCheckers.nodes).length === gslbCheckers.nodes.length;
  const needs: readonly Need[] = [
    ...failing.nodes.map(
      (name): Need => ({
        ...{ id: name.id, tone: name.operatingStatus === 'DEGRADED' ? 'warn' : 'bad', name: name.fqdn },
        ...{ what: formatWord(name.operatingStatus), why: name.operatingReason, since: since.get(name.id) ?? null },
        href: linkTo('Gslb', name.id),
      }),
    ),
    ...absent.map(
      ({ id, name, what, heardAt }): Need => ({
        ...{ id, tone: 'bad', name, what, since: heardAt, href: '/gslb' },
        why: noneVotes && what === 'absent checker' ? 'no checker is left: no verdict can change' : null,
      }),
    ),
    ...withoutVotes.nodes.map(
      (name): Need => ({
        ...{ id: name.id, tone: 'warn', name: name.fqdn, what: 'no verdict yet', why: name.operatingReason },
        ...{ since: since.get(name.id) ?? name.createdAt, href: linkTo('Gslb', name.id) },
      }),
    ),
  ];
  return tile({
    count: counted(gslbs, 'name'),
    needs,
    needCount: sum(failing, withoutVotes) + absent.length,
    details: {
      'not fully up': total(failing),
      'without a verdict': total(withoutVotes),
      [absent.length === 1 ? 'machine absent' : 'machines absent']: absent.length,
    },
    isEmpty: gslbs.totalCount === 0,
    beats: beatsOf(total(failing), statusHistory, ['OFFLINE', 'ERROR', 'DEGRADED'], nowMs),
  });
}

export function objectsTile(read: StartObjectsQuery, nowMs: number): TileContent {
  const { objectOptions, objectClusters, statusHistory } = read;
  const since = sinceBySubject(statusHistory.nodes);
  const clusters = objectClusters?.nodes ?? [];
  const absent = clusters.filter(({ presence }) => presence !== 'PRESENT');
  const silent = clusters
    .filter(({ presence }) => presence === 'PRESENT')
    .flatMap((cluster) =>
      (cluster.controllers[0]?.services ?? [])
        .filter(({ ready, drained }) => !ready && !drained)
        .map((service) => ({ cluster, service })),
    );
  const needs: readonly Need[] = [
    ...absent.map(
      ({ id, name, controllers }): Need => ({
        ...{ id, tone: 'bad', name, what: 'absent cluster' },
        why: controllers.length === 0 ? 'no controller has connected yet' : 'no controller is heard',
        since:
          controllers
            .map(({ heardAt }) => heardAt)
            .toSorted()
            .at(-1) ??
          since.get(id) ??
          null,
        href: linkTo('ObjectCluster', id),
      }),
    ),
    ...silent.map(
      ({ cluster, service }): Need => ({
        ...{ id: `${cluster.id} ${service.role} ${service.name}`, tone: 'warn', name: cluster.name },
        ...{ what: `${service.role} ${service.name} is not ready`, why: service.message, since: null },
        href: linkTo('ObjectCluster', cluster.id),
      }),
    ),
  ];
  const isAdmin = objectClusters !== undefined;
  return tile({
    count: isAdmin ? counted({ totalCount: clusters.length }, 'cluster') : counted(objectOptions, 'option'),
    needs,
    needCount: needs.length,
    details: { absent: absent.length, 'services not ready': silent.length },
    isEmpty: isAdmin ? clusters.length === 0 : objectOptions.totalCount === 0,
    beats: isAdmin ? beatsOf(absent.length, sinceAdded(statusHistory, clusters), ['ABSENT'], nowMs) : null,
  });
}

export function hostsTile({ haStatus, haStatusReason, statusHistory }: StartHostsQuery, nowMs: number): TileContent {
  if (haStatus === null) throw new Error(haStatusReason ?? 'The hosts could not be read.');
  const { primaryName, copies, paused, hosts } = haStatus;
  const newest = statusHistory.nodes[0];
  const isShort = primaryName === null || copies < 2;
  const needs: readonly Need[] = [
    ...(isShort
      ? [
          {
            ...({ id: 'copies', tone: 'bad', name: primaryName ?? 'the database', href: '/hosts' } as const),
            what: primaryName === null ? 'no primary: nothing is written' : 'has the only copy of the newest writes',
            ...{ why: null, since: newest?.to === 'ONE_COPY' ? newest.changedAt : null },
          },
        ]
      : []),
    ...hosts
      .filter(({ state }) => state === 'SILENT')
      .map(
        ({ name, stateReason }): Need => ({
          ...{ id: name, tone: 'bad', name, what: 'silent host', why: stateReason, since: null, href: '/hosts' },
        }),
      ),
    ...(paused
      ? [
          {
            ...({
              id: 'paused',
              tone: 'warn',
              name: 'promotion',
              what: 'is paused',
              since: null,
              href: '/hosts',
            } as const),
            why: 'no host takes over from a lost primary',
          },
        ]
      : []),
  ];
  return tile({
    count: counted({ totalCount: hosts.length }, 'host'),
    needs,
    needCount: needs.length,
    details: { [copies === 1 ? 'copy' : 'copies']: copies },
    isEmpty: hosts.length === 0,
    beats: beatsOf(Number(isShort), statusHistory, ['ONE_COPY'], nowMs),
  });
}

interface TileParts {
  readonly count: string;
  readonly needs: readonly Need[];
  readonly needCount: number;
  /** Numbers by their words; 0 is left out. */
  readonly details: Readonly<Record<string, number>>;
  readonly isEmpty: boolean;
  /** All that there is: nothing is up or down yet. */
  readonly isBeingMade?: boolean;
  readonly beats: readonly Beat[] | null;
}

function tile({ count, needs, needCount, details, isEmpty, isBeingMade = false, beats }: TileParts): TileContent {
  const told = Object.entries(details).flatMap(([word, number]) => (number > 0 ? [`${number} ${word}`] : []));
  const sorted = needs.toSorted((a, b) => ranks.indexOf(a.tone) - ranks.indexOf(b.tone));
  const worst = sorted[0]?.tone;
  const tone = worst ?? (isEmpty || isBeingMade ? 'calm' : 'good');
  const calm = isBeingMade ? 'being made' : 'nothing yet';
  const words = { bad: 'needs a person', odd: 'needs a person', warn: 'look at it', calm, good: 'well' };
  return { summary: [count, ...told].join(' · '), tone, word: words[tone], needs: sorted, needCount, beats };
}

function beatsOf(inTroubleNow: number, history: History, trouble: readonly string[], nowMs: number): readonly Beat[] {
  const { nodes: transitions, pageInfo } = history;
  const isTrouble = (status: string): boolean => trouble.includes(status);
  return heartbeat(inTroubleNow, { transitions, hasOlder: pageInfo.hasNextPage }, isTrouble, nowMs);
}

/** A cluster that was added is absent until it connects. Before, it was not in trouble. */
function sinceAdded(
  history: History,
  clusters: readonly { readonly id: string; readonly createdAt: string }[],
): History {
  const oldest = history.nodes.at(-1);
  const added = clusters
    .map(({ id, createdAt }) => ({ subjectId: id, changedAt: createdAt, from: null, to: 'ABSENT' }))
    .filter(
      ({ changedAt }) => !history.pageInfo.hasNextPage || (oldest !== undefined && changedAt >= oldest.changedAt),
    );
  const nodes = [...history.nodes, ...added].toSorted((a, b) => Date.parse(b.changedAt) - Date.parse(a.changedAt));
  return { ...history, nodes };
}

function counted({ totalCount }: Listed, noun: string): string {
  if (totalCount === null) return `${manyText} ${noun}s`;
  return `${totalCount} ${totalCount === 1 ? noun : `${noun}s`}`;
}

function total({ totalCount, nodes }: Listed & { readonly nodes: readonly unknown[] }): number {
  return totalCount ?? nodes.length;
}

function sum(...lists: readonly (Listed & { readonly nodes: readonly unknown[] })[]): number {
  return lists.reduce((all, list) => all + total(list), 0);
}

function absentOf<Machine extends { readonly presence: string }>(
  machines: readonly Machine[] = [],
): readonly Machine[] {
  return machines.filter(({ presence }) => presence === 'ABSENT');
}
