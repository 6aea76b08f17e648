// An uptime in words, for people and for screen readers.
import type { UptimeFieldsFragment } from '../../../../generated/dashboard/graphql.ts';
import { formatAge } from '../format.ts';

type Slot = UptimeFieldsFragment['slots'][number];

/** `100 %`, `99.98 %`, `0 %`. Never rounded up to all. */
export function formatUpPercent(percent: number | null): string {
  if (percent === null) return 'no data';
  if (percent === 100 || percent === 0) return `${percent} %`;
  const digits = percent >= 99.9 ? 3 : 1;
  return `${(Math.floor(percent * 10 ** digits) / 10 ** digits).toFixed(digits)} %`;
}

/** The number of downtimes, and the share of the window without data. Empty if it was up for the whole window. */
export function remarksOf(
  { upPercent, knownPercent, downCount, startedAt, knownSince }: UptimeFieldsFragment,
  nowMs: number,
): string {
  const windowMs = nowMs - Date.parse(startedAt);
  const sinceMs = knownSince === null ? windowMs : nowMs - Date.parse(knownSince);
  // The rest of the window is before all that is known, or between times that are.
  const isOnlyNew = sinceMs < windowMs && knownPercent >= Math.floor((sinceMs / windowMs) * 95);
  const known = isOnlyNew ? `the last ${formatAge(sinceMs)} only` : `${formatShare(knownPercent)} of this period`;
  return [
    downCount === 0 ? null : downCount === 1 ? 'down once' : `down ${downCount} times`,
    upPercent === null || knownPercent >= 99.9 ? null : `data for ${known}`,
  ]
    .filter((each) => each !== null)
    .join(', ');
}

export function describeSlot({ state, upPercent, knownPercent }: Slot): string {
  if (state === 'UNKNOWN') return 'no data';
  const known = knownPercent >= 99.9 ? '' : `, data for ${formatShare(knownPercent)}`;
  return `${state === 'DEGRADED' ? 'degraded, ' : ''}up for ${formatUpPercent(upPercent)}${known}`;
}

/** For a screen reader, in place of the bars. */
export function describeSlots(slots: readonly Pick<Slot, 'state'>[]): string {
  const count = (state: Slot['state']) => slots.filter((slot) => slot.state === state).length;
  return [
    `${slots.length} bars`,
    `${count('UP')} up`,
    ...(count('DEGRADED') > 0 ? [`${count('DEGRADED')} degraded`] : []),
    `${count('DOWN')} with downtime`,
    ...(count('UNKNOWN') > 0 ? [`${count('UNKNOWN')} without data`] : []),
  ].join(', ');
}

function formatShare(percent: number): string {
  return percent < 1 ? 'less than 1 %' : `${Math.floor(percent)} %`;
}
