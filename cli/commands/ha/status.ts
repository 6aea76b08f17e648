// `tidegate ha status`.
import { setTimeout as sleep } from 'node:timers/promises';
import { delaysText } from '../../../ha/agent/state/delays.ts';
import type { ClusterStatus } from '../../../ha/cluster-status.ts';
import { CommandFailure, exitCodes, Interruption } from '../../failures.ts';
import { hostVerb, statusWithin, waitOption } from './cluster-verb.ts';

const pauseMs = 500;
const mostOffMs = 1_000;

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
        ['Promotion', seen.paused ? 'paused' : undefined],
        ['Switchover', seen.switchoverTo === null ? undefined : `to ${seen.switchoverTo}, under way`],
      ]);
      await printer.table(
        ['HOST', 'SITE', 'ADDRESS', 'STATE', 'BEHIND', 'ETCD', 'CLOCK', 'KEYS', 'REDIS', 'API'],
        seen.hosts.map(({ name, site, asynchronous, address, state, behind, etcd, clockAheadMs, keys, redis, api }) => [
          ...[
            name,
            site ?? '-',
            address,
            asynchronous === true ? `${state}, ASYNCHRONOUS` : state,
            behind === null ? '-' : String(behind),
            etcd,
            clockText(clockAheadMs),
          ],
          ...[keys ?? '-', redis ?? '-', api ?? '-'],
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

/** Reports come twice a second, so a difference below half a second is invisible. */
function clockText(aheadMs: number | null): string {
  if (aheadMs === null) return '-';
  if (Math.abs(aheadMs) <= mostOffMs) return 'right';
  return `${(Math.abs(aheadMs) / 1_000).toFixed(1)} s ${aheadMs > 0 ? 'ahead' : 'behind'}`;
}

function isWhole({ copies, switchoverTo }: ClusterStatus): boolean {
  return copies === 2 && switchoverTo === null;
}
