// The path from a GSLB name to what it answers: its pools in order of preference, their members, and the load balancers that members follow.
import { type Path, type Stop, type Way, withinRoom } from '../../../view/path/path-layout.ts';
import { type Member, memberKind, placeOf } from '../kinds/member.ts';
import { answerOf, type Name } from '../kinds/name.ts';
import type { NameDetails, Vote } from '../use-name.ts';

interface PathSource {
  readonly name: Name;
  readonly details: NameDetails;
  readonly members: ReadonlyMap<string, Member>;
}

/** Of one pool. */
const mostShown = 12;
const plain = { detail: null, status: null, isDown: false, isOld: false, figures: null, opens: null };

export function namePath({ name, details, members }: PathSource): Path {
  const ways: Way[] = [];
  const way = (from: string, to: string, isReserve = false) => ways.push({ from, to, isReserve });
  const balancers = new Map<string, Stop>();
  const pools: Stop[] = [];
  const shown: Stop[] = [];
  for (const [index, pool] of details.pools.entries()) {
    const own = pool.memberIds.flatMap((id) => members.get(id) ?? []);
    const serving = own.filter((member) => member.serving).length;
    pools.push({
      ...{ ...plain, key: pool.id, title: pool.name, figures: `${serving} of ${own.length} serve` },
      ...{
        detail: pool.isFallback ? 'fallback' : `preference ${index + 1}`,
        isDown: serving < Math.max(1, pool.minUp),
      },
    });
    way('name', pool.id, pool.isFallback);
    const stops = withinRoom(
      own.map((member) => memberStop(member, details.votes.get(member.id) ?? [])),
      mostShown,
      'members',
    );
    for (const stop of stops) way(pool.id, stop.key);
    shown.push(...stops);
    for (const { id } of own) {
      const balancer = details.followed.get(id) ?? null;
      if (balancer === null || !stops.some(({ key }) => key === id)) continue;
      const key = `balancer ${balancer.id}`;
      balancers.set(key, {
        ...{ ...plain, key, title: balancer.name, status: balancer.operatingStatus },
        ...{ isDown: isDown(balancer.operatingStatus), opens: { type: 'LoadBalancer', id: balancer.id } },
      });
      way(id, key);
    }
  }
  const first: Stop = {
    ...{ ...plain, key: 'name', title: name.fqdn, status: name.operatingStatus ?? 'UNKNOWN' },
    ...{ isDown: isDown(name.operatingStatus), figures: answerOf(name) || 'no answer yet' },
  };
  const steps = [
    { title: 'Name', stops: [first] },
    { title: 'Pools', stops: pools },
    { title: 'Members', stops: shown },
    { title: 'Load balancers', stops: [...balancers.values()] },
  ];
  return { steps: steps.filter(({ stops }) => stops.length > 0), ways };
}

function memberStop(member: Member, votes: readonly Vote[]): Stop {
  const times = votes.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]));
  const up = votes.filter(({ verdict, count }) => verdict === 'UP' && count !== 'ABSENT').length;
  const seen = votes.length === 0 ? 'no votes' : `${up} of ${votes.length} up`;
  const [least, most] = [Math.min(...times), Math.max(...times)];
  const range = times.length === 0 ? '' : least === most ? `, ${most} ms` : `, ${least} to ${most} ms`;
  return {
    ...{ ...plain, key: member.id, title: member.name, detail: placeOf(member), status: member.operatingStatus },
    ...{ isDown: !member.serving, figures: `${seen}${range}`, opens: { type: memberKind.typename, id: member.id } },
    isOld: votes.length > 0 && votes.every(({ count }) => count === 'ABSENT'),
  };
}

function isDown(status: string | null): boolean {
  return status === 'ERROR' || status === 'OFFLINE';
}
