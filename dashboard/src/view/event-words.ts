// Status changes in words: the graph has values for programs, and people read sentences.
import { formatType, formatWord } from './format.ts';

interface ChangeWords {
  /** The changed field, such as `operating status`. Empty if the new state makes it clear. */
  readonly aspect: string;
  /** Null if only the new state is shown. */
  readonly from: string | null;
  readonly to: string;
}

const presence: Readonly<Record<string, string>> = {
  PRESENT: 'connected',
  ABSENT: 'not connected',
  FLAPPING: 'connects and disconnects',
};

/** States of these kinds are whole phrases: they need neither the aspect nor the state before. */
const phrases: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'loadBalancerNode.dns': { IN: 'added to DNS', OUT: 'removed from DNS' },
  'loadBalancerNode.step': {
    ...{ PLACED: 'placed on a host', MADE: 'created by its host', CONFIGURED: 'configured' },
    ...{ CHECKED: 'answers health checks', IN_DNS: 'added to DNS' },
  },
  'loadBalancerNode.decision': { REPLACE: 'is replaced', TAKE_BACK: 'returned to service', DELETE: 'is deleted' },
  'loadBalancerHealing.state': { WORKING: 'works again', STOPPED: 'has stopped' },
  'gslb.answer': { CHANGED: 'answer changed', FROZEN: 'answer frozen', RELEASED: 'answer follows its members again' },
  'backend.identity': {
    ...{ HOST_KEY_ACCEPTED: 'host key accepted', HOST_KEY_PRESENTED: 'shows an unknown host key' },
    ...{ CERTIFICATE_ACCEPTED: 'certificate accepted', CERTIFICATE_PRESENTED: 'shows an unknown certificate' },
  },
  'alertRule.checkedIn': { ENABLED: 'checked in', DISABLED: 'checked in' },
  'ha.primary': { LEADS: 'has a new primary' },
  'ha.copies': { ONE_COPY: 'has one copy only', IN_SYNC: 'has copies in sync' },
  'ha.promotion': { ON: 'automatic failover resumed', PAUSED: 'automatic failover paused' },
  'objectRing.epoch': { MADE: 'created' },
  'objectCluster.replica': { LOST: 'lost its replicas', RECOVERING: 'recovers its replicas' },
  'objectCluster.lag': { IN_STEP: 'has caught up', BEHIND: 'is behind' },
};

/** `connected`, `not connected`. */
export function formatPresence(state: string): string {
  return presence[state] ?? formatWord(state);
}

interface Changed {
  readonly kind: string;
  readonly from: string | null;
  readonly to: string;
}

/** `plainChange`: the kind of change that only announces a new status. */
export function changeWords({ kind, from, to }: Changed, plainChange: string | undefined): ChangeWords {
  const phrase = phrases[kind]?.[to];
  if (phrase !== undefined) return { aspect: '', from: null, to: phrase };
  const isPresence = isOfPresence(kind);
  const word = isPresence ? formatPresence : formatWord;
  const before = from === null || from === '' || from === to ? null : word(from);
  return { aspect: isPresence || kind === plainChange ? '' : aspectOf(kind), from: before, to: word(to) };
}

function isOfPresence(kind: string): boolean {
  return /\.presence$|^gslb(?:Checker|NameServer)\.state$|^loadBalancerHost\.changed$/.test(kind);
}

/** backend.operatingStatus → operating status, gslbChecker.state → GSLB checker. */
function aspectOf(kind: string): string {
  const [subject = kind, status = ''] = kind.split('.');
  return formatType(status === '' || status === 'state' ? subject : status);
}
