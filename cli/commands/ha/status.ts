// `tidegate ha status`.
import { setTimeout as sleep } from 'node:timers/promises';
import { delaysText } from '../../../ha/agent/state/delays.ts';
import type { ClusterStatus } from '../../../ha/cluster-status.ts';
import { CommandFailure, exitCodes, Interruption } from '../../failures.ts';
import { hostVerb, statusWithin, waitOption } from './cluster-verb.ts';

const pauseMs = 500;
const mostOffMs = 1_000;
const mostWarnedDays = 30;

export const status = hostVerb({
  summary: 'Show who takes writes, how many copies the next write has, and which hosts can take over.',
  options: { wait: waitOption('both data hosts have every write') },
  async run({ cluster, file, options, printer, signal }) {
    const endsAtMs = performance.now() + (options.wait ?? 0) * 1_000;
    let seen = await statusWithin(cluster, endsAtMs);
    while (seen === undefined || (!isWhole(seen) && performance.now() < endsAtMs)) {
      await sleep(pauseMs, undefined, { signal }).catch(() => {
        throw new Interruption();
      });
      seen = await statusWithin(cluster, endsAtMs);
    }
    if (options.json) await printer.json({ ...seen, virtualAddress: file.virtualAddress ?? null });
    else {
      await printer.pairs([
        ['Primary', seen.primary ?? withoutPrimary(seen)],
        ['Copies', seen.copies === 1 ? 'ONE COPY of the next write: its host must not be lost' : seen.copies],
        ['Epoch', seen.epoch],
        ['Votes', votesText(seen)],
        ['Address', file.virtualAddress ?? 'none: balancers query /health/primary'],
        ['Certificates', certificatesText(seen)],
        [
          'Promotion',
          seen.paused
            ? `paused ${seen.pausedUntil === null ? 'until "resume"' : `until ${seen.pausedUntil}`}`
            : undefined,
        ],
        ['Switchover', switchoverText(seen)],
      ]);
      await printer.table(
        ['HOST', 'SITE', 'ADDRESS', 'STATE', 'BEHIND', 'ETCD', 'CLOCK', 'KEYS', 'REDIS', 'API'],
        seen.hosts.map((host) => [
          ...[host.name, host.site ?? '-', host.address, stateText(host)],
          ...[host.behind === null ? '-' : String(host.behind), host.etcd, clockText(host.clockAheadMs)],
          ...[host.keys ?? '-', host.redis ?? '-', host.api ?? '-'],
        ]),
      );
      for (const { name, delays } of seen.hosts) {
        const text = delays === null || delays === undefined ? undefined : delaysText(delays);
        if (text !== undefined) await printer.line(`${name} is slow; in the last ten seconds ${text}`);
      }
      for (const { name, unfit } of seen.hosts)
        if (unfit !== null) await printer.line(`${name} is not promoted: ${unfit}`);
      for (const { name, returning } of seen.hosts)
        if (returning !== null) await printer.line(`${name} returns: ${returning}`);
      for (const { name, reinit } of seen.hosts)
        if (reinit) await printer.line(`${name} gets a new copy of the data, as was requested`);
    }
    if (options.wait !== undefined && !isWhole(seen))
      throw new CommandFailure(
        `not done within ${options.wait} s: the next write has ${seen.copies} of 2 copies`,
        exitCodes.late,
      );
  },
});

function withoutPrimary({ promoting, hosts }: ClusterStatus): string {
  if (promoting === null) return 'none: no host takes writes';
  const why = hosts.find(({ name }) => name === promoting)?.returning;
  return `none yet: ${promoting} ${why ?? 'is being promoted'}`;
}

/** When the first one ends. Undefined if no host has reported. */
function certificatesText({ hosts }: ClusterStatus): string | undefined {
  const [first] = hosts
    .flatMap(({ name, certificatesEndAt }) => (certificatesEndAt === null ? [] : [{ name, endsAt: certificatesEndAt }]))
    .sort((one, other) => Date.parse(one.endsAt) - Date.parse(other.endsAt));
  if (first === undefined) return undefined;
  const days = Math.ceil((Date.parse(first.endsAt) - Date.now()) / 86_400_000);
  const until = `until ${first.endsAt.slice(0, 10)}`;
  return days > mostWarnedDays
    ? until
    : `${until}, which is ${days} days from now, on ${first.name}: "tidegate ha renew-certificates" renews them`;
}

function switchoverText({ switchoverTo, scheduled }: ClusterStatus): string | undefined {
  if (switchoverTo !== null) return `to ${switchoverTo}, under way`;
  return scheduled === null ? undefined : `to ${scheduled.to} at ${scheduled.at}, scheduled by ${scheduled.by}`;
}

/** Undefined if three hosts vote, as intended. */
function votesText({ hosts }: ClusterStatus): string | undefined {
  const joins = hosts.filter(({ etcd }) => etcd === 'JOINS').map(({ name }) => name);
  const voters = hosts.filter(({ vote, etcd }) => vote !== false && etcd !== 'JOINS').map(({ name }) => name);
  if (joins.length > 0) return `${voters.join(', ')}; ${joins.join(', ')} receives their data, and then gets a vote`;
  if (voters.length >= 3) return undefined;
  return voters.length === 1
    ? `${voters[0]} alone`
    : `${voters.join(', ')} alone: none of them must be lost. Another host gets a vote when it joins`;
}

function stateText({ state, asynchronous, noFailover, priority }: ClusterStatus['hosts'][number]): string {
  const tags = [
    asynchronous === true && 'ASYNCHRONOUS',
    noFailover && 'NO_FAILOVER',
    priority > 0 && `PRIORITY ${priority}`,
  ];
  return [state, ...tags.filter((each) => each !== false)].join(', ');
}

/** Reports come twice a second, so a difference below half a second is invisible. */
function clockText(aheadMs: number | null): string {
  if (aheadMs === null) return '-';
  if (Math.abs(aheadMs) <= mostOffMs) return 'right';
  return `${(Math.abs(aheadMs) / 1_000).toFixed(1)} s ${aheadMs > 0 ? 'ahead' : 'behind'}`;
}

function isWhole({ copies, switchoverTo }: ClusterStatus): boolean {
  return copies === 2 && switchoverTo === null;
}
