// What needs attention, in the words of the start page and of `tidegate top`. Pure, and without imports: browsers load it.

interface KindWords {
  /** Of so many: `2 not fully up`. */
  readonly count: (count: number) => string;
  /** Of one, by its status. */
  readonly what: (status: string) => string;
}

const plain = (status: string): string => status.toLowerCase().replaceAll('_', ' ');
const fixed = (text: string) => () => text;
const plural = (word: string, rest: string) => (count: number) => `${word}${count === 1 ? '' : 's'} ${rest}`;

/** By kind (AttentionKind). */
const words: Readonly<Record<string, KindWords>> = {
  BACKEND_NOT_AVAILABLE: { count: fixed('unavailable'), what: plain },
  OUTCOME_UNKNOWN: { count: fixed('unknown'), what: fixed('unknown outcome') },
  MAPPING_DRIFTED: {
    count: fixed('drifted'),
    what: (status) => (status === 'MISSING' ? 'missing on its device' : 'changed on its device'),
  },
  LOAD_BALANCER_NOT_UP: { count: fixed('not fully up'), what: plain },
  LOAD_BALANCER_HOST_ABSENT: { count: plural('host', 'not connected'), what: fixed('host not connected') },
  CERTIFICATE_EXPIRES: {
    count: (count) => (count === 1 ? 'certificate ends soon' : 'certificates end soon'),
    what: (status) => (status === 'EXPIRED' ? 'certificate has expired' : 'certificate ends'),
  },
  NAME_NOT_UP: { count: fixed('not fully up'), what: plain },
  NAME_WITHOUT_VERDICT: { count: fixed('without a verdict'), what: fixed('no verdict yet') },
  CHECKER_ABSENT: { count: plural('checker', 'not connected'), what: fixed('checker not connected') },
  NAME_SERVER_ABSENT: { count: plural('name server', 'not connected'), what: fixed('name server not connected') },
  CLUSTER_ABSENT: { count: plural('cluster', 'not connected'), what: fixed('cluster not connected') },
  SERVICE_NOT_READY: { count: plural('service', 'not ready'), what: fixed('service not ready') },
  DATABASE_ONE_COPY: {
    count: fixed('without a second copy'),
    what: (status) => (status === 'NO_PRIMARY' ? 'no primary' : 'one copy'),
  },
  DATA_HOST_SILENT: { count: plural('host', 'silent'), what: fixed('silent host') },
  PROMOTION_PAUSED: { count: fixed('promotion paused'), what: fixed('is paused') },
  ALERT_FIRING: { count: (count) => (count === 1 ? 'alert firing' : 'alerts firing'), what: (status) => status },
};

/** `checker not connected`. Kinds that are not known here are written as they are. */
export function whatOf({ kind, status }: { readonly kind: string; readonly status: string }): string {
  return words[kind]?.what(status) ?? plain(status);
}

export interface KindCount {
  readonly kind: string;
  /** Null: more than 10,000. */
  readonly count: number | null;
}

/** `2 checkers not connected`. */
export function countText({ kind, count }: KindCount): string {
  const word = words[kind]?.count(count ?? 2) ?? plain(kind);
  return `${count ?? 'more than 10,000'} ${word}`;
}

interface AttentionSum {
  /** That the reader sees. */
  readonly needed: number;
  /** Parts that could not be read. */
  readonly unknown: readonly string[];
  /** Things that the reader may not see. */
  readonly hidden: readonly KindCount[];
}

/** One sentence. What is not known or not shown is never taken for nothing. */
export function sumText({ needed, unknown, hidden }: AttentionSum): string {
  const count = hidden.reduce((sum, each) => sum + (each.count ?? 10_001), 0);
  const rest = [
    ...(unknown.length > 0 ? [`not known: ${unknown.join(', ')}`] : []),
    ...(count > 0 ? [`not shown to you: ${hidden.map(countText).join(', ')}`] : []),
  ].join('; ');
  if (needed > 0) return `${needed} ${needed === 1 ? 'thing needs' : 'things need'} attention${rest && `; ${rest}`}`;
  if (rest === '') return 'Nothing needs attention.';
  return `Nothing that was read needs attention; ${rest}`;
}
